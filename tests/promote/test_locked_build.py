"""Environments made from locks: whole or not at all. All packages come from a folder of the test."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from job_helpers import wait_for
from locked_kit import bundle_of, lock_of, only_from, wheel

from aios_workbench.errors import EnvironmentFailed, JobError
from aios_workbench.promote.environment import build, hashes, installer, kernels, try_clean
from aios_workbench.promote.environment.lock import Lock, Package
from aios_workbench.workspace import Workspace


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "links"
    wheel(folder, "zz-tiny", "2.0", {"zz_tiny.py": "__version__ = '2.0'\n"}, ["zz-base"])
    wheel(folder, "zz-tiny", "3.0", {"zz_tiny.py": "__version__ = '3.0'\n"}, ["zz-base"])
    wheel(folder, "zz-base", "1.0", {"zz_base.py": ""})
    only_from(folder, monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "environments"


TINY = lock_of("zz-tiny==2.0", "zz-base==1.0")


def ask(python: Path, code: str) -> str:
    return subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_an_environment_holds_what_is_locked(
    tool: str, links: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if tool == "pip":
        monkeypatch.setattr(installer, "uv", lambda: None)
    said: list[str] = []
    python = build.build(root, TINY, said.append)
    assert ask(python, "import zz_tiny, zz_base; print(zz_tiny.__version__)") == "2.0"
    assert ask(python, "import sys; print('.'.join(map(str, sys.version_info[:2])))") == TINY.minor
    assert list(dict.fromkeys(said)) == [
        f"making an environment with Python {TINY.minor}", "installing 2 packages",
    ]  # fmt: skip
    before = (root / TINY.key / "complete.json").read_bytes()
    assert build.build(root, TINY) == python
    assert (root / TINY.key / "complete.json").read_bytes() == before  # kept, not made again
    assert json.loads(before)["bytes"] > 0
    assert (root / TINY.key).stat().st_mode & 0o077 == 0


def test_hashes_are_those_of_the_wheels_and_are_held_to(links: Path, root: Path) -> None:
    lock = hashes.hashed(TINY)
    assert (lock.hashed, lock.hashes_missing) == (True, "")
    import hashlib

    content = next(links.glob("zz_tiny-2.0*")).read_bytes()
    assert f"zz-tiny==2.0 \\\n    --hash=sha256:{hashlib.sha256(content).hexdigest()}" in lock.requirements
    assert "with hashes" in lock.requirements.splitlines()[1]
    wheel(links, "zz-tiny", "2.0", {"zz_tiny.py": "evil = True"})  # somebody puts another one there
    with pytest.raises(EnvironmentFailed, match=r"zz-tiny 2\.0 could not be fetched"):
        build.build(root, lock)
    assert hashes.hashed(TINY).requirements == lock.requirements  # remembered: the same lock every time


def test_one_that_the_index_lacks_leaves_all_without(links: Path) -> None:
    lock = hashes.hashed(lock_of("zz-tiny==2.0", "zz-nowhere==1"))
    assert lock.hashes_missing == "the package index does not have zz-nowhere"
    assert [bool(p.hashes) for p in lock.packages] == [False, True]
    assert "--hash" not in lock.requirements  # pip takes hashes of all or of none
    assert "without hashes: the package index does not have zz-nowhere." in lock.requirements


def test_no_index_at_all(links: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "_compile", lambda *_: ("", "error sending request for url (<address>)"))
    lock = hashes.hashed(TINY)
    assert lock.hashes_missing == "no package index gave any"
    assert "without hashes: no package index gave any." in lock.requirements


def test_pip_tells_hashes_too(links: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = hashes.hashed(TINY)
    (hashes._memory()).unlink()
    monkeypatch.setattr(installer, "uv", lambda: None)
    assert hashes.hashed(TINY).requirements == both.requirements


def test_what_cannot_be_fetched_is_named(links: Path, root: Path) -> None:
    lock = lock_of("zz-tiny==2.0", "zz-gone==0.5")
    with pytest.raises(EnvironmentFailed) as caught:
        build.build(root, lock)
    said = str(caught.value)
    assert "(zz-gone 0.5 could not be fetched)" in said
    assert "It needs a package index once" in said
    assert "://" not in said
    assert not (root / lock.key).exists()


def test_a_python_that_is_not_here(root: Path) -> None:
    with pytest.raises(
        EnvironmentFailed, match=r"locked for cpython 3\.2\.1; here is .* no python3\.2 on PATH"
    ):
        build.build(root, lock_of("a==1", python="3.2.1"))


def test_a_full_disk(links: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(build, "_write", full)
    with pytest.raises(EnvironmentFailed, match="No space left on device; free some disk space"):
        build.build(root, TINY)
    assert build.find(root, TINY.key) is None
    assert not (root / TINY.key).exists()


SLOW_UV = """#!/bin/sh
if [ "$1" = venv ]; then
  for last; do :; done
  exec {python} -m venv --without-pip "$last"
