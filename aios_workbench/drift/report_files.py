"""Reports as files, and what leaves a report before it is stored.

A file is JSON with a format, a version and the SHA-256 of what it holds; it takes its name's place in one step. No
number that JSON does not know is in it: infinities and NaN are written as text, which reads back as the number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aios_workbench._util import plain, sealed, strict, write_whole
from aios_workbench.drift.models import (
    LEVELS,
    Categories,
    Category,
    ColumnDrift,
    Histogram,
    ReportData,
    SchemaChange,
    Side,
)
from aios_workbench.drift.summary import shown
from aios_workbench.errors import CorruptProfileError, DriftError, NotFoundError

FORMAT, VERSION = "aios-drift-report", 1
#: A value that fewer rows have is not written unless asked for.
FEW = 10
_LARGEST = 1 << 30


def write_text(path: Path, text: str) -> None:
    """Put a text in a file's place in one step: whoever looks finds the old one whole or the new one whole.

    Raises
    ------
    DriftError
        When it cannot be written; what was there before is as it was.
    """
    write_whole(path, text, DriftError)


def dumps(data: ReportData) -> str:
    """Return a report as the text of a file."""
    content = plain(data.model_dump(mode="json"))
    head = {"format": FORMAT, "version": VERSION, "sha256": sealed(content)}
    return strict({**head, "report": content}) + "\n"


def loads(text: str, where: str) -> ReportData:
    """Read what `dumps` wrote.

    Raises
    ------
    CorruptProfileError
        When it is something else, damaged, or of a newer version.
    """
    content = opened(text, where, FORMAT, VERSION, "report", "report.save(path)")
    try:
        return ReportData.model_validate(content)
    except ValueError as e:
        raise CorruptProfileError(f"{where} holds no drift report ({_first(e)}); save it again") from e


def opened(text: str, where: str, kind: str, version: int, part: str, remedy: str) -> Any:
    """Return the checked content of a file of ours.

    Raises
    ------
    CorruptProfileError
        When it is something else, damaged, or of a newer version.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise CorruptProfileError(
            f"{where} is no JSON ({e}); it is damaged or another file. Make it again with {remedy}"
        ) from e
    if not isinstance(found, dict) or found.get("format") != kind:
        raise CorruptProfileError(f"{where} is not a file of format {kind}; such files come from {remedy}")
    if found.get("version") != version:
        raise CorruptProfileError(
            f"{where} has version {found.get('version')!r} of its format, this aios-workbench reads {version}; upgrade "
            "aios-workbench, or make it again"
        )
    if part not in found or sealed(found[part]) != found.get("sha256"):
        raise CorruptProfileError(
            f"{where} was changed or cut short after it was written: its checksum is wrong. It is not read; make it "
            f"again with {remedy}"
        )
    return found[part]


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises
    ------
    NotFoundError
        When it is not there.
    CorruptProfileError
        When it is no text, or larger than any file of ours.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise CorruptProfileError(f"{path} is larger than any report or profile; it is not read")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as e:
        raise NotFoundError(f"there is no file {path}; check the path") from e
    except UnicodeDecodeError as e:
        raise CorruptProfileError(f"{path} is no text; it is damaged or another file") from e
    except OSError as e:
        raise CorruptProfileError(f"{path} cannot be read: {e.strerror or e}") from e


def _first(e: ValueError) -> str:
    return str(e).splitlines()[0][:200]


# -- what leaves a report before it is stored


def without_raw(data: ReportData) -> ReportData:
    """Return a report without raw values.

    Gone are labels that fewer than 10 rows have on both sides (they are in the rest), smallest and largest values,
    quantiles with fewer than 10 rows beyond them, all labels of texts and ids, and times of day. What is left are
    counts and figures of many rows, names of columns and of windows.
    """
    if not data.raw:
        return data
    sides = {
        "reference": data.reference.model_copy(
            update={"first": _day(data.reference.first), "last": _day(data.reference.last)}
        ),
        "current": data.current.model_copy(
            update={"first": _day(data.current.first), "last": _day(data.current.last)}
        ),
    }
    changes = [_change(c) for c in data.schema_changes]
    words = dict(zip((c.words for c in data.schema_changes), (c.words for c in changes), strict=True))
    summary, reasons = data.summary, list(data.reasons)
    for before, after in words.items():
        if before != after:
            summary = summary.replace(before, after)
            reasons = [r.replace(before, after) for r in reasons]
    return data.model_copy(
        update={
            **sides, "columns": [_column(c) for c in data.columns], "schema_changes": changes,
            "summary": summary, "reasons": reasons, "raw": False,
        }
    )  # fmt: skip


def _day(moment: str | None) -> str | None:
    return None if moment is None else moment[:10]


