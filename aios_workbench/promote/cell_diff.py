"""What differs between the cells of two notebooks: added, removed, changed, moved, each with a unified diff."""

from __future__ import annotations

import bisect
import difflib
import json
from dataclasses import dataclass
from typing import Any

#: Cells compared for likeness; beyond that, those without a common id or source are taken as new.
_PAIRS = 40_000
_ALIKE = 0.6
_DIFF_LINES = 20_000


@dataclass(frozen=True)
class Piece:
    """A cell as it is compared.

    Attributes
    ----------
    number : int
        Counted from 1, among all cells.
    """

    number: int
    id: str | None
    kind: str
    source: str
    tags: tuple[str, ...]

    @property
    def content(self) -> tuple[str, str, tuple[str, ...]]:
        """What must be equal for the cell to be the same."""
        return self.kind, self.source, self.tags


def pieces(notebook: bytes) -> list[Piece]:
    """Return the cells of a notebook file as a bundle holds it."""
    found = []
    for number, cell in enumerate(json.loads(notebook).get("cells", ()), start=1):
        source, tags = cell.get("source", ""), cell.get("metadata", {}).get("tags", ())
        text = source if isinstance(source, str) else "".join(source)
        tags = tuple(map(str, tags)) if isinstance(tags, list) else ()
        found.append(Piece(number, cell.get("id"), str(cell.get("cell_type")), text, tags))
    return found


def cell_changes(old: list[Piece], new: list[Piece]) -> list[dict[str, Any]]:
    """Return what became of the cells, in the order of the new notebook; removed ones stand where they stood.

    Cells are the same by id; without, by their source; what is left, by likeness. One that was moved past others and
    changed as well is "moved", with its diff.

    Returns
    -------
    list of dict
        `kind` ("added", "removed", "changed", "moved"), `old` and `new` (numbers counted from 1, or None), `diff`.

    Examples
    --------
    >>> a, b = Piece(1, "a", "code", "x = 1", ()), Piece(2, "b", "code", "y = 1", ())
    >>> [c["kind"] for c in cell_changes([a, b], [Piece(1, "a", "code", "x = 2", ())])]
    ['changed', 'removed']
    """
    pairs = _paired(old, new)
    back = {n: o for o, n in pairs.items()}
    stays = _in_order([pairs[o] for o in sorted(pairs)])
    found: list[tuple[float, dict[str, Any]]] = []
    for n, cell in enumerate(new):
        before = old[back[n]] if n in back else None
        kind = _kind(before, cell, moved=before is not None and n not in stays)
        if kind is not None:
            found.append((n, _change(kind, before, cell)))
    for o, cell in enumerate(old):
        if o not in pairs:
            after = max((pairs[p] for p in range(o) if p in pairs and pairs[p] in stays), default=-1)
            found.append((after + 0.5 + o / (10 * len(old)), _change("removed", cell, None)))
    return [change for _, change in sorted(found, key=lambda f: f[0])]


def _kind(before: Piece | None, cell: Piece, *, moved: bool) -> str | None:
    if before is None:
        return "added"
    if moved:
        return "moved"
    return "changed" if before.content != cell.content else None


def _paired(old: list[Piece], new: list[Piece]) -> dict[int, int]:
    """Return which cell became which, by their places."""
    pairs: dict[int, int] = {}
    ids = {c.id: n for n, c in enumerate(new) if c.id}
    pairs.update({o: ids[c.id] for o, c in enumerate(old) if c.id in ids})
    if len(set(pairs.values())) < len(pairs):
        pairs = {}  # ids that are there twice name nothing
    left, right = _rest(old, new, pairs)
    match = difflib.SequenceMatcher(
        None, [old[o].content for o in left], [new[n].content for n in right], autojunk=False
    )
    for block in match.get_matching_blocks():
        pairs.update({left[block.a + i]: right[block.b + i] for i in range(block.size)})
    left, right = _rest(old, new, pairs)
    free: dict[Any, list[int]] = {}
    for n in reversed(right):
        free.setdefault(new[n].content, []).append(n)
    for o in left:
        if places := free.get(old[o].content):
            pairs[o] = places.pop()
    left, right = _rest(old, new, pairs)
    if len(left) * len(right) <= _PAIRS:
        pairs.update(_alike([(o, old[o]) for o in left], [(n, new[n]) for n in right]))
    return pairs


def _rest(old: list[Piece], new: list[Piece], pairs: dict[int, int]) -> tuple[list[int], list[int]]:
    taken = set(pairs.values())
    return [o for o in range(len(old)) if o not in pairs], [n for n in range(len(new)) if n not in taken]


def _alike(left: list[tuple[int, Piece]], right: list[tuple[int, Piece]]) -> dict[int, int]:
    """Pair what looks alike, the most alike first; cells with ids that differ were told apart by their author."""
    scored = []
    for o, before in left:
        for n, after in right:
            if before.kind != after.kind or (before.id and after.id and not _made_up(before, after)):
                continue
            match = difflib.SequenceMatcher(None, before.source[:2000], after.source[:2000], autojunk=False)
            if match.real_quick_ratio() >= _ALIKE and match.quick_ratio() >= _ALIKE:
                scored.append((match.ratio(), o, n))
    pairs: dict[int, int] = {}
    for ratio, o, n in sorted(scored, key=lambda s: (-s[0], s[1], s[2])):
        if ratio >= _ALIKE and o not in pairs and n not in pairs.values():
            pairs[o] = n
    return pairs


def _made_up(*cells: Piece) -> bool:
    """True for ids that a promotion gave because the file had none: see `bundle.frozen_notebook`."""
    return any((c.id or "").startswith("cell-") for c in cells)


def _in_order(places: list[int]) -> set[int]:
    """Return the places of the longest run of cells that kept their order: the others were moved."""
    tails: list[int] = []
    at: list[int] = []
    before: dict[int, int | None] = {}
    for i, place in enumerate(places):
        k = bisect.bisect_left(tails, place)
        tails[k : k + 1], at[k : k + 1] = [place], [i]
        before[i] = at[k - 1] if k else None
    kept: set[int] = set()
    i_: int | None = at[-1] if at else None
    while i_ is not None:
        kept.add(places[i_])
        i_ = before[i_]
    return kept


def _change(kind: str, before: Piece | None, after: Piece | None) -> dict[str, Any]:
    return {
        "kind": kind, "old": before.number if before else None, "new": after.number if after else None,
        "diff": unified(_text(before, after), _text(after, before), _title(before), _title(after)),
    }  # fmt: skip


def _title(cell: Piece | None) -> str:
    return f"cell {cell.number}" if cell else "(none)"


def _text(cell: Piece | None, other: Piece | None) -> str:
    """Return the source, with type and tags on a line above it where those differ."""
    if cell is None:
        return ""
    same = other is None or (cell.kind, cell.tags) == (other.kind, other.tags)
    head = "" if same else f"%% {cell.kind}" + (f" tags: {', '.join(cell.tags)}" if cell.tags else "") + "\n"
    return head + cell.source


def unified(old: str, new: str, old_title: str, new_title: str) -> str:
    """Return a unified diff; empty for equal texts."""
    a, b = old.split("\n") if old else [], new.split("\n") if new else []
    if len(a) + len(b) > _DIFF_LINES:
        return f"({len(a):,} lines before, {len(b):,} now: too many to compare)" if a != b else ""
    return "\n".join(difflib.unified_diff(a, b, old_title, new_title, lineterm=""))
