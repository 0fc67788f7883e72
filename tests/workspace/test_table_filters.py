"""Conditions on rows: every operator on every type, and what is said when one does not fit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from stored import BERLIN, FRAME, ask

from aios_workbench.errors import ParameterError
from aios_workbench.workspace import Workspace
from aios_workbench.workspace.sql import query_output


def picked(ws: Workspace, value: Any, column: str, op: str, given_: Any = None) -> list[int]:
    """Return the row numbers a filter leaves, and check that the SQL it names leaves as many."""
    artifact = ws.artifacts.put(value.assign(row=range(len(value))))
    page = ask(ws, artifact, filters=[{"column": column, "op": op, "value": given_}], columns=["row"])
    assert len(query_output(ws, artifact, page.sql)) == page.matched
    return [r[0] for r in page.rows]


FILTERS: list[tuple[str, str, Any, list[int]]] = [
    ("n", "=", 2, [2, 3]),
    ("n", "!=", 2, [0, 1]),
    ("n", "<", "2", [1]),
    ("n", ">=", 2.5, [0]),
    ("n", "in", [1, 3], [0, 1]),
    ("n", "in", [], []),
    ("n", "between", [2, 3], [0, 2, 3]),
    ("n", "between", [None, 1], [1]),
    ("n", "<=", 1e300, [0, 1, 2, 3]),
    ("n", ">", 2**200, []),
    ("n", "contains", "3", [0]),
    ("x", ">", 0, [0, 3]),
    ("x", "=", 0.1, [3]),
    ("x", "is_null", None, [1]),
    ("x", "not_null", None, [0, 2, 3]),
    ("x", "=", "-Infinity", [2]),
    ("x", "!=", 1.5, [2, 3]),
    ("x", "<", "inf", [0, 2, 3]),
    ("s", "=", "b", [0]),
    ("s", "!=", "b", [1, 3]),
    ("s", "contains", "a", [1, 3]),
    ("s", "contains", "%", [1]),
    ("s", "starts_with", "<IMG", [3]),
    ("s", "is_null", None, [2]),
    ("s", "in", ["b", "A%"], [0, 1]),
    ("s", "=", "' or 1=1 --", []),
    ("s", "contains", "\x00", []),
    ("s", ">", "a", [0]),
    ("t", ">=", "2026-01-01", [0, 1]),
    ("t", "=", "2026-06-30T22:00:00Z", [0]),
    ("t", "<", dt.datetime(2026, 1, 1, tzinfo=BERLIN), [3]),
    ("t", "between", ["2025-03-30T01:30:00+01:00", "2026-01-01"], [1, 3]),
    ("t", "contains", "2026-07-01 00", [0]),
    ("t", "=", 1_782_856_800.0, [0]),
    ("u", "=", "2026-07-01T12:00:00.500", [0]),
    ("u", ">", dt.date(2026, 6, 30), [0, 3]),
    ("u", "is_null", None, [1]),
    ("u", "<", 1_577_836_801, [2]),
    ("d", "=", "2026-01-02", [0]),
    ("d", "<=", "2026-01-01T12:00:00", [1, 3]),
    ("d", "starts_with", "2026", [0, 3]),
    ("m", "=", 1.1, [0]),
    ("m", "=", "2.20", [1]),
    ("m", ">", 0.1, [0, 1]),
    ("b", "=", True, [0, 2, 3]),
    ("b", "=", "false", [1]),
    ("o", "!=", True, [2]),
    ("o", "is_null", None, [1]),
    ("c", "=", "x", [0, 3]),
    ("c", "is_null", None, [2]),
    ("c", "in", ["y"], [1]),
    ("big", "=", str(2**53 + 1), [2]),
    ("big", "=", 2**62, [0]),
    ("f", "=", 0.1, [0, 3]),
    ("f", "=", float(np.float32(0.3)), [2]),
]


@pytest.mark.parametrize(("column", "op", "value", "rows"), FILTERS, ids=lambda v: str(v)[:30])
def test_each_operator_on_each_type(ws: Workspace, column: str, op: str, value: Any, rows: list[int]) -> None:
    assert picked(ws, FRAME, column, op, value) == rows


@pytest.mark.parametrize(
    ("column", "op", "value", "says"),
    [
        ("nn", "=", 1, "no column 'nn'; did you mean 'n'"),
        ("n", "=", "abc", "holds numbers, not 'abc'"),
        ("n", "=", None, "use is_null"),
        ("t", "<", "soon", "holds times such as 2026-01-31"),
        ("o", "=", "perhaps", "true or false"),
        ("n", "in", 3, "a list of values"),
        ("n", "between", [1], "two values"),
        ("n", "between", [None, None], "two values"),
        ("s", "contains", None, "takes text"),
        ("s", "=", "\ud800", "surrogate"),
        ("u", "<", 1e300, "holds times"),
        ("n", "=", [1], "holds numbers"),
        ("n", "=", {"a": 1}, "holds numbers"),
    ],
)
def test_a_filter_that_does_not_fit_says_so(
    ws: Workspace, column: str, op: str, value: Any, says: str
) -> None:
    with pytest.raises(ParameterError, match=says):
        ask(ws, FRAME, filters=[{"column": column, "op": op, "value": value}])
