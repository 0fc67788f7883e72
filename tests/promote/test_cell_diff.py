"""Cells of two notebooks: which became which."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_workbench.promote.cell_diff import Piece, cell_changes


def cells(*given: str) -> list[Piece]:
    """Cells from "id:source"; without a colon there is no id."""
    made = []
    for number, text in enumerate(given, start=1):
        name, colon, source = text.partition(":")
        made.append(Piece(number, name if colon else None, "code", source if colon else text, ()))
    return made


def told(old: list[Piece], new: list[Piece]) -> list[tuple[str, int | None, int | None]]:
    return [(c["kind"], c["old"], c["new"]) for c in cell_changes(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (("a:x", "b:y"), ("a:x", "b:y"), []),
        (("a:x", "b:y"), ("a:x", "c:new", "b:y"), [("added", None, 2)]),
        (("a:x", "b:y", "c:z"), ("a:x", "c:z"), [("removed", 2, None)]),
        (("a:x", "b:y", "c:z"), ("c:z", "a:x", "b:y"), [("moved", 3, 1)]),
        (("a:x", "b:y", "c:z"), ("c:other", "a:x", "b:y2"), [("moved", 3, 1), ("changed", 2, 3)]),
        # ids drawn anew, as some tools do: the source tells
        (("a:x = 1", "b:y = 2"), ("p:x = 1", "q:y = 2"), []),
        # without ids, a changed cell is the one that looks like it
        (("import os", "total = sum(amounts)"), ("import os", "total = sum(prices)"), [("changed", 2, 2)]),
        (("x = 1", "x = 1"), ("x = 1",), [("removed", 2, None)]),
        # ids that are there twice name nothing
        (("a:x = 1", "a:y = 2"), ("a:y = 2", "a:x = 1"), [("moved", 2, 1)]),
        ((), ("a:x",), [("added", None, 1)]),
    ],
)  # fmt: skip
def test_what_became_of_the_cells(
    old: tuple[str, ...], new: tuple[str, ...], expected: list[tuple[str, int | None, int | None]]
) -> None:
    found = told(cells(*old), cells(*new))
    if expected and expected[0][0] == "moved" and len(expected) == 1 and len(old) == 2:
        assert [kind for kind, *_ in found] == ["moved"]  # of two that changed places either was moved
    else:
        assert found == expected


def test_a_moved_cell_says_what_else_changed_and_tags_count() -> None:
    (moved, *_) = cell_changes(cells("a:x", "b:y", "c:z = 1"), cells("c:z = 2", "a:x", "b:y"))
    assert moved["diff"].splitlines() == ["--- cell 3", "+++ cell 1", "@@ -1 +1 @@", "-z = 1", "+z = 2"]
    tagged = [Piece(1, "a", "code", "n = 1", ("parameters",))]
    (change,) = cell_changes(cells("a:n = 1"), tagged)
    assert change["kind"] == "changed"
    assert "+%% code tags: parameters" in change["diff"]


_SOURCES = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 3)), max_size=8, unique_by=lambda p: p[0]
)


@settings(max_examples=150, deadline=None)
@given(_SOURCES, _SOURCES)
def test_every_cell_is_accounted_for(old: list[tuple[str, int]], new: list[tuple[str, int]]) -> None:
    left, right = (cells(*(f"{name}:{name * 9} = {value}" for name, value in side)) for side in (old, new))
    found = told(left, right)
    names = {name for name, _ in old}, {name for name, _ in new}
    assert {o for k, o, _ in found if k == "removed"} == {c.number for c in left if c.id not in names[1]}
    assert {n for k, _, n in found if k == "added"} == {c.number for c in right if c.id not in names[0]}
    ids = {c.number: c.id for c in left}, {c.number: c.id for c in right}
    assert all(ids[0][o] == ids[1][n] for k, o, n in found if k in ("moved", "changed") and o and n)
    kept = [
        c.id for c in right if c.id in names[0] and c.number not in {n for k, _, n in found if k == "moved"}
    ]
    assert kept == [c.id for c in left if c.id in kept]  # what was not moved is in the order it had
    assert told(left, left) == []
