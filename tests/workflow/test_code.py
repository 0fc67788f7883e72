"""The hash of a function: changes exactly when its behaviour can, and is the same in every process."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
import types
from pathlib import Path
from typing import Any

import pytest

from aios_workbench.workflow import code_hash, pickle_function, source_of

BASE = """
    LIMIT = 10
    NAMES = {"b", "a", "c"}

    def helper(x):
        return x * 2

    class Model:
        scale = 3
        def __init__(self, k=1):
            self.k = k
        def go(self, x):
            return x * self.k * self.scale
        @property
        def shown(self):
            return self.k
        @staticmethod
        def fixed():
            return 1

    def fn(a, b=2, *, c=3):
        '''Add.'''
        inner = lambda v: helper(v) + LIMIT
        return inner(a) + b + c + Model().go(1) + len(NAMES)
"""


def module(source: str, **names: Any) -> types.ModuleType:
    """Run source the way a notebook runs a cell: in `__main__`, under a file name of its own."""
    out = types.ModuleType("__main__")
    out.__dict__.update(names)
    exec(compile(textwrap.dedent(source), f"<cell {hash(source)}>", "exec"), out.__dict__)
    return out


def hash_of(source: str, name: str = "fn", **names: Any) -> str:
    return code_hash(vars(module(source, **names))[name])


def changed(old: str, new: str) -> bool:
    assert old in textwrap.dedent(BASE) or old in BASE
    return hash_of(BASE) != hash_of(BASE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("'''Add.'''", "'''Something else.'''"),
        ("'''Add.'''", ""),
        ("def fn", "# a comment\n    def fn"),
        ("return x * 2", "return (x\n            * 2)  # twice"),
        ("LIMIT = 10", "UNUSED = 3\n    LIMIT = 10"),
        ("LIMIT = 10", "\n\n\n    LIMIT = 10"),
    ],
)
def test_looks_do_not_count(old: str, new: str) -> None:
    assert not changed(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 10", "LIMIT = 11"),
        ("LIMIT = 10", "LIMIT = 10.0"),
        ('"c"}', '"d"}'),
        ("x * 2", "x * 3"),
        ("x * 2", "x + 2"),
        ("b=2", "b=3"),
        ("c=3", "c=4"),
        ("scale = 3", "scale = 4"),
        ("k=1", "k=2"),
        ("self.k * self.scale", "self.scale * self.k * 1"),
        ("return self.k\n", "return -self.k\n"),
        ("return 1\n", "return 2\n"),
        ("+ LIMIT", "- LIMIT"),
        ("helper(v)", "len(str(v))"),
        ("a, b=2", "b, a=2"),
    ],
)
def test_behaviour_counts(old: str, new: str) -> None:
    assert changed(old, new)


PAIRS = {
    "closure": ("def make():\n k = 1\n def f(): return k\n return f\nfn = make()", ("k = 1", "k = 2")),
    "nested function": ("def fn():\n def g(): return 1\n return g()", ("return 1", "return 2")),
    "constant in a tuple": ("def fn(x): return x in (1, 2)", ("2)", "3)")),
    "frozenset constant": ("def fn(x): return x in {1, 2}", ("2}", "3}")),
    "helper two calls away": (
        "def a(): return 1\ndef b(): return a()\ndef fn(): return b()", ("return 1", "return 2"),
    ),
    "mutual recursion": (
        (
            "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n != 0 and even(n - 1)\n"
            "def fn(n): return even(n)"
        ),
        ("n != 0", "n > 0"),
    ),
    "self recursion": ("def fn(n): return 1 if n < 2 else n * fn(n - 1)", ("n < 2", "n < 3")),
    "dictionary global": ("D = {'a': [1, {'b': 2}]}\ndef fn(): return D", ("'b': 2", "'b': 3")),
    "key order": ("D = {'a': 1, 'b': 2}\ndef fn(): return list(D)", ("'a': 1, 'b': 2", "'b': 2, 'a': 1")),
    "data frame global": (
        "import pandas as pd\nD = pd.DataFrame({'a': [1, 2]})\ndef fn(): return D", ("[1, 2]", "[1, 3]"),
    ),
    "array global": ("import numpy as np\nD = np.arange(3)\ndef fn(): return D", ("arange(3)", "arange(4)")),
    "instance global": (
        "class P:\n def __init__(self, v): self.v = v\nD = P(1)\ndef fn(): return D.v", ("P(1)", "P(2)"),
    ),
    "base class": (
        "class A:\n def go(self): return 1\nclass B(A): pass\ndef fn(): return B().go()", ("return 1", "return 2"),
    ),
    "dataclass default": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n  x: int = 1\ndef fn(): return P()", ("= 1", "= 2"),
    ),
    "private class attribute": ("class A:\n _k = 1\ndef fn(): return A._k", ("_k = 1", "_k = 2")),
    "enum": ("import enum\nclass E(enum.Enum):\n A = 1\ndef fn(): return E.A.value", ("A = 1", "A = 2")),
    "partial": (
        "from functools import partial\ndef g(a, b): return a\nh = partial(g, 1)\ndef fn(): return h(2)",
        ("g, 1", "g, 5"),
    ),
    "decorated helper": (
        (
            "import functools\ndef d(f):\n @functools.wraps(f)\n def w(*a): return f(*a)\n return w\n"
            "@d\ndef g(): return 1\ndef fn(): return g()"
        ),
        ("return 1", "return 2"),
    ),
    "what a decorator does": (
        (
            "import functools\ndef d(f):\n @functools.wraps(f)\n def w(*a): return f(*a) + 1\n return w\n"
            "@d\ndef g(): return 1\ndef fn(): return g()"
        ),
        ("+ 1", "+ 2"),
    ),
    "global of a comprehension": ("K = 2\ndef fn(xs): return [x * K for x in xs]", ("K = 2", "K = 3")),
    "compiled pattern": ("import re\nP = re.compile('a+')\ndef fn(s): return P.match(s)", ("a+", "b+")),
    "cached helper": (
        "import functools\n@functools.lru_cache\ndef g(): return 1\ndef fn(): return g()", ("return 1", "return 2"),
    ),
    "byte constant": ("def fn(): return b'a'", ("b'a'", "b'b'")),
    "sign of zero": ("def fn(): return 0.0", ("0.0", "-0.0")),
    "jump": ("def fn(x):\n if x: return 1\n return 2", ("if x", "if not x")),
}  # fmt: skip


@pytest.mark.parametrize("case", PAIRS)
def test_whatever_a_step_reaches_counts(case: str) -> None:
    source, (old, new) = PAIRS[case]
    assert old in source
    assert hash_of(source) == hash_of(source), "the same source gave two hashes"
    assert hash_of(source) != hash_of(source.replace(old, new))


@pytest.mark.parametrize("case", [c for c in PAIRS if "def fn():" in PAIRS[c][0]])
def test_using_a_function_does_not_change_its_hash(case: str) -> None:
    fn = vars(module(PAIRS[case][0]))["fn"]
    before = code_hash(fn)
    fn()
    assert code_hash(fn) == before


def test_extra_functions_count() -> None:
    one, two = module("def fn(): return 1").fn, module("def fn(): return 2").fn
    hashes = {
        code_hash(one),
        code_hash(one, two),
        code_hash(one, one),
        code_hash(two, one),
        code_hash(one, None),
    }
    assert len(hashes) == 5


def test_an_unpicklable_global_is_no_error_and_repeats() -> None:
    source = "import threading\nL = threading.Lock()\ndef fn(): return L"
    assert hash_of(source) == hash_of(source)


def test_a_deep_and_a_circular_global_end() -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    circle: list[Any] = [1]
    circle.append(circle)
    for value in (deep, circle):
        assert hash_of("def fn(): return D", D=value) == hash_of("def fn(): return D", D=value)


def test_stable_over_processes(tmp_path: Path) -> None:
    """Sets, dictionaries, classes and data frames hash alike whatever the seed of Python's own hash."""
    (tmp_path / "helpers.py").write_text("def tool(x):\n    return {1, 'a', None, (2, 'b')}, x\n")
    source = (
        textwrap.dedent(BASE) + "\nimport pandas as pd, helpers\nF = pd.DataFrame({'a': [1.5], 'b': ['x']})\n"
    )
    source += "S = {'x', 'y', ('z', 1), frozenset({'p', 'q', 'r'})}\nO = Model(4)\n"
    source += (
        "def everything():\n    return fn(1), F, S, O, helpers.tool(1), {'k': {'l'}}, 'q' in {'s', 't'}\n"
    )
    script = tmp_path / "script.py"
    script.write_text(
        source + "from aios_workbench.workflow import code_hash\nprint(code_hash(everything))\n"
    )
    seen = set()
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        seen.add(done.stdout.strip())
    assert len(seen) == 1
    (tmp_path / "helpers.py").write_text("def tool(x):\n    return {1, 'a', None, (2, 'c')}, x\n")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() not in seen, "a function of the user's own module changed unnoticed"


