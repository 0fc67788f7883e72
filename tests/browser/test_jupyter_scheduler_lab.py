"""jupyter-scheduler's own dialog and lists with our engine behind them, in a real JupyterLab, over its own API.

jupyter-scheduler is installed beside the environment, not into it: it wants older libraries than others need.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from aios_workbench.promote import history, list_jobs
from aios_workbench.promote.records import bundle_folder
from aios_workbench.promote.targets.environments import cache, clean
from aios_workbench.workspace import Workspace, workspace

if TYPE_CHECKING:
    from conftest import Lab
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PINS = ("jupyter-scheduler==2.12.1", "pytz==2024.2")
BACKEND = "aios_workbench.server.scheduler_backend"
HOSTILE = "<img src=x onerror=alert(1)>"


def beside() -> Path:
    """The folder jupyter-scheduler is installed into, once."""
    folder = cache() / "-".join(["scheduler", *(pin.partition("==")[2] for pin in PINS)])
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "scheduler.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder)]
            subprocess.run([*pip, *PINS], check=True, env=clean())
            (folder / "complete").touch()
    return folder


class Scheduler:
    """jupyter-scheduler's API as its front end calls it."""

    def __init__(self, lab: Lab, ws: Workspace) -> None:
        self.lab, self.ws = lab, ws

    def __call__(self, method: str, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.lab.base}/scheduler/{path}", method=method,
            data=json.dumps(body).encode() if method in ("POST", "PATCH") else None,
            headers={"Authorization": f"token {self.lab.token}"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as e:
            return e.code, json.loads(e.read())["message"]
        return json.loads(text) if text else None

    def write(self, name: str, source: str) -> str:
        book = nbformat.v4.new_notebook(
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        )
        first = nbformat.v4.new_code_cell("n: int = 1", metadata={"tags": ["parameters"]})
        book.cells = [first, nbformat.v4.new_code_cell(source)]
        nbformat.write(book, self.lab.root / name)
        return name

    def run(self, notebook: str, **more: Any) -> str:
        made = self("POST", "jobs", **_job(notebook, **more))
        assert "job_id" in made, made
        return str(made["job_id"])

    def count(self, status: str) -> int:
        return int(self("GET", f"jobs/count?status={status}")["count"])

    def ended(self, job_id: str) -> dict[str, Any]:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            found: dict[str, Any] = self("GET", f"jobs/{job_id}")
            if found["status"] in ("COMPLETED", "FAILED", "STOPPED"):
                return found
            time.sleep(0.3)
        pytest.fail(f"{job_id} is {found['status']}")


def _job(notebook: str, **more: Any) -> dict[str, Any]:
    return {"input_uri": notebook, "name": notebook, "runtime_environment_name": "aios", **more}


@pytest.fixture(scope="module")
def api(labs: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduler]:
    root, home = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("home")
    site = beside()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(site), prepend=":")
        patch.setenv("JUPYTER_PATH", str(site / "share" / "jupyter"))
        arguments = (
            "--ServerApp.jpserver_extensions=jupyter_scheduler=True",
            f"--SchedulerApp.scheduler_class={BACKEND}.AiosScheduler",
            f"--SchedulerApp.environment_manager_class={BACKEND}.AiosEnvironments",
            "--SchedulerApp.db_url=sqlite://",
        )
        with labs(root, home, "/", *arguments) as lab:
            ws = workspace(root / ".aios")
            yield Scheduler(lab, ws)
            for row in ws.catalog.query(
                "select pid from executors where ended_at is null and kind = 'worker'"
            ):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(row["pid"], signal.SIGTERM)
            ws.close()


def test_a_run_of_now_says_what_became_of_it(api: Scheduler) -> None:
    before = {status: api.count(status) for status in ("COMPLETED", "FAILED")}
    good = api.write("good.ipynb", "print('n is', n + 1)")
    started = api.run(good, parameters={"n": "41"}, idempotency_token="once")
    assert api("POST", "jobs", **_job(good, idempotency_token="once"))[0] == 409
    found = api.ended(started)
    assert (found["status"], found["parameters"], found["job_definition_id"]) == (
        "COMPLETED",
        {"n": "41"},
        None,
    )
    assert api("GET", f"jobs/{started}/download_files") is None
    files: dict[str, str] = {}
    for _ in range(100):
        files = {f["file_format"]: f["file_path"] for f in api("GET", f"jobs/{started}")["job_files"]}
        if all(files.values()):
            break
        time.sleep(0.2)
    assert "n is 42" in (api.lab.root / files["ipynb"]).read_text()
    assert "n is 42" in (api.lab.root / files["html"]).read_text()
    # its own engine calls this one completed, when its outputs are archived
    failed = api.ended(api.run(api.write("bad.ipynb", "1 / 0")))
    assert failed["status"] == "FAILED"
    assert failed["status_message"] == "ZeroDivisionError: division by zero (cell 2)"
    assert {j["job_id"] for j in api("GET", "jobs?status=FAILED")["jobs"]} == {failed["job_id"]}
    assert api.count("COMPLETED") == before["COMPLETED"] + 1
    names = [j["name"] for j in api("GET", "jobs?sort_by=asc(name)")["jobs"]]
    assert names == sorted(names, key=str.casefold)
    page = api("GET", "jobs?sort_by=asc(name)&max_items=1")
    assert ([j["name"] for j in page["jobs"]], page["total_count"]) == (names[:1], len(names))
    assert api("DELETE", f"jobs/{failed['job_id']}") is None
    assert api.count("FAILED") == before["FAILED"]
    assert api("GET", f"jobs/{failed['job_id']}")[0] == 500
    (kept,) = [r for r in history(api.ws) if r["job_run_id"] == failed["job_id"]]
    assert kept["status"] == "failed", "what happened stays in the history"
    assert kept["files"] == {}


