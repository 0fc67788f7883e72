"""`run["step"].table(…)` and `.profile()`: the shown code does the same, and nothing is loaded for it."""

from __future__ import annotations

import ast
from typing import Any

import pandas as pd
import pytest
from kit import PATIENCE

import aios_workbench as aios
from aios_workbench.errors import ConflictError, ParameterError
from aios_workbench.workspace.artifacts import ArtifactStore


@pytest.fixture
def run(wf: aios.Workflow) -> aios.Run:
    @wf.step
    def sales() -> Any:
        import pandas as pd

        return pd.DataFrame(
            {"state": ["NY", "CA", "NY", None], "-amount": [1.5, 2.5, 3.5, None], "a": [1, 2, 3, 4]}
        )

    @wf.step
    def fails(sales: Any) -> None:
        raise ValueError

    started = wf.run()
    started.wait(timeout=PATIENCE)
    return started


QUESTIONS: list[dict[str, Any]] = [
    {},
    {"sort": "-a", "limit": 2},
    {"sort": [("-amount", "desc"), "a"], "columns": ["-amount"]},
    {"sort": ("state", "asc"), "filters": [("state", "=", "NY"), ("a", "not_null")]},
    {"filters": [("state", "in", ["NY", "it's"]), ("-amount", "between", (None, 2))], "offset": 0},
    {"where": "state = 'NY' and a > 1", "offset": 0, "limit": 500},
    {"offset": 2, "limit": 5},
]


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_the_shown_code_and_sql_give_the_same_rows(
    run: aios.Run, monkeypatch: pytest.MonkeyPatch, question: dict[str, Any]
) -> None:
    def loaded(*_: Any) -> None:
        raise AssertionError("the value was loaded")

    monkeypatch.setattr(ArtifactStore, "get", loaded)
    view = run["sales"].table(**question)
    code = view.page.code
    assert ast.parse(code)
    again = eval(code, {"aios": aios})
    assert again.rows == view.rows
    assert again.page.code == code
    pd.testing.assert_frame_equal(again.to_frame(), view.to_frame())
    pd.testing.assert_frame_equal(run["sales"].sql(view.sql), view.to_frame(), check_dtype=False)


def test_views_say_what_they_hold(run: aios.Run) -> None:
    view = run["sales"].table(where="a > 1", limit=2)
    assert (len(view), view.columns, view.total, view.matched) == (2, ["state", "-amount", "a"], 4, 3)
    assert repr(view).splitlines()[:2] == [
        "<table: rows 1 to 2 of 3 that match, 4 in all>",
        "state  -amount  a",
    ]
    profile = run["sales"].profile()
    assert profile.to_frame().loc["a", "max"] == 4
    assert repr(profile).splitlines()[0] == "<profile: 4 rows, 3 columns, 0 duplicates>"
    assert eval(profile.profile.code, {"aios": aios}).profile.columns == profile.profile.columns
    assert run["sales"].preview(limit=1)["rows"] == [["NY", 1.5, 1]]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"sort": "b"}, "no column 'b'"),
        ({"filters": [("a", "==", 1)]}, r"filters.0.op"),
        ({"filters": ["a = 1"]}, r"a filter is \(column, operator, value\)"),
        ({"sort": [("a", "down")]}, "sort takes"),
        ({"limit": 0}, "limit"),
        ({"columns": []}, "at least one column"),
    ],
    ids=str,
)
def test_a_wrong_question_says_what_is_wrong(run: aios.Run, question: dict[str, Any], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        run["sales"].table(**question)


def test_a_step_without_output_has_no_table(run: aios.Run) -> None:
    for ask in (run["fails"].table, run["fails"].profile, run["fails"].preview):
        with pytest.raises(ConflictError, match="has no output"):
            ask()
