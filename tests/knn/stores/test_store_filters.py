"""Any filter means the same: in SQL, and in what the other systems are sent."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peers import pinecone as pinecone_peer
from peers import weaviate as weaviate_peer

from aios_workbench.errors import ParameterError
from aios_workbench.knn.stores import filters, pinecone, qdrant, weaviate

ROWS: list[dict[str, Any]] = [
    {"n": n, "x": x, "t": t, "b": b}
    for n in (None, -1, 0, 2)
    for x in (None, 0.5)
    for t in (None, "", "a'b", "B")
    for b in (None, True, False)
]
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "n": st.sampled_from([-1, 0, 1, 2]),
    "x": st.sampled_from([0.5, 1, -2.5]),
    "t": st.sampled_from(["", "a'b", "B", "zz"]),
    "b": st.booleans(),
}


@st.composite
def leaf(draw: st.DrawFn) -> str:
    column = draw(st.sampled_from(list(COLUMNS)))
    value = lambda: filters.literal(draw(COLUMNS[column]))  # noqa: E731
    kinds = (
        ["compare", "in", "null"]
        if column in "nx"
        else ["equal", "null"]
        if column == "b"
        else ["equal", "in", "null"]
    )
    no = draw(st.sampled_from(["", "NOT "]))
    match draw(st.sampled_from(kinds)):
        case "compare":
            operators = ["=", "!=", "<>", "<", "<=", ">", ">=", "between", "mirrored"]
            match draw(st.sampled_from(operators)):
                case "between":
                    return f"{column} {no}BETWEEN {value()} AND {value()}"
                case "mirrored":
                    return f"{value()} < {column}"
                case operator:
                    return f"{column} {operator} {value()}"
        case "equal":
            return f'"{column}" {draw(st.sampled_from(["=", "!="]))} {value()}'
        case "in":
            return f"{column} {no}IN ({', '.join(value() for _ in range(draw(st.integers(1, 3))))})"
        case _:
            return f"{column} IS {no}NULL"


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    both = st.tuples(parts, st.sampled_from(["AND", "or", "Or"]), parts)
    return st.one_of(both.map(lambda p: f"({p[0]}) {p[1]} {p[2]}"), parts.map(lambda p: f"NOT ({p})"))


TEXTS = st.recursive(leaf(), joined, max_leaves=6)


@pytest.fixture(scope="module")
def asked() -> Any:
    db = duckdb.connect()
    db.execute("CREATE TABLE r (i INTEGER, n BIGINT, x DOUBLE, t VARCHAR, b BOOLEAN)")
    db.executemany("INSERT INTO r VALUES (?, ?, ?, ?, ?)", [[i, *row.values()] for i, row in enumerate(ROWS)])
    return lambda text: {row[0] for row in db.execute(f"SELECT i FROM r WHERE {text}").fetchall()}


quick = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(text=TEXTS)
def test_the_sql_we_write_is_the_sql_we_read(asked: Any, text: str) -> None:
    assert asked(filters.sql(filters.parse(text))) == asked(text)


@quick
@given(text=TEXTS)
def test_pinecone_is_sent_the_same(asked: Any, text: str) -> None:
    condition = pinecone._condition(object.__new__(pinecone.PineconeStore), filters.parse(text))
    rows = [{k: v for k, v in row.items() if v is not None} for row in ROWS]
    assert {i for i, row in enumerate(rows) if pinecone_peer.holds(condition, row)} == asked(text)


@quick
@given(text=TEXTS)
def test_weaviate_is_sent_the_same(asked: Any, text: str) -> None:
    condition = weaviate._condition(object.__new__(weaviate.WeaviateStore), filters.parse(text))
    types = {"n": "number", "x": "number", "t": "text", "b": "boolean"}
    rows = [{"properties": {k: v for k, v in row.items() if v is not None}} for row in ROWS]
    assert {i for i, row in enumerate(rows) if weaviate_peer.holds(condition, row, types)} == asked(text)


@quick
@given(text=TEXTS)
def test_qdrants_own_code_finds_the_same(asked: Any, text: str) -> None:
    """The condition is read by Qdrant's models and applied by its client's local mode."""
    from qdrant_client.http import models
    from qdrant_client.local.payload_filters import check_filter

    condition = qdrant._filter(object.__new__(qdrant.QdrantStore), filters.parse(text))
    read = models.Filter.model_validate(condition)
    rows = [{k: v for k, v in row.items() if v is not None} for row in ROWS]
    assert {i for i, row in enumerate(rows) if check_filter(read, row, i, {})} == asked(text)


@given(text=st.text(alphabet="abn01.'\"()=<>! ,-_%\\;NOTANDINLIKEISULBETWEEN", max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        node = filters.parse(text)
    except ParameterError:
        return
    assert filters.parse(filters.sql(node)) == node


def test_a_number_beyond_floats_is_refused() -> None:
    for text in ("n < 1e999", "n = " + "9" * 400):
        with pytest.raises(ParameterError, match="too large"):
            filters.parse(text)