def test_source_is_dedented_and_absent_for_what_has_none() -> None:
    def inner() -> int:
        return 1

    assert source_of(inner).startswith("def inner()")
    assert source_of(len) == ""


TOOLS = """
import threading
FACTOR = 2
lock = threading.Lock()  # cannot travel, and nothing needs it to

class Config:
    bonus = 1

def tool(x):
    return x * FACTOR + Config.bonus
"""


@pytest.mark.parametrize(
    "call",
    [
        "from tools_of_mine import tool\ndef fn(x): return tool(x)",
        "from tools_of_mine import Config\ndef fn(x): return x * 2 + Config.bonus",
    ],
)
def test_functions_of_own_modules_travel_with_the_step(tmp_path: Path, monkeypatch: Any, call: str) -> None:
    """A worker started elsewhere has no `tools_of_mine.py`, or a newer one."""
    (tmp_path / "tools_of_mine.py").write_text(TOOLS)
    monkeypatch.syspath_prepend(tmp_path)
    blob = pickle_function(module(call).fn, "fn")
    sys.modules.pop("tools_of_mine")
    (tmp_path / "fn.pkl").write_bytes(blob)
    load = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb'))(20))"
    done = subprocess.run(
        [sys.executable, "-c", load, str(tmp_path / "fn.pkl")],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("41", "")


def test_a_module_that_cannot_travel_goes_by_name(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "tools_by_name.py").write_text(TOOLS)
    monkeypatch.syspath_prepend(tmp_path)
    blob = pickle_function(module("import tools_by_name\ndef fn(x): return tools_by_name.tool(x)").fn, "fn")
    assert pickle.loads(blob)(20) == 41
    sys.modules.pop("tools_by_name")
