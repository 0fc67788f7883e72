"""Counts of values that have no order: the most frequent one by one, the rest in buckets. Additive."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

#: A column with more different texts keeps the most frequent; the others share buckets.
MOST_TEXTS = 50_000
BUCKETS = 4_096


@dataclass(frozen=True)
class CountTable:
    """A column of values that have no order, counted by their text; the most frequent first.

    Where there are too many, the rarer ones are counted in `buckets` by a hash of their text: the counts of both sides
    still add up, and distances computed from them are lower bounds.
    """

    values: tuple[str, ...]
    counts: Ints
    nulls: int = 0
    buckets: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    #: How many different values; of those in buckets an estimate, of an id's that were merged the most there can be.
    distinct: int = 0

    @cached_property
    def rows(self) -> int:
        """Rows with a value."""
        return int(self.counts.sum() + self.buckets.sum())

    @property
    def total(self) -> int:
        """All rows."""
        return self.rows + self.nulls

    @property
    def exact(self) -> bool:
        """True when every value has a count of its own."""
        return not len(self.buckets)

    @classmethod
    def of(cls, values: Iterable[str | None], *, most: int = MOST_TEXTS) -> CountTable:
        """Count texts; None is null.

        Examples
        --------
        >>> CountTable.of(["a", "b", "b", None]).values
        ('b', 'a')
        """
        counted = Counter(values)
        nulls = counted.pop(None, 0)
        return cls.counted({str(k): n for k, n in counted.items()}, nulls, most=most)

    @classmethod
    def counted(
        cls, counts: Mapping[str, int], nulls: int = 0, buckets: Ints | None = None, *, distinct: int | None = None,
        most: int = MOST_TEXTS,
    ) -> CountTable:  # fmt: skip
        """Return the table of text -> count; the rarest go into buckets when there are more than `most`."""
        ordered = sorted(((k, n) for k, n in counts.items() if n), key=lambda kn: (-kn[1], kn[0]))
        many = len(ordered) if distinct is None else distinct
        buckets = np.zeros(0, np.int64) if buckets is None else buckets
        if len(ordered) > most:
            buckets = buckets.copy() if len(buckets) else np.zeros(BUCKETS, np.int64)
            for text, n in ordered[most:]:
                buckets[bucket(text)] += n
            ordered = ordered[:most]
        return cls(
            tuple(k for k, _ in ordered), np.array([n for _, n in ordered], np.int64), nulls, buckets, many
        )

    def merged(self, other: CountTable) -> CountTable:
        """Return the counts of both.

        Where one has buckets, a value that it does not count on its own may be in them: it goes there.

        Examples
        --------
        >>> both = CountTable.of(["a", "b", "b"]).merged(CountTable.of(["a", "c"]))
        >>> dict(zip(both.values, both.counts.tolist()))
        {'a': 2, 'b': 2, 'c': 1}
        """
        one, two = (
            dict(zip(self.values, self.counts.tolist(), strict=True)),
            dict(zip(other.values, other.counts.tolist(), strict=True)),
        )
        if self.exact and other.exact:
            return CountTable.counted(
                {k: one.get(k, 0) + two.get(k, 0) for k in one | two}, self.nulls + other.nulls
            )
        if len({len(side.buckets) for side in (self, other) if not side.exact} | {BUCKETS}) > 1:
            # an id: only how many there are
            rows, distinct = self.rows + other.rows, self.distinct + other.distinct
            return CountTable((), np.zeros(0, np.int64), self.nulls + other.nulls, np.array([rows]), distinct)
        buckets = np.zeros(BUCKETS, np.int64)
        for side in (self, other):
            if not side.exact:
                buckets += side.buckets
        kept: dict[str, int] = {}
        for text in one | two:
            n = one.get(text, 0) + two.get(text, 0)
            if (text in one or self.exact) and (text in two or other.exact):
                kept[text] = n
            else:
                buckets[bucket(text)] += n
        distinct = max(self.distinct, other.distinct)
        return CountTable.counted(kept, self.nulls + other.nulls, buckets, distinct=distinct)


def bucket(text: str) -> int:
    """Return the bucket of a text: the same that SQL's ``md5_number_lower(text) % 4096`` says.

    Examples
    --------
    >>> 0 <= bucket("a") < BUCKETS
    True
    """
    digest = hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") % BUCKETS
