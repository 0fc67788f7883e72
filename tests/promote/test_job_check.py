from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aios_workbench.errors import JobError
from aios_workbench.promote.checks import check, require
from aios_workbench.promote.spec import JobSpec

Write = Callable[..., Path]


def found(path: Path, **options: Any) -> list[tuple[str, str, int | None, int | None]]:
    spec = JobSpec(name="n", notebook=str(path), **options)
    return [(f.severity, f.code, f.cell, f.line) for f in check(path, spec) if f.severity != "note"]


def test_a_good_notebook(write: Write) -> None:
    path = write(
        "good.ipynb", "%matplotlib inline\n!ls\nx = !pwd", "%%bash\necho hi",
        "async def f(): return n\nawait f()", "x?", parameters="n: int = 1",
        kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"},
    )  # fmt: skip
    assert found(path, parameters={"n": "3"}, schedule="0 6 * * *", timezone="Europe/Berlin") == []


@pytest.mark.parametrize(
    ("sources", "options", "expected"),
    [
        (["x = 1", "def f(:\n  pass"], {}, ("error", "syntax", 3, 1)),
        (["x = (1,\n", "y = 1"], {}, ("error", "syntax", 2, 1)),
        (["p = '/home/ada/claims.csv'"], {}, ("warning", "absolute-path", 2, 1)),
        (["y = 1\np = 'C:\\\\data\\\\x.csv'"], {}, ("warning", "absolute-path", 2, 2)),
        (["name = input('who?')"], {}, ("error", "interactive", 2, 1)),
        (["x = 1"], {"parameters": {"m": 1}}, ("error", "parameters", 1, None)),
        (["x = 1"], {"parameters": {"n": "many"}}, ("error", "parameters", 1, None)),
        (["x = 1"], {"schedule": "0 0 */30 2 1#2"}, ("error", "schedule", None, None)),
    ],
)
def test_findings(
    write: Write, sources: list[str], options: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert found(write("n.ipynb", *sources, "n", parameters="n: int = 1"), **options) == [expected]


def test_urls_and_plain_text_are_no_paths(write: Write) -> None:
    assert found(write("n.ipynb", "a = ['https://x.org/home/a', '/', 'and/or', '/api/v1', 'a/home/b']")) == []


def test_required_parameter(write: Write) -> None:
    path = write("n.ipynb", "x = path", parameters="path: str")
    assert found(path) == [("error", "parameters", 1, 1)]
    assert found(path, parameters={"path": "x"}) == []


def test_a_second_parameters_cell_is_named(write: Write) -> None:
    path = write("n.ipynb", "x = n", parameters="n = 1")
    book = json.loads(path.read_text())
    book["cells"][1]["metadata"]["tags"] = ["parameters"]
    path.write_text(json.dumps(book))
    assert found(path) == [("warning", "parameters-cell", 2, 1)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a valid notebook"),
        ("{}", "not a valid notebook"),
        ('{"cells": 1, "nbformat": 4, "nbformat_minor": 5}', "not a valid"),
    ],
)
def test_not_a_notebook(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    findings = check(path)
    assert [f.code for f in findings] == ["unreadable"]
    assert says in findings[0].message


def test_missing_binary_and_empty(tmp_path: Path, write: Write) -> None:
    assert check(tmp_path / "none.ipynb")[0].code == "unreadable"
    (tmp_path / "b.ipynb").write_bytes(b"\xff\xfe\x00")
    assert check(tmp_path / "b.ipynb")[0].code == "unreadable"
    assert [f.code for f in check(write("e.ipynb"))] == ["empty"]


def test_another_language(write: Write) -> None:
    path = write("r.ipynb", "x <- 1", kernelspec={"name": "ir", "display_name": "R", "language": "R"})
    assert found(path)[0][:2] == ("error", "kernel")


def test_a_finding_reads_as_a_sentence(write: Write) -> None:
    findings = check(write("n.ipynb", "a = 1", "x = = 2"))
    assert (
        str(findings[0])
        == "error cell 2, line 1: the cell is not valid Python: invalid syntax. Correct it and run the cell"
    )
    assert findings[0].to_dict()["fix"] == "correct it and run the cell"
    with pytest.raises(JobError, match="cannot be promoted:\n  error cell 2, line 1"):
        require(findings)
