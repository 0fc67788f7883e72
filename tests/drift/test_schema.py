"""Changes of the schema: what is grave, what is told, and that chance alone is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports import HOSTILE

from aios_workbench.drift.schema import Facts, Table, alike, apart, changes
from aios_workbench.drift.tables import CountTable, Grid, NumberTable

ROWS = 5000


def draw(seed: int, mean: float = 0.0, rows: int = ROWS) -> NumberTable:
    return NumberTable.of(np.random.default_rng(seed).normal(mean, 1, rows))


def counts(values: dict[str, int], nulls: int = 0) -> CountTable:
    order = sorted(values, key=lambda v: -values[v])
    return CountTable(
        tuple(order), np.array([values[v] for v in order], np.int64), nulls, distinct=len(values)
    )


def number(table: NumberTable | None = None, kind: str = "DOUBLE") -> Facts:
    return Facts(kind, "numeric", table)


def category(table: Table | None = None) -> Facts:
    return Facts("VARCHAR", "categorical", table)


def one(a: Facts, b: Facts, rows: tuple[int, int] = (ROWS, ROWS)) -> list[tuple[str, bool]]:
    return [(c.change, c.grave) for c in changes({"x": a}, {"x": b}, rows)]


@pytest.mark.parametrize(("was", "now", "grave"), [
    ("INTEGER", "BIGINT", False), ("BIGINT", "DOUBLE", False), ("DECIMAL(10,2)", "DOUBLE", False),
    ("DATE", "TIMESTAMP", False), ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", False), ("ENUM('a')", "VARCHAR", False),
    ("BIGINT", "VARCHAR", True), ("VARCHAR", "DOUBLE", True), ("TIMESTAMP", "VARCHAR", True),
    ("BOOLEAN", "INTEGER", True), ("DOUBLE", "DOUBLE[]", True), ("TIME", "TIMESTAMP", True),
])  # fmt: skip
def test_a_type_is_grave_when_code_would_fail(was: str, now: str, grave: bool) -> None:
    assert one(number(kind=was), number(kind=now)) == [("type", grave)]


def test_missing_is_grave_new_is_not_and_graves_come_first() -> None:
    found = changes({"a": number(), "b": number()}, {"b": number(kind="VARCHAR"), "c": category()}, (9, 9))
    assert [(c.column, c.change, c.grave) for c in found] == [
        ("a", "missing", True), ("b", "type", True), ("c", "new", False),
    ]  # fmt: skip
    assert found[0].words == "a is missing"


def test_a_column_that_differs_only_in_case_is_told() -> None:
    found = changes({"Zip": category()}, {"zip": category()}, (9, 9))
    assert [c.words for c in found if c.change == "missing"] == [
        "Zip is missing; zip differs from it only in case"
    ]


def test_no_rows_at_all_is_the_one_thing_told() -> None:
    found = changes({"a": number(draw(0))}, {"a": number()}, (ROWS, 0))
    assert [(c.column, c.change, c.grave) for c in found] == [("", "empty", True)]


# ---------------------------------------------------------------- renamed


def test_a_renamed_column_is_known_by_name_and_values() -> None:
    reference = {
        "income": number(draw(1)),
        "age": number(draw(2, 40)),
        "city": category(counts({"A": 9, "B": 5})),
    }
    current = {
        "annual_income": number(draw(3)),
        "age": number(draw(4, 40)),
        "City": category(counts({"A": 8, "B": 6})),
    }
    found = changes(reference, current, (ROWS, ROWS))
    assert {(c.column, c.change, c.current, c.grave) for c in found} == {
        ("income", "renamed", "annual_income", True), ("city", "renamed", "City", True),
    }  # fmt: skip


@pytest.mark.parametrize(("name", "table"), [
    ("annual_income", draw(3, 2.0)),  # a like name, other values
    ("postcode", draw(3)),  # the same values, another name
    ("income_text", counts({"A": 3})),  # another type
])  # fmt: skip
def test_half_alike_is_not_renamed(name: str, table: Table) -> None:
    now = number(table) if isinstance(table, NumberTable) else category(table)
    assert [c.change for c in changes({"income": number(draw(1))}, {name: now}, (ROWS, ROWS))] == [
        "missing",
        "new",
    ]


def test_of_two_that_fit_the_more_alike_is_it() -> None:
    now = {"income_eur": number(draw(2)), "incomes": number(draw(3))}
    found = changes({"income": number(draw(1))}, now, (ROWS, ROWS))
    assert [(c.change, c.current) for c in found if c.change == "renamed"] == [("renamed", "incomes")]
    assert [c.column for c in found if c.change == "new"] == ["income_eur"]


def test_counts_in_cells_of_different_grids_are_compared_too() -> None:
    one = draw(1).on_grid(Grid(0.0, 1.0))
    for mean, near in ((0.0, True), (1.0, False)):
        distance = apart(one, draw(2, mean).on_grid(Grid(5.0, 3.0)))
        assert distance is not None
        assert (distance <= 1) == near


@given(st.sampled_from(HOSTILE), st.sampled_from(HOSTILE))
def test_likeness_of_names_is_symmetric_and_whole(a: str, b: str) -> None:
    assert 0 <= alike(a, b) <= 1
    assert alike(a, b) == pytest.approx(alike(b, a), abs=0.25)  # difflib looks for blocks from the left


# ---------------------------------------------------------------- values


def test_a_jump_of_nulls_is_told() -> None:
    values = np.random.default_rng(0).normal(size=ROWS)
    holes = values.copy()
    holes[: ROWS // 10] = np.nan
    assert one(number(NumberTable.of(values)), number(NumberTable.of(holes))) == [("nulls", False)]
    assert one(number(NumberTable.of(holes)), number(NumberTable.of(holes[::-1].copy()))) == []


def test_a_column_that_became_empty_is_grave_unless_it_nearly_was() -> None:
    empty = NumberTable.of(np.full(ROWS, np.nan))
    assert one(number(draw(0)), number(empty)) == [("empty", True)]
    assert one(number(empty), number(empty)) == []
    nearly = NumberTable.of(np.concatenate([np.full(ROWS - 1, np.nan), [1.0]]))
    assert one(number(nearly), number(NumberTable.of(np.full(5, np.nan))), (ROWS, 5)) == [("empty", False)]


def test_values_beyond_the_range_are_told() -> None:
    far = np.random.default_rng(1).normal(size=ROWS)
    far[:20] = 50.0
    assert one(number(draw(0)), number(NumberTable.of(far))) == [("range", False)]


def test_a_column_that_became_constant_is_told() -> None:
    assert ("constant", False) in one(number(draw(0)), number(NumberTable.of(np.zeros(ROWS))))
    both = counts({"A": 2000, "B": 3000}), counts({"A": ROWS})
    assert ("constant", False) in one(category(both[0]), category(both[1]))
    assert one(category(counts({"A": ROWS})), category(both[1])) == []


def test_new_and_gone_values_are_told_with_their_share() -> None:
    found = changes(
        {"x": category(counts({"A": 2500, "B": 2500}))}, {"x": category(counts({"A": 4500, "<b>": 500}))},
        (ROWS, ROWS),
    )  # fmt: skip
    assert [(c.change, c.words) for c in found] == [
        ("new_categories", "x has 1 value ('<b>') that it never had, in 10 % of rows"),
        ("gone_categories", "x has lost 1 value ('B'), once in 50 % of rows"),
    ]  # fmt: skip


def test_twice_as_many_different_values_are_told() -> None:
    few, many = counts({str(i): 100 for i in range(20)}), counts({str(i): 20 for i in range(100)})
    assert "cardinality" in [c for c, _ in one(category(few), category(many), (2000, 2000))]


def test_duplicates_of_what_was_unique_are_told() -> None:
    a, b = Facts("BIGINT", "id", None, 100), Facts("BIGINT", "id", None, 90)
    found = changes({"id": a}, {"id": b}, (100, 100))
    assert [(c.change, c.words) for c in found] == [("duplicates", "id has 10 duplicates; it had none")]
    assert changes({"id": b}, {"id": b}, (100, 100)) == []


@pytest.mark.parametrize("sizes", [(100, 100), (1000, 300), (300, 5000), (2000, 2000)])
def test_chance_alone_changes_no_schema(sizes: tuple[int, int]) -> None:
    """Heavy tails, rare values, nulls, nearly constant: of one source, drawn twice, 150 times."""
    r = np.random.default_rng(5)
    zipf = 1 / np.arange(1, 501)
    zipf /= zipf.sum()
    told = 0
    for _ in range(150):
        sides = []
        for n in sizes:
            heavy, holes = r.standard_cauchy(n), np.where(r.random(n) < 0.3, np.nan, r.normal(size=n))
            rare = np.unique(r.choice(500, n, p=zipf), return_counts=True)
            flags = np.unique(r.random(n) < 0.01, return_counts=True)
            sides.append({
                "heavy": number(NumberTable.of(heavy)), "holes": number(NumberTable.of(holes)),
                "rare": category(counts({str(v): int(k) for v, k in zip(*rare, strict=True)})),
                "flag": category(counts({str(v): int(k) for v, k in zip(*flags, strict=True)})),
            })  # fmt: skip
        found = changes(sides[0], sides[1], sizes)
        assert not any(c.grave for c in found)
        told += bool(found)
    assert told <= 4  # of 150; each of some twenty questions is asked at p = .001


def test_hostile_names_are_told_on_one_line() -> None:
    reference = {n: number(draw(1, rows=50)) for n in HOSTILE}
    found = changes(reference, {}, (50, 50))
    assert [c.column for c in found] == HOSTILE
    assert all(c.words.isprintable() for c in found)
