"""Whatever lies in the file: a clear finding, never a traceback, and nothing of it is run."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from check_kit import book_of, findings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aios_workbench.promote.checks import inspect

FINE = json.loads(nbformat.writes(book_of("print(1)"), version=4))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a valid notebook"),
        (b"{", "not a valid notebook"),
        (b"[]", "not a valid notebook"),
        (b"null", "not a valid notebook"),
        (b"\xff\xfe{\x00}\x00", "cannot be read"),
        (b"\x00" * 1000, "not a valid notebook"),
        (b'{"cells": [' * 3000, "not a valid notebook"),
        (json.dumps({**FINE, "nbformat": 99}).encode(), "not a valid notebook"),
        (json.dumps({**FINE, "cells": [{"cell_type": "code"}]}).encode(), "not a valid notebook"),
        (json.dumps({**FINE, "cells": {"a": 1}}).encode(), "not a valid notebook"),
    ],
)
def test_what_is_no_notebook(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_bytes(content)
    (found,) = inspect(path).findings
    assert (found.rule, found.severity) == ("AIOS001", "error")
    assert says in found.message
    assert inspect(path).to_dict()["data"] == []


def test_a_folder_and_nothing(tmp_path: Path) -> None:
    assert [f.rule for f in inspect(tmp_path).findings] == ["AIOS001"]
    assert [f.rule for f in inspect(tmp_path / "none.ipynb").findings] == ["AIOS001"]


def test_a_byte_order_mark_is_told(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(FINE).encode())
    assert [f.rule for f in inspect(path).findings] in ([], ["AIOS001"])


@pytest.mark.parametrize(
    "source",
    [
        "def f(:", "'unclosed", "x = (((", "\tx = 1\n  y = 2", "print 'two'", "x = 1 +", "\x00", "a\x00b", "?", "!!", "%", "%%",
        "%%\nx", "%%time\ndef f(:", "for", "\\", "x = '\ud800'", "lambda: (yield)", "return 1", "await", "(" * 500, "-" * 20_000 + "1",
        "[" * 90 + "]" * 90, "if x:\n" * 120, "\ufeffx = 1", "x = 1\r\ny = 2\rz = 3", "\u2028", "é = 1; print(é)", "x: (yield) = 1",
        "%run", "!", "%cd", "%store -r", "%timeit", "%%capture", "from . import x", "from .. import *", "import a.b.c.d as e",
        "match x:\n case {'a': b, **c}: pass", "del (a, b), c[0]", "global x\nx = 1", "nonlocal x", "print(*a, **b)", "f'{x!r:{y}}'",
        "try:\n    1\nexcept* ValueError as e:\n    print(e)", "class A(metaclass=B, x=1): pass", "# aios: ignore", "# aios: ignore-notebook ,,,",
        "open(b'x')", "open(3)", "open('a\\0b')", "open('x' * 10**9)", "'a' / 'b'", "x = x", "a = b\nb = a\nopen(a)", "eval()", "input(",
        "subprocess.run(shell=True)", "yaml.load()", "np.random.seed()", "df.drop(inplace=True)", "''.join({*()})", "verify=False",
        "open('~nobody_at_all/x')", "import os\nos.path.join()", "Path()", "from pathlib import Path\nPath(*a).read_text()",
    ],
)  # fmt: skip
def test_odd_cells(tmp_path: Path, source: str) -> None:
    for found in findings(tmp_path, source, "print('next')"):
        assert found.message
        assert str(found)
        json.dumps(found.to_dict())


def test_a_syntax_error_hides_no_other_cell(tmp_path: Path) -> None:
    found = findings(tmp_path, "def f(:", "print(missing)", "print('/home/ada/x')")
    assert [(f.rule, f.cell) for f in found] == [("AIOS003", 1), ("AIOS101", 2), ("AIOS203", 3)]


def test_outputs_and_metadata_of_any_form(tmp_path: Path) -> None:
    book = book_of("print(1)", "print(2)")
    book.cells[0].metadata.update(tags="parameters", aios=3, deep={"a": [{"b": None}]})
    book.cells[0].outputs = [
        nbformat.v4.new_output(
            "display_data", data={"application/json": {"a": [1, None]}, "image/png": "no base 64"}
        ),
        nbformat.v4.new_output("execute_result", data={}, execution_count=None),
        nbformat.v4.new_output("error", ename="", evalue="", traceback=[]),
        nbformat.v4.new_output(
            "display_data",
            data={"text/html": "<table><tr><th>" * 200 + "<<<>>&#xFFFFFFFF;", "text/plain": ""},
        ),
    ]
    book.metadata["aios"] = {"ignore": 7}
    assert {f.rule for f in findings(tmp_path, book=book)} <= {"AIOS113", "AIOS114"}


def test_nothing_of_it_is_run_or_imported(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    code = f"open({str(mark)!r}, 'w').close()"
    (tmp_path / "trap.py").write_text(code + "\nx = 1\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text(code + "\n")
    nbformat.write(
        book_of(
            "from trap import *\nimport package.inner\nimport trap.x", f"%run trap.py\n!touch {mark}\n{code}"
        ),
        tmp_path / "n.ipynb",
    )
    assert inspect(tmp_path / "n.ipynb").findings
    assert not mark.exists()


@pytest.mark.slow
def test_ten_thousand_cells(tmp_path: Path) -> None:
    sources = [f"a{i} = {i}\nprint(a{i - 1 if i else 0})" for i in range(10_000)]
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(s, id=f"c{i}") for i, s in enumerate(sources)]
    )
    found = findings(tmp_path, book=book)
    assert [(f.rule, f.cell) for f in found] == [("AIOS111", 10_000)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=60), min_size=1, max_size=4))
def test_any_text(tmp_path_factory: pytest.TempPathFactory, sources: list[str]) -> None:
    for found in findings(tmp_path_factory.getbasetemp(), *sources):
        assert 1 <= (found.cell or 1) <= len(sources)
        assert found.line is None or found.line >= 1
