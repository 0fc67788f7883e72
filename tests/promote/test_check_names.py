"""Which names are there when: Python's scopes, over cells."""

from __future__ import annotations

import keyword
import sys
from pathlib import Path

import pytest
from check_kit import rules
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = {"AIOS101", "AIOS102", "AIOS104"}


def missing(folder: Path, *sources: str) -> list[tuple[str, int | None, str | None]]:
    return [f for f in rules(folder, *sources) if f[0] in NAMES]


@pytest.mark.parametrize(
    "sources",
    [
        ["x: int = 1\nprint(x)"],
        ["def f(a, *b, c=1, **d):\n    return a, b, c, d, e\n", "e = 1", "f(2)"],
        ["f = lambda a, b=2: a + b + later", "later = 1", "f(1)"],
        ["print([a + b for a in range(3) for b in range(a)], {k: v for k, v in {}.items()})"],
        ["print([y := 3, y])\nprint(y)"],
        ["if any((hit := n) > 1 for n in [1, 2]):\n    print(hit)"],
        ["class A:\n    n = 1\n    m = n + 1\n    def f(self):\n        return self.n + A.m\nprint(A().f())"],
        ["class A:\n    def f(self) -> 'B':\n        return B()\nclass B: pass\nA().f()"],
        ["try:\n    spark\nexcept NameError:\n    spark = None\nprint(spark)"],
        ["try:\n    import numpy as fast\nexcept ImportError as error:\n    print(error)\n    fast = None\nprint(fast)"],
        ["with open('a', 'w') as f, open('b', 'w') as (g):\n    f.write('x')\n    g.write('y')"],
        ["for i, (a, b) in enumerate([(1, 2)]):\n    pass\nelse:\n    c = 3\nprint(i, a, b, c)"],
        ["import os.path\nprint(os.sep)", "from json import dumps as d, loads\nprint(d, loads)"],
        ["match {'k': [1, 2]}:\n    case {'k': [first, *rest], **others}:\n        print(first, rest, others)\n    case str() as s:\n        print(s)"],
        ["def setup():\n    global state\n    state = 1\nsetup()\nprint(state)"],
        ["globals()['made'] = 3\nprint(made)"],
        ["globals().update(a=1)\nprint(a)"],
        ["%%time\nx = 3", "print(x)"],
        ["%%capture out\nprint(1)\nkept = 2", "print(out, kept)"],
        ["files = !ls\nprint(files, get_ipython(), display, __name__)"],
        ["%time y = 3\nprint(y)"],
        ["x = 1\ndel x\nx = 2\nprint(x)"],
        ["def f():\n    def g():\n        nonlocal n\n        n += 1\n    n = 0\n    g()\n    return n\nf()"],
        ["def f(x):\n    return [x for x in x], [h for h in x if h]\nf([1])"],
        ["from __future__ import annotations\ndef f(a: Unknown) -> Other:\n    b: Third = a\n    return b\nf(1)"],
        ["def f():\n    local: Unseen = 1\n    return local\nf()"],
        ["from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    def far(self):\n        return self.x\nP(1).far()"],
        ["def fact(n):\n    return 1 if n < 2 else n * fact(n - 1)\nfact(3)"],
        ["while True:\n    z = 1\n    break\nprint(z)"],
        ["import pandas as pd\ndf = pd.DataFrame({'a': [1]}).query('a > 0 and missing_word')\ndf"],
        ["x = 5\nprint(f'{x!r:>{x}} {x=}')"],
        ["for _ in range(3):\n    pass\nprint(_)"],
        ["%%html\n<b>no names in here</b>", "%%writefile a.py\nundefined_name", "%%bash\necho $HOME"],
    ],
)  # fmt: skip
def test_names_that_are_there(tmp_path: Path, sources: list[str]) -> None:
    assert missing(tmp_path, *sources) == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["print(x)"], [("AIOS101", 1, "x")]),
        (["x = x + 1"], [("AIOS102", 1, "x")]),
        (["x += 1"], [("AIOS102", 1, "x")]),
        (["print([k for k in missing])"], [("AIOS101", 1, "missing")]),
        (["[k for k in 'ab']\nprint(k)"], [("AIOS101", 1, "k")]),
        (["def f(a=default):\n    return a\nf()"], [("AIOS101", 1, "default")]),
        (["def f():\n    inside = 1\nf()\nprint(inside)"], [("AIOS101", 1, "inside")]),
        (["def f(x: Kind):\n    return x\nf(1)"], [("AIOS101", 1, "Kind")]),
        (["class A(Base):\n    pass\nA()"], [("AIOS101", 1, "Base")]),
        (["class A:\n    n = 1\n    def f(self):\n        return n\nA().f()"], [("AIOS101", 1, "n")]),
        (["@wrap\ndef f():\n    pass\nf()"], [("AIOS101", 1, "wrap")]),
        (["f = lambda: nowhere\nf()"], [("AIOS101", 1, "nowhere")]),
        (["def f():\n    return helper()\n", "f()", "def helper():\n    return 1"], [("AIOS102", 2, "helper")]),
        (["class A:\n    def __init__(self):\n        self.x = LIMIT\n", "A()", "LIMIT = 1"], [("AIOS102", 2, "LIMIT")]),
        (["x: int\nprint(x)"], [("AIOS101", 1, "x")]),
        (["%%time\nprint(nothing)"], [("AIOS101", 1, "nothing")]),
        (["a = 1", "print(a)\n%timeit lost(a)"], [("AIOS101", 2, "lost")]),
        (["try:\n    pass\nexcept ValueError:\n    print(gone)"], [("AIOS101", 1, "gone")]),
        (["print(used)\nprint(used)", "print(used)"], [("AIOS101", 1, "used"), ("AIOS101", 2, "used")]),
    ],
)  # fmt: skip
def test_names_that_are_not(tmp_path: Path, sources: list[str], expected: list[tuple[str, int, str]]) -> None:
    assert missing(tmp_path, *sources) == expected