fi
echo started >> {log}
while [ ! -e {go} ]; do sleep 0.05; done
echo done >> {log}
"""


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """An installer that goes on when the file `go` is there."""
    script = tmp_path / "slow" / "uv"
    script.parent.mkdir()
    script.write_text(SLOW_UV.format(python=sys.executable, log=tmp_path / "log", go=tmp_path / "go"))
    script.chmod(0o755)
    return script


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_whoever_interrupts_leaves_nothing(
    slow: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installer, "uv", lambda: slow)

    def progress(doing: str) -> None:
        if lines(tmp_path / "log"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.build(root, TINY, progress)
    assert not (root / TINY.key).exists()
    (tmp_path / "go").touch()
    build.build(root, TINY)
    assert lines(tmp_path / "log") == ["started", "started", "done"]  # the first was ended, not left behind


DRIVER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from locked_kit import lock_of
from aios_workbench.promote.environment import build, installer
installer.uv = lambda: Path({uv!r})
build.build(Path({root!r}), lock_of("zz-tiny==2.0", "zz-base==1.0"))
"""


def driver(slow: Path, root: Path) -> subprocess.Popen[bytes]:
    code = DRIVER.format(tests=str(Path(__file__).parent), uv=str(slow), root=str(root))
    return subprocess.Popen([sys.executable, "-c", code])