def test_parameters_are_values_and_bad_ones_are_refused(api: Scheduler) -> None:
    book = api.write("typed.ipynb", "print(n)")
    code, message = api("POST", "jobs", **_job(book, parameters={"n": "__import__('os').abort()"}))
    assert code == 500, "the only code its handlers know"
    assert "must be int, not str" in message
    assert "no parameter 'm'" in api("POST", "jobs", **_job(book, parameters={"m": "1"}))[1]
    assert "does not exist" in api("POST", "jobs", **_job("../../etc/passwd"))[1]
    assert "does not exist" in api("POST", "jobs", **_job("none.ipynb"))[1]
    secret = api.write("broken.ipynb", "undefined_name")
    assert "'undefined_name' is not defined" in api("POST", "jobs", **_job(secret))[1], (
        "it is checked like any promotion"
    )


def test_a_run_that_goes_on_is_stopped(api: Scheduler) -> None:
    started = api.run(api.write("long.ipynb", "import time\nprint(n)\ntime.sleep(600)"))
    for _ in range(400):
        if api("GET", f"jobs/{started}")["status"] == "IN_PROGRESS":
            break
        time.sleep(0.2)
    assert api("PATCH", f"jobs/{started}", status="STOPPED") is None
    assert api.ended(started)["status"] == "STOPPED"
    assert api("PATCH", f"jobs/{started}", name="other")[0] == 500


def test_a_definition_is_a_scheduled_job(api: Scheduler) -> None:
    book = api.write("nightly.ipynb", "print(n)")
    when = {"schedule": "0 6 * * *", "timezone": "Europe/Berlin"}
    made = api("POST", "job_definitions", **_job(book, parameters={"n": "7"}, **when))["job_definition_id"]
    again = api("POST", "job_definitions", **_job(book, **when))["job_definition_id"]
    assert "fields, not 5" in api("POST", "job_definitions", **_job(book, schedule="6 o'clock"))[1]
    jobs = {j.job_id: j for j in list_jobs(api.ws)}
    assert (jobs[made].spec.parameters, jobs[made].spec.timezone) == ({"n": 7}, "Europe/Berlin")
    assert jobs[made].next_tick_at is not None
    assert jobs[again].name == "nightly.ipynb (2)", "names need not be unique there"
    api.write("nightly.ipynb", "print('edited since')")
    assert api("PATCH", f"job_definitions/{made}", schedule="0 7 * * *", active=False) is None
    found = api("GET", f"job_definitions/{made}")
    assert (found["schedule"], found["active"], found["parameters"]) == ("0 7 * * *", False, {"n": "7"})
    job = next(j for j in list_jobs(api.ws) if j.job_id == made)
    assert (job.version, job.status) == (2, "paused")
    bundle = bundle_folder(api.ws, made, 2) / "notebook.ipynb"
    assert "edited since" not in bundle.read_text(), "what is promoted stays what it was"
    assert api("PATCH", f"job_definitions/{made}", name="another")[0] == 500
    assert api("PATCH", f"job_definitions/{made}", active=True) is None
    started = api("POST", f"job_definitions/{made}/jobs", parameters={"n": "9"})["job_id"]
    run = api.ended(started)
    assert (run["status"], run["job_definition_id"], run["parameters"]) == ("COMPLETED", made, {"n": "9"})
    assert [d["name"] for d in api("GET", "job_definitions?name=nightly&sort_by=asc(name)")["job_definitions"]] == [
        "nightly.ipynb", "nightly.ipynb (2)",
    ]  # fmt: skip
    assert api("DELETE", f"job_definitions/{again}") is None
    assert again not in {j.job_id for j in list_jobs(api.ws)}


def test_its_lists_and_dialog_work(api: Scheduler, page: Page) -> None:
    from playwright.sync_api import expect

    api.ended(api.run(api.write("shown.ipynb", "print(n)"), name=HOSTILE))
    page.on("dialog", lambda d: pytest.fail(f"a name was taken for HTML: {d.message}"))
    api.lab.open(page)
    page.evaluate("() => window.jupyterapp.commands.execute('scheduling:list-jobs-from-launcher')")
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    expect(page.get_by_text("Completed").first).to_be_visible()
    if folder := os.environ.get("AIOS_SHOTS"):
        page.screenshot(path=f"{folder}/jupyter-scheduler.png")


def test_its_form_makes_a_job(api: Scheduler, page: Page) -> None:
    from playwright.sync_api import expect

    api.write("form.ipynb", "print(n)")
    api.lab.open(page)
    page.get_by_role("button", name="Refresh the file browser").first.click()
    page.locator(".jp-DirListing-item", has_text="form.ipynb").click()
    page.evaluate("() => { window.jupyterapp.commands.execute('scheduling:create-from-filebrowser'); }")
    name = page.get_by_label("Job name")
    expect(name).to_be_visible()
    name.fill("from the form")
    if folder := os.environ.get("AIOS_SHOTS"):
        page.screenshot(path=f"{folder}/jupyter-scheduler-form.png")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_text("from the form").first).to_be_visible()
    (run,) = [r for r in history(api.ws) if r["job"] == "from the form"]
    assert api.ended(run["job_run_id"])["status"] == "COMPLETED"
