"""Every example in a docstring runs and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import aios_workbench as aios
from aios_workbench.engine import runtime

#: importing these starts something, or needs what only its own tests set up
_LEFT_OUT = (
    "aios_workbench.bootstrap",
    "aios_workbench.demo",
    "aios_workbench.server.scheduler_backend",
    "aios_workbench.server.scheduler_models",
)


def modules() -> list[str]:
    found = [m.name for m in pkgutil.walk_packages(aios.__path__, "aios_workbench.")]
    return ["aios_workbench", *(name for name in found if name not in _LEFT_OUT and "__main__" not in name)]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", modules())
def test_examples_do_what_they_say(name: str) -> None:
    module = importlib.import_module(name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=flags)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        if test.examples:
            runner.run(test, out=said.append)
    if (engine := runtime.running()) is not None:
        engine.stop()
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    examples = [t for n in modules() for t in finder.find(importlib.import_module(n), n) if t.examples]
    assert len(examples) > 10