def _column(c: ColumnDrift, *, hidden: bool = False) -> ColumnDrift:
    hidden = hidden or c.kind in ("text", "id", "embedding")
    rows = max(c.reference.rows if c.reference else 0, c.current.rows if c.current else 0)
    update: dict[str, Any] = {
        "reference": _side(c.reference), "current": _side(c.current),
        "parts": [_column(p, hidden=hidden) for p in c.parts],
        "windows": [w if w.rows >= FEW else w.model_copy(update={"median": None}) for w in c.windows],
    }  # fmt: skip
    if c.categories is not None:
        update["categories"] = _categories(c.categories, nothing=hidden)
    if c.histogram is not None:
        counts = c.reference.rows if c.reference else rows, c.current.rows if c.current else rows
        update["histogram"] = _histogram(c.histogram, counts)
    return c.model_copy(update=update)


def _side(side: Side | None) -> Side | None:
    if side is None:
        return None
    held = side.rows - side.nulls - side.infinite
    update: dict[str, Any] = {"minimum": None, "maximum": None, "quantiles": _quantiles(side.quantiles, held)}
    if held < FEW:
        update |= {"mean": None, "std": None, "quantiles": None}
    return side.model_copy(update=update)


def _quantiles(values: list[float] | None, rows: int) -> list[float] | None:
    """Return quantiles; those with fewer than 10 rows beyond become the nearest that have them."""
    if values is None or len(values) != len(LEVELS):
        return None
    fine = [i for i, level in enumerate(LEVELS) if rows * min(level, 1 - level) >= FEW]
    if not fine:
        return None
    return [values[min(max(i, fine[0]), fine[-1])] for i in range(len(LEVELS))]


def _categories(found: Categories, *, nothing: bool) -> Categories:
    kept, rest, lost = [], [0, 0], False
    for v in found.values:
        if v.rest or nothing or max(v.reference, v.current) < FEW:
            rest, lost = [rest[0] + v.reference, rest[1] + v.current], True
        else:
            kept.append(v)
    if lost:
        kept.append(Category(label="", reference=rest[0], current=rest[1], rest=True))
    return found.model_copy(update={"values": kept})


def _histogram(h: Histogram, rows: tuple[int, int]) -> Histogram:
    """Give bins at both ends to their neighbours until 10 rows are in the outermost, and blunt where those end."""
    reference, current, edges = list(h.reference), list(h.current), list(h.edges)
    atoms = [
        (a, p, q)
        for a, p, q in zip(h.atoms, h.reference_atoms, h.current_atoms, strict=True)
        if max(p * rows[0], q * rows[1]) >= FEW - 0.5
    ]
    for a, p, q in zip(h.atoms, h.reference_atoms, h.current_atoms, strict=True):
        if not any(a == kept for kept, _, _ in atoms) and len(edges) > 1:
            at = min(max(sum(a >= e for e in edges) - 1, 0), len(reference) - 1)
            reference[at] += p
            current[at] += q
    for end in (0, -1):
        beside = 1 if end == 0 else -2
        while len(reference) > 1 and max(reference[end] * rows[0], current[end] * rows[1]) < FEW - 0.5:
            reference[beside] += reference[end]
            current[beside] += current[end]
            del reference[end], current[end], edges[end]  # the outermost holds all that is beyond it, too
    if len(reference) == 1 and max(reference[0] * rows[0], current[0] * rows[1]) < FEW - 0.5:
        reference, current, edges = [], [], []
    return Histogram(
        edges=_blunt(edges), reference=reference, current=current, atoms=[a for a, _, _ in atoms],
        reference_atoms=[p for _, p, _ in atoms], current_atoms=[q for _, _, q in atoms],
    )  # fmt: skip


def _blunt(edges: Sequence[float]) -> list[float]:
    """Round the outermost edges outwards to one digit of the range: they may be a column's extremes."""
    if len(edges) < 2:
        return list(edges)
    low, high = edges[0], edges[-1]
    spread = high - low
    if not math.isfinite(spread) or spread <= 0:
        return list(edges)
    step = 10.0 ** math.floor(math.log10(spread) - 1)
    first, last = math.floor(low / step) * step, math.ceil(high / step) * step
    # an extreme that is itself round is moved as well, so that no reader can tell
    return [first - step, *edges[1:-1], last + step]


def _change(change: SchemaChange) -> SchemaChange:
    """Return a change of the schema without the values it names."""
    said = _WITHOUT_VALUES.get(change.change)
    if said is None:
        return change
    update = {"words": f"{shown(change.column)} {said}", "reference": None, "current": None}
    return change.model_copy(update=update)


_WITHOUT_VALUES = {
    "new_categories": "has values that are new",
    "gone_categories": "has lost values",
    "range": "has values beyond the reference's range",
}