def test_the_local_module_behind_a_star_is_read(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text("import os\nLIMIT = 3\ndef clean(x): return x\n")
    assert missing(tmp_path, "from tools import *\nprint(LIMIT, clean(1), os.sep, other)") == [
        ("AIOS101", 1, "other")
    ]


def test_column_and_line_are_those_a_person_sees(tmp_path: Path) -> None:
    from check_kit import findings

    (found,) = [f for f in findings(tmp_path, "\n\nä = '€'; print(ä, missing)") if f.rule == "AIOS101"]
    assert (found.line, found.column, found.variable) == (3, 18, "missing")
    (found,) = [f for f in findings(tmp_path, "%matplotlib inline\nprint(missing)") if f.rule == "AIOS101"]
    assert (found.line, found.column) == (2, 6)


WORDS = st.sampled_from(["a", "b", "c", "d"])
STATEMENTS = st.one_of(
    st.builds("{} = 1".format, WORDS), st.builds("print({})".format, WORDS), st.builds("del {}".format, WORDS),
    st.builds("{} = [{} for {} in [1]]".format, WORDS, WORDS, WORDS),
    st.builds("def {}():\n    return {}".format, WORDS, WORDS),
    st.builds("for {} in [1]:\n    print({})".format, WORDS, WORDS),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(STATEMENTS, min_size=1, max_size=3).map("\n".join), min_size=1, max_size=4))
def test_what_runs_is_never_called_undefined(
    tmp_path_factory: pytest.TempPathFactory, sources: list[str]
) -> None:
    """Python itself is the judge: cells that run one after the other in one namespace have no such finding."""
    space: dict[str, object] = {"print": lambda *_: None}
    ran = True
    for source in sources:
        try:
            exec(source, space)  # - generated above, from four letters
        except NameError:
            ran = False
            break
    found = [f for f in missing(tmp_path_factory.getbasetemp(), *sources) if f[1] is not None]
    if ran:
        immediate = [f for f in found if f[0] == "AIOS102" or not _only_in_a_function(sources, f[2])]
        assert immediate == []
    else:
        assert found


def _only_in_a_function(sources: list[str], name: str | None) -> bool:
    """A function that is never called may read a name that is never there: that is a finding, not an error."""
    assert name is not None
    assert not keyword.iskeyword(name)
    assert sys.version_info >= (3, 11)
    return any(f"return {name}" in source for source in sources)
