"""Take personal data out of data frames and text, leaving pseudonyms that still join.

What is found: e-mail addresses, telephone numbers, IBANs, payment cards, US social security numbers and IP
addresses, by form and check sum; names only where a column is named as holding them. A name, a street or
an illness in running text is NOT found: drop free text, or name its columns in `columns`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from aios_workbench.errors import ParameterError, hint
from aios_workbench.govern.patterns import FINDERS, NORMAL, digits, is_card, kind_of_column
from aios_workbench.govern.pseudonyms import TOKEN, pseudonym_key, token

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from aios_workbench.workspace.home import Workspace

KINDS = (*FINDERS, "name")
T = TypeVar("T")
_ZERO_WIDTH = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))


@dataclass(frozen=True, slots=True)
class Finding:
    """How often one kind was replaced in one column ("" for plain text); `how` is "name" or "pattern"."""

    column: str
    kind: str
    how: str
    cells: int
    values: int


class Redaction(NamedTuple, Generic[T]):
    """The cleaned data and what was replaced in it."""

    data: T
    report: list[Finding]


@overload
def redact(
    data: str, *, ws: Workspace | None = ..., key: bytes | None = ..., kinds: Iterable[str] = ...
) -> Redaction[str]: ...
@overload
def redact(
    data: pd.DataFrame, *, ws: Workspace | None = ..., key: bytes | None = ..., kinds: Iterable[str] = ...,
    columns: Mapping[str, str] | None = ..., skip: Iterable[str] = ...,
) -> Redaction[pd.DataFrame]: ...  # fmt: skip
def redact(
    data: Any,
    *,
    ws: Workspace | None = None,
    key: bytes | None = None,
    kinds: Iterable[str] = KINDS,
    columns: Mapping[str, str] | None = None,
    skip: Iterable[str] = (),
) -> Redaction[Any]:
    """Replace personal data by stable pseudonyms such as ``email_5b0c…``.

    Parameters
    ----------
    data : pandas.DataFrame or str
        Not changed; frames are copied where something is replaced. Index and column labels are cleaned too.
    ws : Workspace, optional
        Whose key to use (default: this process's workspace), so that pseudonyms agree between runs.
    key : bytes, optional
        A key of your own instead, at least 16 bytes.
    kinds : iterable of str
        Which of `KINDS` to look for.
    columns : mapping of str to str, optional
        Columns to replace whole, with the word their pseudonyms start with: ``{"policy_number": "policy"}``.
    skip : iterable of str
        Columns to leave as they are.

    Returns
    -------
    Redaction
        ``data`` and ``report``, also as a pair.

    Raises
    ------
    ParameterError
        For an unknown kind or column, a key that is too short, or data of another type.

    Examples
    --------
    >>> redact("write to ada@example.com", key=b"k" * 32).data
    'write to email_8eb47abceba007ca'
    """
    wanted = _kinds(kinds)
    if key is None:
        if ws is None:
            from aios_workbench.workspace.home import workspace

            ws = workspace()
        key = pseudonym_key(ws)
    elif len(key) < 16:
        raise ParameterError(
            f"redact: the key has {len(key)} bytes; give at least 16 random ones, or none at all"
        )
    cleaner = _Cleaner(key, wanted)
    if isinstance(data, str):
        if columns or skip:
            raise ParameterError(
                "redact: `columns` and `skip` are for data frames, and this is text; leave them out"
            )
        clean = cleaner.text(data)
        return Redaction(clean, [Finding("", k, "pattern", 1, n) for k, n in sorted(cleaner.found.items())])
    if type(data).__name__ == "DataFrame" and hasattr(data, "columns"):
        return _frame(data, cleaner, dict(columns or {}), set(skip))
    raise ParameterError(
        f"redact takes a pandas data frame or text, not {type(data).__name__}; "
        "turn it into one, or redact its parts"
    )


def _kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    for kind in wanted:
        if kind not in KINDS:
            raise ParameterError(
                f"redact: unknown kind {kind!r}; known are {', '.join(KINDS)}{hint(kind, KINDS)}"
            )
    return wanted


class _Cleaner:
    """Replaces, and counts what it replaced since `found` was last emptied."""

    def __init__(self, key: bytes, kinds: tuple[str, ...]) -> None:
        self.key = key
        self.kinds = kinds
        self.found: Counter[str] = Counter()

    def text(self, text: str) -> str:
        """Replace what the patterns find in running text."""
        clean, counts = self._pass(text)
        bare = text.translate(_ZERO_WIDTH)
        if bare != text:  # an invisible character inside an address must not hide it
            other, more = self._pass(bare)
            if more.total() > counts.total():
                clean, counts = other, more
        self.found += counts
        return clean

    def _pass(self, text: str) -> tuple[str, Counter[str]]:
        counts: Counter[str] = Counter()
        for kind, find in FINDERS.items():
            if kind not in self.kinds:
                continue
            parts, end = [], 0
            for span in find(text):
                if span.start >= end:
                    parts += [text[end : span.start], token(self.key, kind, span.normal)]
                    end = span.end
                    counts[kind] += 1
            if parts:
                text = "".join(parts) + text[end:]
        return text, counts

    def whole(self, kind: str, value: Any) -> Any:
        """Replace a whole cell; what is a pseudonym already stays one."""
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        if not text.strip() or text.strip() == "?" or TOKEN.fullmatch(text):
            return value
        self.found[kind] += 1
        return token(self.key, kind, NORMAL.get(kind, str.strip)(text))

    def cell(self, value: Any, depth: int = 0) -> Any:
        """Replace inside a cell, also in lists and dicts."""
        if isinstance(value, str):
            return self.text(value)
        if depth < 10:
            if isinstance(value, dict):
                return {self.cell(k, depth + 1): self.cell(v, depth + 1) for k, v in value.items()}
            if type(value) in (list, tuple, set):
                return type(value)(self.cell(v, depth + 1) for v in value)
        return value


def _frame(
    frame: pd.DataFrame, cleaner: _Cleaner, forced: dict[str, str], skip: set[str]
) -> Redaction[pd.DataFrame]:
    labels = [str(c) for c in frame.columns]
    for name in (*forced, *skip):
        if name not in labels:
            raise ParameterError(f"redact: there is no column {name!r}{hint(name, labels)}")
    for name, kind in forced.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", kind):
            raise ParameterError(
                f"redact: {kind!r} for column {name!r} is no plain lower-case word such as 'policy'"
            )
    report: list[Finding] = []
    clean = frame.copy(deep=False)
    for i, (raw, label) in enumerate(zip(frame.columns, labels, strict=True)):
        if label in skip:
            continue
        named = forced.get(label) or _named(raw, cleaner)
        new = _series(frame.iloc[:, i], cleaner, named, label, report)
        if new is not None:
            clean.isetitem(i, new.array)
    clean.index = _index(frame.index, cleaner, report)
    clean.columns = _labels(frame.columns, cleaner, report)
    return Redaction(clean, report)


def _named(label: object, cleaner: _Cleaner) -> str | None:
    kind = kind_of_column(label)
    return kind if kind in cleaner.kinds else None


def _series(
    series: pd.Series[Any], cleaner: _Cleaner, named: str | None, label: str, report: list[Finding]
) -> pd.Series[Any] | None:
    """Return the cleaned column, or None when nothing in it had to change."""
    import pandas as pd

    kind = series.dtype.kind
    if not named and kind in "iu":
        return _integers(series, cleaner, label, report)
    if not named and kind in "fbmMc":
        return None

    def change(value: Any) -> Any:
        return cleaner.whole(named, value) if named else cleaner.cell(value)

    memo: dict[Any, tuple[Any, Counter[str]]] = {}
    out: list[Any] = []
    cells: Counter[str] = Counter()
    values: Counter[str] = Counter()
    for value, missing in zip(series, series.isna(), strict=True):
        if missing:
            out.append(value)
            continue
        memo_key = (type(value), value) if isinstance(value, (str, int, float)) else None
        if memo_key is None or memo_key not in memo:
            cleaner.found = Counter()
            result = (change(value), cleaner.found)
            if memo_key is not None:
                memo[memo_key] = result
        else:
            result = memo[memo_key]
        out.append(result[0])
        cells.update(result[1].keys())
        values.update(result[1])
    if not cells:
        return None
    how = "name" if named else "pattern"
    report += [Finding(label, k, how, cells[k], values[k]) for k in sorted(cells)]
    plain = all(isinstance(v, str) for v, m in zip(out, series.isna(), strict=True) if not m)
    return pd.Series(out, index=series.index, name=series.name, dtype="str" if plain else object)


def _integers(
    series: pd.Series[Any], cleaner: _Cleaner, label: str, report: list[Finding]
) -> pd.Series[Any] | None:
    """Bare integers can only be recognised as payment cards: any nine digits could be an SSN."""
    import pandas as pd

    if "card" not in cleaner.kinds or not bool((series > 10**12).any()):
        return None
    hits = [not m and is_card(digits(str(v))) for v, m in zip(series, series.isna(), strict=True)]
    if not any(hits):
        return None
    report.append(Finding(label, "card", "pattern", sum(hits), sum(hits)))
    values = [cleaner.whole("card", v) if hit else v for v, hit in zip(series, hits, strict=True)]
    return pd.Series(values, index=series.index, name=series.name, dtype=object)


def _index(index: pd.Index[Any], cleaner: _Cleaner, report: list[Finding]) -> pd.Index[Any]:
    import pandas as pd

    if isinstance(index, pd.MultiIndex):
        frame = _frame(index.to_frame(index=False, allow_duplicates=True), cleaner, {}, set())
        if not frame.report:
            return index
        report += frame.report
        return pd.MultiIndex.from_frame(frame.data, names=index.names)
    flat, label = pd.Series(index), "(index)" if index.name is None else str(index.name)
    new = _series(flat, cleaner, _named(index.name, cleaner), label, report)
    return index if new is None else pd.Index(new.array, name=index.name)


def _labels(columns: pd.Index[Any], cleaner: _Cleaner, report: list[Finding]) -> pd.Index[Any]:
    import pandas as pd

    cleaner.found = Counter()
    new = [cleaner.cell(c) for c in columns]
    if not cleaner.found:
        return columns
    report += [Finding("(column labels)", k, "pattern", n, n) for k, n in sorted(cleaner.found.items())]
    if isinstance(columns, pd.MultiIndex):
        return pd.MultiIndex.from_tuples(new, names=columns.names)
    labels: pd.Index[Any] = pd.Index(new, name=columns.name)
    return labels
