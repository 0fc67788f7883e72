"""A profile: what is left of a data set once its columns were counted. Small, mergeable, saveable, comparable."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.drift import hiding
from aios_workbench.drift.columntables import Table, TimeTable, all_of
from aios_workbench.drift.kinds import SAMPLE, infer
from aios_workbench.drift.models import Kind, SourceInfo
from aios_workbench.drift.plan import Plan
from aios_workbench.drift.plan import plan as make_plan
from aios_workbench.drift.scan import ALL, Progress, scan
from aios_workbench.drift.sources import Source, open_source
from aios_workbench.drift.windows import split
from aios_workbench.errors import DriftInputError, hint

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Profile", "Progress", "load_profile", "profile", "profile_of"]


@dataclass(frozen=True)
class Profile:
    """The counted columns of a data set; made by `profile`, read from a file by `load_profile`.

    Attributes
    ----------
    name : str
        Of the data.
    plan : Plan
        How it was counted; a current side is counted the same way.
    types : dict of str to str
        Column -> DuckDB type.
    sizes : dict of str to int
        Rows of each window; one called "" when it is not split.
    tables : dict
        Window -> column -> counts.
    raw : bool
        False when rare values were taken out.
    stored : bool
        True when it was read from a file.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"x": [1.0, 2.0, 4.0], "city": ["Bonn", "Ulm", "Ulm"]})
    >>> one = profile(frame, by="city")
    >>> one.windows, round(one.columns["x"].mean, 3), one.window("Ulm").columns["x"].mean
    ({'Bonn': 1, 'Ulm': 2}, 2.333, 3.0)
    >>> one.merged(profile(frame, by="city", like=one)).rows
    6
    """

    name: str
    plan: Plan
    types: dict[str, str]
    sizes: dict[str, int]
    tables: dict[str, dict[str, Table]] = field(repr=False)
    by: str | None = None
    raw: bool = True
    stored: bool = False
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of all windows."""
        return sum(self.sizes.values())

    @property
    def windows(self) -> dict[str, int]:
        """Rows of each window, in order; empty when it is not split."""
        return {} if self.by is None else dict(self.sizes)

    @cached_property
    def columns(self) -> dict[str, Table]:
        """Each column's counts over all windows."""
        parts = [t for w, t in self.tables.items() if self.sizes[w]] or list(self.tables.values())[:1]
        names = list(dict.fromkeys(c for part in parts for c in part))
        found = {name: all_of([part[name] for part in parts if name in part]) for name in names}
        return {c: found[c] for c in self.plan.columns if c in found}

    def window(self, name: str) -> Profile:
        """Return one window as a profile of its own.

        Raises
        ------
        DriftInputError
            When there is none of that name.
        """
        if name not in self.windows:
            few = ", ".join(list(self.windows)[:20])
            raise DriftInputError(
                f"{self.name} has no window {name!r}{hint(name, self.windows)}; "
                + (f"it has: {few}" if few else "it is not split: make it with by=")
            )
        return replace(
            self, name=f"{self.name}, {name}", by=None, sizes={ALL: self.sizes[name]},
            tables={ALL: self.tables[name]},
        )  # fmt: skip

    def merged(self, other: Profile) -> Profile:
        """Return the profile of both data sets together; windows of one name become one.

        Raises
        ------
        DriftInputError
            When they were counted on different plans, or one is split and the other not.
        """
        if not self.plan.like(other.plan):
            raise DriftInputError(
                f"the profiles of {self.name} and {other.name} were counted on different grids; make the second with "
                "profile(…, like=first)"
            )
        if self.by != other.by:
            raise DriftInputError(
                f"the profile of {self.name} is split by {self.by}, that of {other.name} by {other.by}; make both with "
                "the same by="
            )
        if not (self.raw and other.raw) and self.plan.key != other.plan.key:
            raise DriftInputError(
                f"rare values of {self.name} and {other.name} are hidden in different ways; make the second with "
                "profile(…, like=first), or save both with raw=True"
            )
        sizes, tables = dict(self.sizes), {w: dict(t) for w, t in self.tables.items()}
        for w, theirs in other.tables.items():
            mine = tables.setdefault(w, {})
            sizes[w] = sizes.get(w, 0) + other.sizes[w]
            for column, table in theirs.items():
                if column in mine:
                    one, two = hiding.matched(mine[column], table, self.plan.key)
                    mine[column] = all_of([one, two])
                else:
                    mine[column] = table
        order = sorted(sizes, key=lambda w: (w == "(none)", w)) if self.by is not None else list(sizes)
        made = replace(
            self, sizes={w: sizes[w] for w in order}, tables={w: tables[w] for w in order},
            raw=self.raw or other.raw, types={**other.types, **self.types},
            notes=tuple(dict.fromkeys((*self.notes, *other.notes))),
        )  # fmt: skip
        # of one that hides its rare values and one that does not: what the other tells is to be hidden, too
        return made if self.raw == other.raw else made.without_raw()

    def info(self) -> SourceInfo:
        """Return what a report says of it."""
        first = last = None
        if self.plan.time is not None:
            time = self.columns.get(self.plan.time)
            if isinstance(time, TimeTable):
                first, last = _moment(time.minimum), _moment(time.maximum)
        return SourceInfo(
            name=self.name,
            rows=self.rows,
            columns=len(self.types),
            stored=self.stored,
            first=first,
            last=last,
        )

    def save(self, path: str | Path, raw: bool = False) -> Path:
        """Write it to a file; `load_profile` reads it. What was there before stays until the new one is whole.

        Parameters
        ----------
        raw : bool
            False: values that fewer than 10 rows have are not in it. Numbers are in cells of several values, rare
            categories are keyed hashes: they can be compared, not read.

        Raises
        ------
        DriftError
            When it cannot be written.
        """
        from aios_workbench.drift import profile_files

        return profile_files.save(self if raw else self.without_raw(), Path(path).expanduser())

    def without_raw(self) -> Profile:
        """Return it without single values that fewer than 10 rows have."""
        if not self.raw:
            return self
        tables = {
            w: {c: hiding.hidden(t, self.plan.key) for c, t in part.items()}
            for w, part in self.tables.items()
        }
        return replace(self, tables=tables, raw=False)

    def __repr__(self) -> str:
        split_ = f", {len(self.sizes)} windows by {self.by}" if self.by is not None else ""
        return f"<Profile of {self.name}: {self.rows:,} rows x {len(self.plan.columns)} columns{split_}>"


