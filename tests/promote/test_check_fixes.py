"""Quick fixes: each makes its finding go, changes nothing else, and leaves Python behind."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from check_kit import book_of, findings
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.errors import ConflictError, JobError
from aios_workbench.promote.checks import Edit, all_rules, fix_notebook, inspect
from aios_workbench.promote.checks.fixes import apply, edited

FIXES = {
    "unused import": (["import os\nimport json\nprint(json.dumps({}))"], "AIOS111", ["import json\nprint(json.dumps({}))"]),
    "seed numpy": (
        ["import numpy as np", "def f(x):\n    return x\nprint(f(np.random.rand(2)))"], "AIOS121",
        ["import numpy as np", "def f(x):\n    return x\nnp.random.seed(0)\nprint(f(np.random.rand(2)))"],
    ),
    "seed a generator": (["from numpy.random import default_rng\nprint(default_rng())"], "AIOS121", ["from numpy.random import default_rng\nprint(default_rng(0))"]),
    "random_state": (
        ["from sklearn.model_selection import train_test_split as split\na, b = split(\n    [1, 2],\n    test_size=1,\n)\nprint(a, b)"], "AIOS121",
        ["from sklearn.model_selection import train_test_split as split\na, b = split(\n    [1, 2],\n    test_size=1, random_state=0)\nprint(a, b)"],
    ),
    "sort a set": (["ä = ['b']\nprint(list(set(ä)), 'é')"], "AIOS124", ["ä = ['b']\nprint(sorted(set(ä)), 'é')"]),
    "sort a loop": (["t = {'a', 'b'}\nfor x in t:\n    print(x)"], "AIOS124", ["t = {'a', 'b'}\nfor x in sorted(t):\n    print(x)"]),
    "sort a folder": (["import os\nprint([n for n in os.listdir('.')])"], "AIOS125", ["import os\nprint([n for n in sorted(os.listdir('.'))])"]),
    "debugger": (["x = 1\nbreakpoint()\nprint(x)"], "AIOS210", ["x = 1\nprint(x)"]),
    "debugger in a block": (["def f():\n    breakpoint()\nf()"], "AIOS210", ["def f():\n    pass\nf()"]),
    "pip": (["%pip install -q pandas==3.0\nimport pandas\nprint(pandas)"], "AIOS212", ["import pandas\nprint(pandas)"]),
    "yaml": (["import yaml as y\nprint(y.load('a: 1', Loader=y.FullLoader))"], "AIOS314", ["import yaml as y\nprint(y.safe_load('a: 1'))"]),
    "verify": (["import requests\nr = requests.get('https://x.example', verify=False)\nprint(r)"], "AIOS315",
               ["import requests\nr = requests.get('https://x.example', verify=True)\nprint(r)"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FIXES)
def test_a_fix_mends_its_finding(tmp_path: Path, name: str) -> None:
    before, rule, after = FIXES[name]
    book = book_of(*before)
    made = apply(book, [f for f in findings(tmp_path, book=book) if f.rule == rule])
    assert [f.rule for f in made] == [rule]
    assert [c.source for c in book.cells] == after
    assert rule not in {f.rule for f in findings(tmp_path, book=book)}


def test_an_untyped_parameter_is_annotated(tmp_path: Path) -> None:
    book = book_of("print(n, day)", parameters="n = 1  # rows\nday = 'x'")
    apply(book, findings(tmp_path, book=book))
    assert book.cells[0].source == "n: int = 1  # rows\nday: str = 'x'"


def test_a_path_into_the_own_folder_becomes_relative(tmp_path: Path) -> None:
    book = book_of(f"print({str(tmp_path / 'in' / 'a.csv')!r}, '/home/ada/b.csv')")
    made = apply(book, findings(tmp_path, book=book))
    assert [f.rule for f in made] == ["AIOS203"]
    assert book.cells[0].source == "print('in/a.csv', '/home/ada/b.csv')"


def test_every_rule_that_says_so_has_a_fix() -> None:
    outputs = {"AIOS302", "AIOS321", "AIOS322"}  # cleared, below
    paths = {"AIOS203", "AIOS403"}  # above
    assert {r.id for r in all_rules() if r.fixable} == {
        rule for _, rule, _ in FIXES.values()
    } | outputs | paths


def test_a_file_is_mended_and_the_old_one_kept(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    book = book_of("import os\nprint(list(set(os.listdir('.'))))", "print('mail')")
    book.cells[1].outputs = [nbformat.v4.new_output("stream", text="ada.king@lovelace.co.uk")]
    nbformat.write(book, path)
    old = path.read_bytes()
    done = fix_notebook(path)
    assert [f.rule for f in done.findings] == ["AIOS124", "AIOS321"]
    assert done.backup is not None
    assert done.backup.read_bytes() == old
    new = nbformat.read(path, 4)
    assert new.cells[0].source == "import os\nprint(sorted(set(os.listdir('.'))))"
    assert new.cells[1].outputs == []
    assert [c.id for c in new.cells] == [c.id for c in book.cells]
    again = fix_notebook(path)
    assert (again.findings, again.backup) == ([], None)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["n.before-fix.ipynb", "n.ipynb"]


def test_into_a_copy_and_of_one_rule(tmp_path: Path) -> None:
    path, out = tmp_path / "n.ipynb", tmp_path / "m.ipynb"
    nbformat.write(book_of("x = 1\nbreakpoint()\nprint(list(set('ab')), x)"), path)
    old = path.read_bytes()
    done = fix_notebook(path, only=["AIOS210"], out=out)
    assert (path.read_bytes(), done.backup) == (old, None)
    assert nbformat.read(out, 4).cells[0].source == "x = 1\nprint(list(set('ab')), x)"
    with pytest.raises(ConflictError, match="exists"):
        fix_notebook(path, out=out)


def test_no_notebook_is_not_mended(tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").write_text("{")
    with pytest.raises(JobError, match="not a valid notebook"):
        fix_notebook(tmp_path / "n.ipynb")
    assert (tmp_path / "n.ipynb").read_text() == "{"


def test_fixes_of_fixes(tmp_path: Path) -> None:
    """Two fixes of one text are made one after the other."""
    path = tmp_path / "n.ipynb"
    nbformat.write(book_of("import os\nfor name in list(set(os.listdir('.'))):\n    print(name)"), path)
    fix_notebook(path)
    assert inspect(path).findings == []


@given(st.text("ab\nä€\r\u2028 ", max_size=30), st.data())
def test_edits_are_made_where_they_say(source: str, data: st.DataObject) -> None:
    from aios_workbench.promote.notebooks import source_lines

    lines = source_lines(source) or [""]
    row = data.draw(st.integers(1, len(lines)))
    start = data.draw(st.integers(0, len(lines[row - 1])))
    end = data.draw(st.integers(start, len(lines[row - 1])))
    made = edited(source, [Edit(1, row, start, row, end, "XYZ")])
    assert made.count("XYZ") == 1
    assert len(made) == len(source) - (end - start) + 3
    changed = source_lines(made)
    assert changed[row - 1] == lines[row - 1][:start] + "XYZ" + lines[row - 1][end:]
