"""targets, promote --target, run-job and run-step at the command line; kernels are real, orchestrators are not here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from aios_workbench.adapters import ADAPTERS
from aios_workbench.promote.targets import NAMES, all_targets

if TYPE_CHECKING:
    from conftest import Project

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
NIGHTLY = ("nb.ipynb", "--schedule", "0 6 * * *", "--timezone", "Europe/Berlin", "--target")


def notebook(*cells: str, parameters: str = "n: int = 2\nout = 'out.txt'") -> None:
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(c) for c in (parameters, *cells)]
    book.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(book, "nb.ipynb")


WRITES = (
    "import pathlib, helper\npathlib.Path(out).write_text(f'{n} {helper.NAME}')\nassert n < 100, 'too many'"
)


@pytest.fixture
def bundle(project: Project) -> Path:
    Path("helper.py").write_text("NAME = 'promoted'\n")
    notebook(WRITES)
    told = project.json("promote", *NIGHTLY, "crontab", "--out", "jobs", "-p", "n=7", "--timeout", "1m")
    Path("helper.py").write_text("NAME = 'edited'\n")
    return Path(told["bundle"])


def test_targets_are_listed_with_their_evidence(project: Project) -> None:
    found = project.json("targets")
    assert [t["name"] for t in found["targets"]] == list(NAMES)
    assert "what was run" in project("targets").stdout
    known = {a.name: a.level for a in ADAPTERS if a.purpose == "target of promotion"}
    assert known == {t.title: t.evidence for t in all_targets()}


def test_the_cap_on_memory_holds_wherever_a_job_runs(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aios_workbench.cli import headless
    from aios_workbench.promote.spec import JobSpec

    notebook("kept = bytearray(300_000_000)\nimport time\ntime.sleep(60)")
    spec = JobSpec(name="greedy", notebook="nb.ipynb", memory="250MB")
    monkeypatch.setattr(headless, "_read", lambda _: spec)
    Path("nb.ipynb").rename("notebook.ipynb")
    done = project.json("run-job", ".", code=1)
    assert (done["status"], done["error"]["type"], done["error"]["cell"]) == ("failed", "MemoryLimit", 2)


def test_a_job_runs_as_it_was_promoted(project: Project, bundle: Path) -> None:
    done = project.json("run-job", bundle)
    assert done["status"] == "succeeded"
    assert Path("out.txt").read_text() == "7 promoted"
    project("run-job", bundle, "--params", '{"n": 8, "out": "a.txt"}', "-p", "n=9")
    assert Path("a.txt").read_text() == "9 promoted"
    elsewhere = Path("elsewhere")
    elsewhere.mkdir()
    project("run-job", bundle, "--cwd", elsewhere)
    assert (elsewhere / "out.txt").read_text() == "7 promoted"
    assert {p.name for p in bundle.iterdir() if p.name != "__pycache__"} == {
        "environment.json", "helper.py", "job.yaml", "manifest.json", "notebook.ipynb", "requirements.lock",
        "sbom.json",
    }  # fmt: skip


def test_its_exit_codes_say_what_happened(project: Project, bundle: Path) -> None:
    failed = project("run-job", bundle, "-p", "n=100", "--retries", "1", "--retry-delay", "0", code=1)
    assert failed.stderr.count("too many") >= 2
    assert "try 2 of 2" in failed.stderr
    assert "must be int" in project.error("run-job", bundle, "-p", "n=x", code=2)
    assert "JSON object" in project.error("run-job", bundle, "--params", "[1]", code=2)
    assert "not JSON" in project.error("run-job", bundle, "--params", "{", code=2)
    (bundle / "helper.py").chmod(0o600)
    (bundle / "helper.py").write_text("NAME = 'changed'\n")
    assert "helper.py was changed" in project.error("run-job", bundle, code=2)
    assert "is gone" in project.error("run-job", "nowhere", code=2)


def test_a_job_that_takes_too_long_fails(project: Project) -> None:
    notebook("import time\ntime.sleep(600)")
    told = project.json("promote", *NIGHTLY, "crontab", "--out", "jobs", "--timeout", "1s")
    done = project.json("run-job", told["bundle"], code=1)
    assert done["status"] == "timeout"
    assert "took longer than 1.0 s" in done["error"]["message"]


def test_gates_answer_as_the_job_says(project: Project) -> None:
    notebook(
        "import aios_workbench as aios\nwf = aios.Workflow('gated')\n@wf.gate\ndef look():\n    return 1\n"
        "run = wf.run()\nimport time\nwhile run.status in ('queued', 'running'): time.sleep(.05)"
    )
    asked = project.json("promote", *NIGHTLY, "crontab", "--out", "asked")
    assert project.json("run-job", asked["bundle"], code=6)["status"] == "waiting"
    sure = project.json("promote", *NIGHTLY, "crontab", "--out", "sure", "--gate", "look=approve")
    assert project.json("run-job", sure["bundle"])["runs"][0]["status"] == "succeeded"


def test_writing_again_changes_nothing(project: Project) -> None:
    notebook("print(n)")
    first = project.json("promote", *NIGHTLY, "airflow", "--out", "dags")
    assert first["written"] == first["files"] != []
    before = {p: p.read_bytes() for p in Path("dags").rglob("*") if p.is_file()}
    again = project.json("promote", *NIGHTLY, "airflow", "--out", "dags")
    assert again["written"] == []
    assert {p: p.read_bytes() for p in Path("dags").rglob("*") if p.is_file()} == before
    assert "unchanged" in project("promote", *NIGHTLY, "airflow", "--out", "dags").stdout
    notebook("print(n + 1)")
    changed = project.json("promote", *NIGHTLY, "airflow", "--out", "dags")
    assert changed["bundle_hash"] != first["bundle_hash"]
    assert [Path(f).name for f in changed["written"]] == ["dag.py"]
    text = Path(changed["files"][0]).read_text()
    assert (
        "aios promote nb.ipynb --schedule '0 6 * * *' --timezone Europe/Berlin --target airflow --out dags"
        in text
    )
    jobs = project.json("jobs", "list")["jobs"]
    assert jobs == [], "it would run twice: here and there"


def test_a_scheduler_that_is_somebody_else_can_read_the_bundle(project: Project, bundle: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in (bundle, *bundle.iterdir())}
    assert modes.pop("bundle") == 0o755
    assert set(modes.values()) == {0o444}


def test_execute_is_verified_too(project: Project) -> None:
    notebook("print(n)")
    told = project.json(
        "promote", *NIGHTLY, "crontab", "--out", "jobs", "--command", "no-such-command", "--execute", code=1
    )
    assert [c["ok"] for c in told["verification"]["checks"]] == [True, False]
    assert "no-such-command" in told["verification"]["checks"][-1]["output"]
    shown = project(
        "promote", *NIGHTLY, "crontab", "--out", "jobs", "--command", "no-such-command", "--execute", code=1
    )
    assert "no-such-command" in shown.stderr


def test_what_others_wrote_is_left_alone(project: Project) -> None:
    notebook("print(n)")
    mine = Path("dags/nb/dag.py")
    mine.parent.mkdir(parents=True)
    mine.write_text("# mine\n")
    assert "was not written by this command" in project.error(
        "promote", *NIGHTLY, "airflow", "--out", "dags", code=4
    )
    assert mine.read_text() == "# mine\n"
    assert [p.name for p in mine.parent.iterdir()] == ["dag.py"]
    Path("other/nb/bundle").mkdir(parents=True)
    assert "is no bundle" in project.error("promote", *NIGHTLY, "airflow", "--out", "other", code=4)


def test_limits_are_told(project: Project) -> None:
    notebook("print(n)")
    told = project("promote", *NIGHTLY, "crontab", "--out", "jobs", "--missed", "all").stdout
    assert "what crontab cannot express of this job:" in told
    assert "missed runs: the job wants 'all', the target does 'skip'" in told
    assert "CRON_TZ" in told
    refused = project.error("promote", *NIGHTLY, "github", "--out", "jobs2", code=2)
    assert "moves against UTC twice a year" in refused
    assert not Path("jobs2").exists()


def test_secrets_stay_out(project: Project) -> None:
    notebook("print(n)", parameters="n: int = 1\napi_key: str = ''")
    words = project.error("promote", *NIGHTLY, "airflow", "--out", "dags", "-p", "api_key=hunter2", code=2)
    assert "looks like a secret" in words
    assert "hunter2" not in words
    assert not Path("dags").exists()


def test_wrong_targets(project: Project) -> None:
    notebook("print(n)")
    assert "did you mean 'airflow'" in project.error("promote", *NIGHTLY, "airflo", code=3)
    project("run", "flows.py:hello")
    words = project.error("promote", *NIGHTLY, "airflow", "--grain", "steps", code=3)
    assert "a workflow of nb.ipynb has not run" in words


def test_steps_from_the_newest_run(project: Project) -> None:
    notebook("print(n)")
    project("run", "flows.py:hello", "-p", "times=2")
    words = ("airflow", "--grain", "steps", "--workflow", "hello", "--out", "dags")
    told = project.json("promote", *NIGHTLY, *words)
    assert told["grain"] == "steps"
    bundle = told["bundle"]
    first = project(
        "run-step", bundle, "greeting", "--run", "r", "--params", '{"who": "ada"}'
    ).stdout.splitlines()[-1]
    again = project(
        "run-step", bundle, "greeting", "--run", "r", "--params", '{"who": "ada"}'
    ).stdout.splitlines()[-1]
    assert json.loads(first) == json.loads(again)
    inputs = ("--params", '{"who": "ada"}', "--inputs", f"[{first}]", "--reference-file", "ref.json")
    done = project("run-step", bundle, "shout", "--run", "r", *inputs).stdout.splitlines()[-1]
    assert json.loads(done) == json.loads(Path("ref.json").read_text())
    assert json.loads(done)["status"] == "succeeded"
    assert project.json("show", json.loads(done)["run"])["status"] == "succeeded"
    assert "not among the inputs" in project("run-step", bundle, "shout", "--run", "other", code=2).stderr
    assert "only as notebook" in project.error("promote", *NIGHTLY, "crontab", *words[1:], code=2)
    assert "'gone' has not run" in project.error("promote", *NIGHTLY, "airflow", "--grain", "steps", "--workflow",
                                                 "gone", code=3)  # fmt: skip
