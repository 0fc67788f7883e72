from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aios_workbench.errors import ParameterError
from aios_workbench.promote import inject, kinds
from aios_workbench.promote.parameters import NotebookParameters, parse_assignments

CELL = """
from pathlib import Path
path: str = "claims.csv"   # a comment
limit = 5
rate = 0.1
flag = False
columns = ["a"]
when: date = date(2024, 1, 1)
out = Path("out")
mode: Literal["fast", "exact"] = "fast"
maybe: int | None = None
needed: Optional[str]
threshold: float = 1
negative = -3
nested: dict[str, list[datetime.date]] = {}
quoted: "list[int]" = []
"""


@pytest.fixture
def parameters(write: Callable[..., Path]) -> NotebookParameters:
    return NotebookParameters.of(write("p.ipynb", "print(limit)", parameters=CELL))


def test_names_types_and_defaults(parameters: NotebookParameters) -> None:
    assert {p.name: (p.type, p.default) for p in parameters} == {
        "path": ("str", "claims.csv"),
        "limit": ("int", 5),
        "rate": ("float", 0.1),
        "flag": ("bool", False),
        "columns": ("list", ["a"]),
        "when": ("date", "2024-01-01"),
        "out": ("Path", "out"),
        "mode": ("Literal['fast', 'exact']", "fast"),
        "maybe": ("int | None", None),
        "needed": ("Optional[str]", None),
        "threshold": ("float", 1.0),
        "negative": ("int", -3),
        "nested": ("dict[str, list[datetime.date]]", {}),
        "quoted": ("'list[int]'", []),
    }
    assert parameters.cell == 1
    assert not parameters.problems
    assert [p.name for p in parameters.missing({})] == ["needed"]
    assert {p.name: p.schema.get("type") for p in parameters}["limit"] == "integer"


@pytest.mark.parametrize(
    ("name", "given", "stored"),
    [
        ("path", "a=b.csv", "a=b.csv"),
        ("path", "5", "5"),
        ("limit", "7", 7),
        ("limit", 7.0, 7),
        ("rate", "1", 1.0),
        ("flag", "true", True),
        ("flag", "no", False),
        ("columns", '["b", 1]', ["b", 1]),
        ("when", "2024-02-29", "2024-02-29"),
        ("out", "/data/out", "/data/out"),
        ("mode", "exact", "exact"),
        ("maybe", "null", None),
        ("maybe", "3", 3),
        ("threshold", 2, 2.0),
        ("nested", '{"a": ["2024-01-01"]}', {"a": ["2024-01-01"]}),
        ("quoted", [1, 2], [1, 2]),
    ],
)
def test_values_are_made_to_fit(parameters: NotebookParameters, name: str, given: Any, stored: Any) -> None:
    assert parameters.coerce({name: given}) == {name: stored}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"lmit": 5}, "cell 1 has no parameter 'lmit'; did you mean 'limit'?"),
        ({"limit": "many"}, "parameter 'limit' (cell 1, line 4) must be int, not str 'many'"),
        ({"limit": 5.5}, "write limit: float = …"),
        ({"limit": True}, "true and false are not numbers"),
        ({"path": 5}, "'path' (cell 1, line 3) must be str, not int 5"),
        ({"rate": "nan"}, "finite"),
        ({"when": "yesterday"}, "must be date"),
        ({"mode": "slow"}, "'fast' or 'exact'"),
        ({"columns": "a,b"}, "must be list"),
        ({"nested": {"a": ["x"]}}, "a.0"),
    ],
)
def test_errors_say_which_where_and_what(
    parameters: NotebookParameters, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        parameters.coerce(given)
    assert says in str(caught.value)


def test_required(parameters: NotebookParameters) -> None:
    parameters.require({"needed": None})
    with pytest.raises(ParameterError, match=r"'needed' \(cell 1\) needs a value: give -p needed="):
        parameters.require({})


def test_no_parameters_cell(write: Callable[..., Path]) -> None:
    none = NotebookParameters.of(write("n.ipynb", "x = 1"))
    assert none.coerce({}) == {}
    with pytest.raises(
        ParameterError, match="takes no parameters, but 'x' was given: give one cell the tag 'parameters'"
    ):
        none.coerce({"x": 2})


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = compute()", "type of 'x' is not known: 'compute()' is computed"),
        ("x: pd.DataFrame = None", "type 'pd.DataFrame' of 'x' is not one a parameter can have"),
        ("x: int = 'five'", "the default of 'x' is not int"),
        ("x, y = 1, 2", "is not a parameter"),
        ("if True:\n    x = 1", "is not a parameter"),
        ("x = b'bytes'", "a bytes cannot be a parameter"),
    ],
)
def test_what_cannot_be_a_parameter(write: Callable[..., Path], source: str, says: str) -> None:
    problems = NotebookParameters.of(write("n.ipynb", parameters=source)).problems
    assert says in problems[0].message
    assert problems[0].cell == 1


def test_reading_types_runs_nothing(write: Callable[..., Path], tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    source = f"x: open({str(trap)!r}, 'w') = 1\ny: __import__('os').getcwd = 2\nz = open({str(trap)!r}, 'w')"
    found = NotebookParameters.of(write("n.ipynb", parameters=source))
    assert [p.type for p in found] == ["Any", "Any", "Any"]
    assert not trap.exists()


@pytest.mark.parametrize(
    "text", ["int", "Optional[int]", "list[str] | None", "Literal[1, 'a']", "typing.Dict[str, Any]"]
)
def test_plain_types_need_no_restoring(text: str) -> None:
    assert kinds.is_plain(text)


@pytest.mark.parametrize(
    ("text", "stored", "value"),
    [
        ("date", "2024-02-29", dt.date(2024, 2, 29)),
        ("Path", "a/b", Path("a/b")),
        ("list[date]", ["2024-02-29"], [dt.date(2024, 2, 29)]),
        ("tuple[int, ...]", [1, 2], (1, 2)),
        ("set", [1], {1}),
        ("int", 5, 5),
    ],
)
def test_restored_in_the_kernel(text: str, stored: Any, value: Any) -> None:
    assert kinds.restore(text, stored) == value


def test_apply_sets_only_known_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "params.json"
    monkeypatch.setenv("AIOS_PARAMETERS", str(file))
    hostile = "'; import os; os.abort() #\n<img onerror=alert(1)>"
    file.write_text(
        json.dumps(
            {
                "values": {"path": hostile, "day": "2024-02-29"},
                "types": {"path": "str", "day": "date", "n": "int"},
            }
        )
    )
    namespace: dict[str, Any] = {"path": "x", "day": None, "n": 5, "other": 1}
    inject.apply(namespace)
    assert namespace == {"path": hostile, "day": dt.date(2024, 2, 29), "n": 5, "other": 1}
    assert capsys.readouterr().out.splitlines() == [
        f"path = {hostile!r}", "day  = datetime.date(2024, 2, 29)", "n    = 5  (default)",
    ]  # fmt: skip
    file.write_text(json.dumps({"values": {"other": 2}, "types": {}}))
    with pytest.raises(ParameterError, match="other"):
        inject.apply(namespace)


def test_apply_without_a_job_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIOS_PARAMETERS", raising=False)
    namespace: dict[str, Any] = {"a": 1}
    inject.apply(namespace)
    assert namespace == {"a": 1}


def test_assignments() -> None:
    assert parse_assignments(["path=a=b.csv", " limit=5"]) == {"path": "a=b.csv", "limit": "5"}
    for bad in ("path", "=x", "a b=c"):
        with pytest.raises(ParameterError, match="is not name=value"):
            parse_assignments([bad])