def test_kill_9_in_the_middle_is_never_taken_for_whole(
    slow: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = driver(slow, root)
    wait_for(lambda: lines(tmp_path / "log"), "the installer to start")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert (root / TINY.key / "venv").exists()
    assert build.find(root, TINY.key) is None
    said: list[str] = []
    monkeypatch.setattr(installer, "uv", lambda: slow)
    second = threading.Thread(target=build.build, args=(root, TINY, said.append))
    second.start()
    # The installer of the killed process still writes into the folder: nobody begins before it has ended.
    wait_for(lambda: said, "the second to say something")
    assert set(said) == {"waiting for another process that makes the same environment"}
    assert lines(tmp_path / "log") == ["started"]
    (tmp_path / "go").touch()
    second.join()
    assert lines(tmp_path / "log") == ["started", "done", "started", "done"]
    assert build.find(root, TINY.key) is not None


def test_two_at_once_make_one(slow: Path, root: Path, tmp_path: Path) -> None:
    both = [driver(slow, root) for _ in range(2)]
    wait_for(lambda: lines(tmp_path / "log"), "one to install")
    (tmp_path / "go").touch()
    assert [p.wait() for p in both] == [0, 0]
    assert lines(tmp_path / "log") == ["started", "done"]


def test_old_environments_go(root: Path) -> None:
    for name, age in (
        ("old", 100.0),
        ("needed", 100.0),
        ("new", 1.0),
        ("making", 100.0),
        ("aios-link", 100.0),
    ):
        (root / name).mkdir(parents=True)
        (root / name / "complete.json").write_text('{"bytes": 7}')
        (root / name / "used").touch()
        os.utime(root / name / "used", (time.time() - age, time.time() - age))
    before = time.time() - 50
    with build._alone(root / "making.lock", installer.silent):
        assert build.collect(root, {"needed"}, before=before, dry_run=True) == (1, 7)
        assert (root / "old").exists()
        assert build.collect(root, {"needed"}, before=before) == (1, 7)
    assert sorted(p.name for p in root.iterdir() if p.is_dir()) == ["aios-link", "making", "needed", "new"]
    assert build.collect(root / "none", set(), before=before) == (0, 0)


# ---------------------------------------------------------------- try


@pytest.fixture
def ws(tmp_path: Path) -> Any:
    workspace = Workspace(tmp_path / "project" / ".aios")
    with contextlib.closing(workspace):
        yield workspace


def test_a_clean_try_imports_what_the_notebook_does(links: Path, ws: Workspace, tmp_path: Path) -> None:
    lock = dataclasses.replace(TINY, imports={"zz_tiny": ["zz-tiny"]})
    bundle = bundle_of(tmp_path / "bundle", lock, "import zz_tiny, beside, aios_workbench.errors")
    (bundle / "beside.py").write_text("import zz_base, sys\nassert 'numpy' not in sys.modules")
    found = try_clean(bundle, ws=ws)
    assert (found["ok"], found["problems"], found["key"], found["packages"]) == (True, [], lock.key, 2)
    assert build.find(build.environments(ws), lock.key) is not None
    assert not list(bundle.rglob("__pycache__"))


def test_a_clean_try_says_what_is_wrong(links: Path, ws: Workspace, tmp_path: Path) -> None:
    wheel(links, "zz-bad", "1", {"zz_bad.py": "import numpy", "zz_ends.py": "import os; os._exit(7)",
                                 "zz_loud.py": "print('{broken')"})  # fmt: skip
    mine = Package("zz-mine", "1", "editable", {"name": "mine"})
    pins = lock_of("zz-bad==1", imports={"zz_bad": ["zz-bad"], "zz_ends": ["zz-bad"], "zz_loud": ["zz-bad"],
                                         "zz_mine": ["zz-mine"], "zz_maybe": ["zz-bad"]}, optional=("zz_maybe", "gone"),
                   not_found=("gone", "nowhere"))  # fmt: skip
    lock = dataclasses.replace(pins, packages=(*pins.packages, mine))
    found = try_clean(bundle_of(tmp_path / "bundle", lock, "import zz_bad"), ws=ws)
    assert not found["ok"]
    assert [p.partition(":")[0] for p in found["problems"]] == [
        "zz-mine 1 is installed editable, from the folder mine",
        "nowhere is imported, but was not installed where the notebook was promoted",
        "zz_bad cannot be imported in the locked environment",
        "zz_ends ends Python, or takes for ever, when it is imported in the locked environment",
    ]
    assert "No module named 'numpy'" in found["problems"][2]


def test_a_try_without_an_index_says_what_is_missing(links: Path, ws: Workspace, tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "bundle", lock_of("zz-gone==1"), "import zz_gone")
    found = try_clean(bundle, ws=ws)
    assert not found["ok"]
    assert len(found["problems"]) == 1
    assert "zz-gone 1 could not be fetched" in found["problems"][0]
    (bundle / "environment.json").unlink()
    with pytest.raises(JobError, match=r"holds no environment\.json; promote the notebook again"):
        try_clean(bundle, ws=ws)


# ---------------------------------------------------------------- what differs


def test_what_differs_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"a": "1", "b": "2", "c": "3", "other": "9"}
    monkeypatch.setattr("aios_workbench.observe.environment.packages", lambda: here)
    found = kernels.differences(lock_of("a==1", "b==2.1", "d==4", python="3.11.99"))
    assert found == {"b": ("2", "2.1"), "d": (None, "4"), "python": (found["python"][0], "3.11.99")}
    assert kernels.in_words({f"p{i}": ("1", "2") for i in range(8)}).endswith(
        "p4 1 here, 2 locked; and 3 more"
    )


def test_the_key_is_of_what_is_installed_and_nothing_else() -> None:
    assert dataclasses.replace(TINY, not_found=("x",)).key == TINY.key
    others: list[Lock] = [
        lock_of("zz-tiny==2.0"), lock_of("zz-tiny==2.0", "zz-base==1.0", platform="macosx-14-arm64"),
        lock_of("zz-tiny==2.0", "zz-base==1.0", python="3.12.0"),
    ]  # fmt: skip
    assert len({TINY.key, *(o.key for o in others)}) == 4
