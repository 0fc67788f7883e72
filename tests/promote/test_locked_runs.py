"""Jobs in the worker's environment and in the locked one: real kernels, packages from a folder of the test."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from locked_kit import bundle_of, install, lock_of, only_from, shelf, wheel

from aios_workbench import promote
from aios_workbench.cli.app import call
from aios_workbench.errors import EnvironmentFailed, JobError
from aios_workbench.promote import JobSpec, environment
from aios_workbench.promote.environment import build, hashes, kernels, try_clean
from aios_workbench.promote.environment.capture import capture_packages
from aios_workbench.promote.environment.gc import collect_environments
from aios_workbench.promote.records import bundle_folder, run_folder, run_row
from aios_workbench.promote.runner import Outcome, execute
from aios_workbench.workspace import Workspace

Write = Callable[..., Path]

CODE = (
    "import sys, zz_tiny, helper\n"
    "print('tiny', zz_tiny.__version__, 'of', n, helper.VALUE)\n"
    "print('python', sys.executable)\n"
    "import time; time.sleep(0.5)  # what is imported meanwhile, in the background, is no error either\n"
    "try:\n    __import__('num' + 'py')\nexcept ImportError:\n    print('nothing else')"
)


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What an index has; the worker has a `zz-tiny` of its own."""
    folder = tmp_path / "links"
    folder.mkdir()
    for path in shelf().iterdir():
        (folder / path.name).symlink_to(path)
    wheel(folder, "zz-tiny", "1.0", {"zz_tiny.py": "__version__ = '1.0'\n"})
    only_from(folder, monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def worker_has(site: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a version of `zz-tiny` where this process and its kernels see it."""
    install(site, "zz-tiny", version, modules={"zz_tiny.py": f"__version__ = '{version}'\n"})
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))


def run_once(
    ws: Workspace, name: str, watch: Callable[[], Any] = lambda: None
) -> tuple[Outcome, str, dict[str, Any]]:
    """Run a job here; returns its outcome, its log, and its row."""
    run_id = promote.trigger(ws, name, "ada", {"n": 7})
    row = {**run_row(ws, run_id), "attempt": 1, "owner": "test"}
    outcome = execute(ws, row, watch)
    log = (run_folder(ws, row["job_id"], run_id) / "log.txt").read_text()
    return outcome, log, run_row(ws, run_id)


def test_a_job_runs_in_the_environment_it_was_promoted_in(
    ws: Workspace, write: Write, links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker_has(tmp_path / "one", "1.0", monkeypatch)
    path = write("tiny.ipynb", CODE, parameters="n: int = 1")
    (path.parent / "helper.py").write_text("VALUE = 'promoted'")
    for mode in ("worker", "locked"):
        promote.promote(ws, path, JobSpec(name=mode, notebook="-", environment=mode), "ada")
    lock = environment.read_lock(bundle_folder(ws, promote.get(ws, "locked").job_id, 1))
    assert lock is not None
    assert (lock.versions["zz-tiny"], lock.hashed) == ("1.0", True)

    worker_has(tmp_path / "two", "2.0", monkeypatch)  # the worker moves on
    outcome, log, row = run_once(ws, "worker")
    assert outcome.status == "succeeded", outcome
    assert "tiny 2.0 of 7 promoted" in log
    assert "the worker differs from what was locked at the promotion: zz-tiny 2.0 here, 1.0 locked" in log
    told = json.loads(row["environment"])
    assert (told["mode"], told["differs"]) == ("worker", {"zz-tiny": ["2.0", "1.0"]})

    outcome, log, row = run_once(ws, "locked")
    assert outcome.status == "succeeded", outcome
    assert "tiny 1.0 of 7 promoted" in log
    assert "nothing else" in log
    assert "Traceback" not in log
    assert "Error" not in log
    python = build.find(build.environments(ws), lock.key)
    assert f"python {python}" in log
    assert f"installing {len(lock.packages)} packages" in log
    assert json.loads(row["environment"]) == {
        "mode": "locked", "lock": lock.key, "python": lock.python, "differs": {},
    }  # fmt: skip
    # the worker's own variables are as they were
    assert sys.prefix not in str(python)


def test_a_clean_try_runs_the_notebook_where_it_lies(ws: Workspace, links: Path, tmp_path: Path) -> None:
    kernel = capture_packages(["ipykernel"])
    pins = [f"{p.name}=={p.version}" for p in kernel.packages]
    lock = lock_of(*pins, "zz-tiny==1.0", imports={"zz_tiny": ["zz-tiny"]})
    good = bundle_of(
        tmp_path / "good", lock, "import zz_tiny\nprint(open('data.csv').read(), zz_tiny.__version__)"
    )
    there = tmp_path / "project" / "nb" / "try.ipynb"
    there.parent.mkdir()
    there.write_bytes((good / "notebook.ipynb").read_bytes())
    (there.parent / "data.csv").write_text("1,2")
    said: list[str] = []
    found = try_clean(good, said.append, ws=ws, run=True, notebook=there)
    assert (found["ok"], found["problems"], found["run"]["status"]) == (True, [], "succeeded")
    assert "running the notebook" in said

    bad = bundle_of(
        tmp_path / "bad", lock, "import zz_tiny\n\nimport importlib\nimportlib.import_module('num' + 'py')"
    )
    found = try_clean(bad, ws=ws, run=True)  # nothing that is read shows it: only the run does
    assert not found["ok"]
    assert "run in the locked environment: " in found["problems"][0]
    assert "No module named 'numpy'" in found["problems"][0]


def test_a_try_before_the_promotion_and_what_is_collected_after(
    ws: Workspace, write: Write, links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    worker_has(tmp_path / "one", "1.0", monkeypatch)
    path = write("tiny.ipynb", "import zz_tiny")
    command = ["--workspace", str(ws.root), "promote", str(path), "--environment", "locked", "--try"]
    assert call([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["tried"]["ok"], told["tried"]["problems"]) == (1, True, [])
    key = told["tried"]["key"]
    assert build.find(build.environments(ws), key) is not None

    worker_has(tmp_path / "two", "9.9", monkeypatch)  # the index does not have that
    assert call(command) == 1
    said = capsys.readouterr()
    assert "zz-tiny 9.9 could not be fetched" in said.out
    assert "the locked environment does not work" in said.out
    assert promote.get(ws, "tiny").version == 1  # nothing was promoted

    later = time.time() + 7_200
    assert collect_environments(ws, keep_days=0, now=later) == (0, 0)  # the job runs in it
    promote.remove(ws, "tiny", "ada")
    assert collect_environments(ws, keep_days=0) == (0, 0)  # young: somebody may be about to promote
    count, size = collect_environments(ws, keep_days=0, now=later, dry_run=True)
    assert (count, size > 100_000) == (1, True)
    assert collect_environments(ws, keep_days=0, now=later) == (1, size)
    assert build.find(build.environments(ws), key) is None
    assert call(["--workspace", str(ws.root), "gc", "--json"]) == 0


def test_whoever_cancels_does_not_wait_for_the_environment(
    ws: Workspace, write: Write, links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "hashed", lambda lock: lock)
    worker_has(tmp_path / "one", "1.0", monkeypatch)
    path = write("tiny.ipynb", "import zz_tiny")
    promote.promote(ws, path, JobSpec(name="tiny", notebook="-", environment="locked"), "ada")
    run_id = promote.trigger(ws, "tiny", "ada")
    row = {**run_row(ws, run_id), "attempt": 1, "owner": "test"}
    for why, status in (("cancel", "cancelled"), ("stop", "stopped")):
        assert execute(ws, row, lambda why=why: why).status == status
    assert [p for p in build.environments(ws).iterdir() if p.is_dir()] == []


def test_what_can_be_mended_by_waiting_is_tried_again(
    ws: Workspace, write: Write, links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "hashed", lambda lock: lock)
    worker_has(tmp_path / "one", "9.9", monkeypatch)  # the index does not have that
    path = write("tiny.ipynb", "import zz_tiny")
    promote.promote(ws, path, JobSpec(name="tiny", notebook="-", environment="locked"), "ada")
    run_id = promote.trigger(ws, "tiny", "ada")
    outcome = execute(ws, {**run_row(ws, run_id), "attempt": 1, "owner": "test"}, lambda: None)
    assert (outcome.status, outcome.final) == ("failed", False)
    assert outcome.error is not None
    assert "zz-tiny 9.9 could not be fetched" in outcome.error["message"]


def test_python_for(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker, locked = (JobSpec(name="a", notebook="a", environment=e) for e in ("worker", "locked"))
    (tmp_path / "old").mkdir()
    assert kernels.python_for(ws, tmp_path / "old", worker) is None
    with pytest.raises(JobError, match="holds no lock: it was promoted by an older aios-workbench"):
        kernels.python_for(ws, tmp_path / "old", locked)
    mine = environment.Package("zz-mine", "1", "editable", {"name": "mine"})
    bundle = bundle_of(tmp_path / "mine", lock_of())
    (bundle / "environment.json").write_text(
        lock_of().__class__(**{**lock_of().__dict__, "packages": (mine,)}).document
    )
    with pytest.raises(JobError, match=r"lacks zz-mine 1 \(editable, from the folder mine\)"):
        kernels.python_for(ws, bundle, locked)
    other = bundle_of(tmp_path / "other", lock_of(python="3.2.0"))
    with pytest.raises(EnvironmentFailed, match=r"no python3\.2 on PATH"):
        kernels.python_for(ws, other, locked)
    monkeypatch.setenv("AIOS_KERNEL_PYTHON", "/image/python")  # as in an image
    assert kernels.python_for(ws, other, locked) == Path("/image/python")