def _moment(seconds: float) -> str | None:
    if not math.isfinite(seconds):
        return None
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat().removesuffix("+00:00")
    except (OverflowError, ValueError, OSError):
        return None  # outside of what a date can be in Python


def profile(
    source: Any, *, by: str | None = None, time: str | None = None, like: Profile | Plan | None = None,
    kinds: Mapping[str, Kind] | None = None, target: str | None = None, prediction: str | None = None,
    score: str | Sequence[str] | None = None, embeddings: Sequence[str] | None = None,
    columns: Sequence[str] | None = None, name: str | None = None, seed: int = 0,
    progress: Progress | None = None, memory_limit: str | int | None = None, threads: int | None = None,
) -> Profile:  # fmt: skip
    """Count the columns of a data set, so that it can be compared without being read again.

    Parameters
    ----------
    source
        Whatever `open_source` takes.
    by : str, optional
        A column whose values are the windows; or hour, day, week, month, quarter or year of the time column (UTC).
    time : str, optional
        The column that says when; else the only one of dates or times.
    like : Profile or Plan, optional
        Count as that was counted: what a current side or a further file needs. The options that follow are its own.
    kinds, target, prediction, score, embeddings, columns
        As of `compare`.
    progress : callable, optional
        Is told a fraction and what is being done.
    memory_limit : str or int, optional
        Most that DuckDB may hold, such as "1GB"; the data may be larger.

    Raises
    ------
    DriftInputError
        When the source, a column or a kind is wrong; with the next step.
    """
    opened = open_source(source, name=name, memory_limit=memory_limit, threads=threads)
    sample = opened.sample(SAMPLE, seed)
    how = like.plan if isinstance(like, Profile) else like
    if how is None:
        roles = infer(
            opened, kinds, target, prediction, score, embeddings, columns=columns, sample=sample
        )  # fmt: skip
        how = make_plan(opened, roles, sample=sample, time=time)
    return profile_of(opened, how, by=by, time=time, sample=sample, progress=progress)


def profile_of(
    source: Source, plan: Plan, *, by: str | None = None, time: str | None = None,
    sample: pd.DataFrame | None = None, progress: Progress | None = None,
) -> Profile:  # fmt: skip
    """Count an opened source on a plan; see `profile`."""
    of = split(source, plan, by, time)
    sizes, tables = scan(source, plan, of, sample=sample, progress=progress)
    return Profile(
        source.name, plan, dict(source.columns), sizes, tables, by=by if of is not None else None,
        notes=tuple(source.notes),
    )  # fmt: skip


def load_profile(path: str | Path) -> Profile:
    """Read what `Profile.save` wrote.

    Raises
    ------
    NotFoundError
        When there is no such file.
    CorruptProfileError
        When it is damaged, something else, or of a newer version.
    """
    from aios_workbench.drift import profile_files

    return Profile(**profile_files.load(Path(path).expanduser()))
