"""`.ci/run` on a pretended bare Debian: what it installs, what it calls, and with which exit code it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NEEDED = ("bash", "dirname", "env", "timeout", "sh", "cat")


@pytest.fixture
def debian(tmp_path: Path, root: Path) -> Path:
    """A checkout with .ci/run alone, and a PATH on which every program is a stub that notes its call."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(root / ".ci" / "run", tmp_path / ".ci" / "run")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in NEEDED:
        (programs / name).symlink_to(str(shutil.which(name)))
    log = tmp_path / "calls.log"
    stubs = {
        "id": "echo 0",
        "sleep": ":",
        "git": ":",
        "ps": ":",
        "systemd-analyze": ":",
        "ldconfig": 'echo "libgomp.so.1 => /lib/libgomp.so.1"',
        # the first call fails, as a mirror that is being synchronised does
        "apt-get": f'[ "$(grep -c "^apt-get" {log})" -gt 1 ]',
        "python3": 'case "$1" in -c) exit "${NO_ENSUREPIP:-0}";; *) echo "AIOS_CI=$AIOS_CI"; exit "${CODE:-0}";; esac',
    }
    (programs / "grep").symlink_to(str(shutil.which("grep")))
    for path, body in [*((programs / n, b) for n, b in stubs.items()), (tmp_path / ".ci" / "pgvector", ":")]:
        path.write_text(f'#!/bin/sh\necho "{path.name} $*" >> {log}\n{body}\n')
        path.chmod(0o755)
    return tmp_path


def run(debian: Path, **env: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    gone = {"AIOS_CHROMIUM", "AIOS_CI"}
    kept = {k: v for k, v in os.environ.items() if k not in gone}
    done = subprocess.run(
        [debian / ".ci" / "run"],
        env={**kept, "PATH": str(debian / "bin"), **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, (debian / "calls.log").read_text().splitlines()


def test_it_installs_what_is_missing_and_tries_again(debian: Path) -> None:
    (debian / "bin" / "ldconfig").write_text("#!/bin/sh\n")
    done, calls = run(debian, NO_ENSUREPIP="1")
    assert done.returncode == 0, done.stderr
    apt = [c for c in calls if c.startswith("apt-get")]
    assert apt == [
        "apt-get -q update",
        "apt-get -q update",
        "apt-get -q install -y --no-install-recommends chromium python3 python3-venv libgomp1",
    ]
    assert done.stdout == "AIOS_CI=1\n"  # nothing but the suite's own output: its last line is the last line
    assert calls[-2:] == ["pgvector ", "python3 -m aios_workbench.bootstrap test"]


def test_it_leaves_a_ready_machine_alone(debian: Path) -> None:
    (debian / "bin" / "chromium").symlink_to("/bin/true")
    _, calls = run(debian)
    assert [c for c in calls if c.startswith("apt-get")] == []


def test_a_failing_suite_fails_ci(debian: Path) -> None:
    (debian / "bin" / "chromium").symlink_to("/bin/true")
    done, _ = run(debian, CODE="5")
    assert done.returncode == 5
