"""What each target is given, byte for byte, and that it is code a person would let pass.

``AIOS_GOLDEN=1`` writes the files anew: look at the difference before it is committed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from target_kit import HOSTILE, parameters_in, plans

from aios_workbench.promote.targets import NAMES, Plan, get

GOLDEN = Path(__file__).parent / "golden"
CASES = [(target, case) for target in NAMES for case in plans(target)]


def rendered(target: str, case: str) -> Iterator[tuple[Path, str]]:
    plan = plans(target)[case]
    for name, text in get(target).render(plan).items():
        yield GOLDEN / target / case / name.replace(".airflowignore", "airflowignore"), text


@pytest.mark.parametrize(("target", "case"), CASES)
def test_files_are_as_kept(target: str, case: str) -> None:
    for path, text in rendered(target, case):
        if os.environ.get("AIOS_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text
        assert text == dict(rendered(target, case))[path], "not the same twice"


def test_nothing_is_kept_that_is_not_made() -> None:
    made = {path for target, case in CASES for path, _ in rendered(target, case)}
    assert {path for path in GOLDEN.rglob("*") if path.is_file()} == made


def test_generated_python_is_clean(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text(
        'line-length = 100\ntarget-version = "py311"\n'
        '[lint]\nselect = ["E", "F", "W", "I", "B", "UP", "C4", "SIM", "RET", "PIE", "A", "N"]\n'
        'ignore = ["E501"]\n'  # a literal of the job's cannot be broken
    )
    number = 0
    for target, case in CASES:
        for path, text in rendered(target, case):
            if path.suffix == ".py":
                number += 1
                (tmp_path / f"{target}_{case}.py".replace("-", "_")).write_text(text, encoding="utf-8")
    assert number >= 15
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--no-cache", "."], ["format", "--no-cache", "--diff", "."]):
        done = subprocess.run([*ruff, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("target", NAMES)
def test_head_says_how_and_what_not(target: str) -> None:
    plan = plans(target)["nightly"]
    limits = get(target).limits(plan)
    assert any("gates" in limit for limit in limits)
    for name, text in get(target).render(plan).items():
        if name.endswith(".airflowignore"):
            continue
        head = text.split("\n\n")[0]
        assert "Do not edit; regenerate with:" in head
        assert f"aios promote claims.ipynb --target {target}" in head
        flat = " ".join(line.lstrip("# ") for line in head.splitlines())
        for limit in limits:
            assert " ".join(limit.split()) in flat


@pytest.mark.parametrize("target", NAMES)
def test_alerts_stay_out(target: str) -> None:
    files = get(target).render(plans(target)["nightly"])
    assert not any("$ALERTS" in text for text in files.values())


@pytest.mark.parametrize("target", NAMES)
def test_hostile_text_comes_back_as_it_was(target: str) -> None:
    plan: Plan = plans(target)["hostile"]
    files = get(target).render(plan)
    assert parameters_in(target, files) == plan.spec.parameters
    assert HOSTILE in plan.spec.parameters
