"""The arrows between packages only point down."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

import pytest
from arrows import ALONE, LEVELS, SIDEWAYS, faults, read

if TYPE_CHECKING:
    from pathlib import Path

TYPED = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from {} import X\n"

CLEAN = {
    "__init__.py": "__version__ = '1'\ndef f():\n    from .engine import run\n    return run\n",
    "errors.py": "class E(Exception): ...\n",
    "workflow/__init__.py": "from .spec import Spec\n",
    "workflow/spec.py": "from ..errors import E\nfrom aios_workbench import __version__\nSpec = 1\n",
    "engine/__init__.py": "from .run import go\n",
    "engine/run.py": "from aios_workbench.workflow import Spec\nfrom .. import errors\ngo = 1\n",
    "cli.py": "import aios_workbench.engine.run\n",
}

# each breaks one rule: the file it replaces or adds, its text, and what the report must say
BREAKS = {
    "up": ("workflow/spec.py", "from ..engine import go\n", "points up"),
    "up, absolute": ("workflow/spec.py", "import aios_workbench.cli\n", "points up"),
    "up, in a function": ("workflow/spec.py", "def f():\n    from ..engine.run import go\n", "points up"),
    "up, for a type": ("workflow/spec.py", TYPED.format("..engine"), "points up"),
    "up, by name": (
        "workflow/spec.py",
        "import importlib\nm = importlib.import_module('aios_workbench.cli')\n",
        "up",
    ),
    "up, by relative name": (
        "workflow/spec.py",
        "from importlib import import_module\nm = import_module('..engine', __package__)\n",
        "points up",
    ),
    "up, as a submodule": ("workflow/spec.py", "from .. import cli\n", "points up"),
    "sideways": ("workspace/__init__.py", "from ..workflow import Spec\n", "sideways"),
    "sideways between modules": ("demo.py", "from .cli import x\n", "sideways"),
    "root, eager": ("__init__.py", "from .workflow import Spec\n", "only inside functions"),
    "through the root": ("cli.py", "import aios_workbench as aios\n", "not from the root"),
    "through the root, by name": ("cli.py", "from aios_workbench import Workflow\n", "not from the root"),
    "unknown package": ("attic/__init__.py", "from ..errors import E\n", "no place in the house"),
    "bootstrap": ("bootstrap.py", "from .errors import E\n", "stands alone"),
    "circle in a package": ("workflow/spec.py", "from . import other\n", "circle: workflow > workflow.spec"),
    "circle of modules": (
        "engine/run.py",
        "def f():\n    from .other import x\n",
        "circle: engine.run > engine.other",
    ),
}


def build(folder: Path, files: dict[str, str]) -> Path:
    extra = {"engine/other.py": "from .run import go\n", "workflow/other.py": "from . import Spec\n"}
    for name, text in {**extra, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_house(root: Path) -> None:
    assert faults(root / "aios_workbench") == []


def test_reader_sees_the_house(root: Path) -> None:
    """A reader that finds nothing would pass test_house too."""
    pairs = {(i.source.partition(".")[0], i.target.partition(".")[0]) for i in read(root / "aios_workbench")}
    assert {("engine", "workflow"), ("engine", "workspace"), ("engine", "errors")} <= pairs


def test_sideways_are_in_use(root: Path) -> None:
    """An exception that nothing needs any more is removed."""
    unused = [
        pair
        for pair in SIDEWAYS
        if faults(root / "aios_workbench", {k: v for k, v in SIDEWAYS.items() if k != pair}) == []
    ]
    assert unused == []
    assert all(reason for reason in SIDEWAYS.values())


def test_no_package_on_two_levels() -> None:
    assert sum(map(len, LEVELS)) == len(frozenset().union(*LEVELS))


def test_clean_tree_passes(tmp_path: Path) -> None:
    assert faults(build(tmp_path, CLEAN), {}) == []


@pytest.mark.parametrize("case", BREAKS)
def test_break_is_caught(tmp_path: Path, case: str) -> None:
    name, text, report = BREAKS[case]
    found = faults(build(tmp_path, {**CLEAN, name: text}), {})
    assert any(report in fault for fault in found), found


def test_listed_sideways_may_not_close_a_circle(tmp_path: Path) -> None:
    files = {
        **CLEAN,
        "workspace/__init__.py": "from ..workflow import Spec\n",
        "workflow/spec.py": "import aios_workbench.workspace\n",
    }
    listed = {("workspace", "workflow"): "test", ("workflow", "workspace"): "test"}
    assert any("packages import in a circle" in fault for fault in faults(build(tmp_path, files), listed))


@pytest.mark.parametrize("name", sorted(ALONE))
def test_set_up_imports_only_the_standard_library(root: Path, name: str) -> None:
    tree = ast.parse((root / "aios_workbench" / f"{name}.py").read_text())
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module or "." for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {n.partition(".")[0] for n in names - {"aios_workbench._causes"}} <= sys.stdlib_module_names
