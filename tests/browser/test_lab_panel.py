"""The side panel, the status item and the promote dialog in a real JupyterLab, with a real kernel and worker.

With AIOS_SHOTS set to a folder, each state is also kept there as a picture.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, Page, Route, expect

SHOTS = os.environ.get("AIOS_SHOTS")

WORKFLOW = """
import time
import aios_workbench as aios
import pandas as pd
from pydantic import BaseModel, Field

class Review(BaseModel):
    threshold: float = Field(0.7, ge=0, le=1, description="Claims above go to an adjuster")
    note: str = Field("", max_length=500)
    urgent: bool = False

wf = aios.Workflow("panel-triage")

@wf.step
def load(rows: int = 45):
    print("loading", rows)
    return pd.DataFrame({"claim": range(rows), "<img src=x onerror=alert(1)>": ["<b>x</b>"] * rows})

@wf.step
def score(load, seconds: float = 1.0):
    for i in range(10):
        time.sleep(seconds / 10)
        aios.context().progress((i + 1) / 10, f"{i + 1} of 10 parts")
    return load.assign(score=load.claim / 45)

@wf.gate(form=Review, timeout="2d")
def review(score):
    return score[score.score > 0.3]

@wf.step
def report(review, score):
    return {"approved": review.approved, "threshold": review.threshold, "note": review.note}
"""

FAILING = """
import aios_workbench as aios
broken = aios.Workflow("panel-broken")

@broken.step
def fetch():
    raise ConnectionError("the catalog <i>service</i> refused the connection")

@broken.step
def enrich(fetch): ...

failed = broken.run()
try:
    failed.result()
except Exception as e:
    print(type(e).__name__)
"""


@pytest.fixture
def lab_page(page: Page) -> Iterator[Page]:
    """A page on which nothing may raise, and no inserted text may become a script."""
    wrong: list[str] = []
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.on("dialog", lambda d: (wrong.append(f"dialog: {d.message}"), d.dismiss()))
    yield page
    assert wrong == []


def shot(page: Page, name: str) -> None:
    """Keep a picture when somebody wants to look."""
    if SHOTS:
        page.wait_for_timeout(350)
        page.screenshot(path=f"{SHOTS}/panel_{name}.png")


def command(page: Page, name: str, args: dict[str, Any] | None = None) -> None:
    page.evaluate("([n, a]) => { window.jupyterapp.commands.execute(n, a); }", [name, args or {}])


def theme(page: Page, name: str) -> None:
    page.evaluate(
        "n => window.jupyterapp.commands.execute('apputils:change-theme', {theme: n})", f"JupyterLab {name}"
    )
    expect(page.locator(f"body[data-jp-theme-name='JupyterLab {name}']")).to_be_attached()
    # The lab covers the change with its splash, and fails when a second change comes while that fades out.
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def tab(page: Page, name: str) -> None:
    page.locator(f"#aios-tab-{name}").click()


def fold(item: Locator) -> None:
    item.locator(".aios-fold-head").click()


def parametrised(path: Path, parameters: str, *sources: str) -> str:
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
    book.cells = [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    book.cells += [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(book, path)
    return path.name


def fake_snapshot(page: Page, status: int = 200, **changes: Any) -> Callable[[], None]:
    """Answer snapshots in the server's place; returns the undo."""
    empty = {
        "workspace": {"path": "/w/.aios", "shown": ".aios", "exists": False}, "now": 1.8e9, "actor": "ana", "seq": 0,
        "runs": [], "gates": [], "decided": [], "jobs": [], "counts": {}, "workflows": [], "workers": 0, "newest": None,
        "failure": None,
    }  # fmt: skip

    def answer(route: Route) -> None:
        body = {**empty, **changes} if status < 400 else changes
        route.fulfill(status=status, content_type="application/json", body=json.dumps(body))

    page.route("**/aios/snapshot*", answer)
    return lambda: page.unroute("**/aios/snapshot*", answer)


def test_a_run_is_seen_live_and_its_gate_decided(
    lab_page: Page, lab: Any, notebook: Callable[..., str]
) -> None:
    page = lab_page
    path = notebook("panel_live.ipynb", WORKFLOW, "run = wf.run(seconds=3.0)", "run.result(timeout=120)")
    lab.open(page, f"/tree/{path}")
    command(page, "aios:open-panel")
    expect(page.get_by_test_id("aios-workspace")).to_have_text(".aios")
    lab.run_all(page)

    run = page.get_by_test_id("aios-run").filter(has_text="panel-triage").first
    expect(run).to_contain_text("running", timeout=60_000)
    run = page.locator(f"[data-id='{run.get_attribute('data-id')}']")
    fold(run)
    step = run.get_by_test_id("aios-step")
    expect(step).to_have_count(4)
    expect(step.nth(1).get_by_role("progressbar")).to_be_visible()
    expect(step.nth(1)).to_contain_text(re.compile(r"\d+ of 10 parts"))
    expect(page.get_by_test_id("aios-status")).to_contain_text("running")
    shot(page, "live_light")

    done = run.get_by_role("progressbar", name="panel-triage: steps done")
    expect(done).to_have_attribute("aria-valuenow", "2", timeout=30_000)
    expect(run).to_contain_text("waiting")
    expect(page.get_by_test_id("aios-status")).to_contain_text("waiting")
    run.get_by_role("button", name="Decide").click()
    gate = page.locator(f"[data-id='{run_id(page, 'panel-triage')}/review']")
    expect(gate.get_by_role("table")).to_contain_text("<img src=x onerror=alert(1)>")
    expect(gate.get_by_role("columnheader").nth(1)).to_contain_text("claim")
    gate.get_by_role("button", name="Next").click()
    expect(gate.get_by_role("row").nth(1)).to_contain_text("34")
    shot(page, "gate_light")

    gate.get_by_label("Threshold").fill("7")
    gate.get_by_role("button", name="Approve").click()
    expect(gate.get_by_role("alert")).to_have_text("At most 1.")
    expect(gate.get_by_label("Threshold")).to_be_focused()
    gate.get_by_role("button", name="Reject").click()
    expect(gate.get_by_label("Reason")).to_be_focused()
    shot(page, "gate_errors")
    gate.get_by_label("Reason").press("Control+Enter")  # still to reject, and still without a reason
    expect(gate.get_by_role("alert")).to_contain_text("Say why")
    gate.get_by_label("Reason").press("Escape")
    gate.get_by_label("Threshold").fill("0.8")
    gate.get_by_label("Note").fill("<script>alert(2)</script>")
    gate.get_by_label("Note").press("Control+Enter")
    expect(page.get_by_text("Approved “review” of panel-triage.")).to_be_visible()

    tab(page, "runs")
    run = page.get_by_test_id("aios-run").filter(has_text="panel-triage").first
    expect(run).to_contain_text("succeeded", timeout=30_000)
    expect(run).to_contain_text("4/4")
    expect(page.locator(".jp-OutputArea-output").last).to_contain_text("'threshold': 0.8", timeout=30_000)

    fold(run)
    run.get_by_role("button", name="score", exact=True).click()
    view = page.locator(".aios-inspector-tab .aiosw-detail")
    expect(view).to_contain_text("<b>x</b>")
    expect(view).to_contain_text("45")
    run.get_by_role("button", name="load", exact=True).click()
    view.get_by_role("tab", name="Log").click()
    expect(view.get_by_role("log")).to_contain_text("loading 45")
    shot(page, "step_light")

    run.get_by_role("button", name="Rerun from report").click()
    rerun = page.get_by_test_id("aios-run").filter(has_text="panel-triage").first
    expect(rerun.get_by_text("rerun of")).to_be_visible(timeout=30_000)
    expect(rerun).to_contain_text("succeeded", timeout=60_000)  # done by a worker that was started for it
    expect(rerun.get_by_test_id("aios-step").nth(1)).to_contain_text("cached")


def run_id(page: Page, workflow: str) -> str:
    """Return the id of the newest run of a workflow, as the server knows it."""
    found = page.evaluate(
        "async w => (await (await fetch('/aios/runs?workflow=' + encodeURIComponent(w))).json()).runs[0].run_id",
        workflow,
    )
    return str(found)


def test_failures_filter_and_themes(lab_page: Page, lab: Any, notebook: Callable[..., str]) -> None:
    page = lab_page
    lab.open(page, f"/tree/{notebook('panel_fail.ipynb', FAILING)}")
    command(page, "aios:open-panel")
    lab.run_all(page)
    run = page.get_by_test_id("aios-run").filter(has_text="panel-broken").first
    expect(run).to_contain_text("failed", timeout=60_000)
    fold(run)
    error = run.get_by_test_id("aios-error")
    expect(error).to_contain_text("ConnectionError: the catalog <i>service</i> refused the connection")
    error.get_by_role("button", name="Show traceback").click()
    expect(error).to_contain_text("in fetch")
    shot(page, "failed_light")

    search = page.get_by_label("Search runs by workflow, id, parameters, steps or errors")
    search.fill("BROKEN")
    expect(page.get_by_test_id("aios-run")).to_have_count(1)
    search.fill("no such thing")
    expect(page.get_by_text("No run matches")).to_be_visible()
    page.get_by_role("button", name="Show all runs").click()
    expect(run).to_be_visible()
    page.get_by_label("Filter runs by status").select_option("failed")
    expect(page.get_by_test_id("aios-run").filter(has_text="succeeded")).to_have_count(0)
    expect(run).to_be_visible()
    page.get_by_label("Filter runs by status").select_option("")

    # The keyboard alone: arrows between the tabs, Enter opens a run, focus is where one looks.
    page.locator("#aios-tab-runs").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#aios-tab-waiting")).to_be_focused()
    expect(page.locator("#aios-tab-waiting")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(page.locator("#aios-tab-jobs")).to_be_focused()
    page.keyboard.press("Home")
    run.locator(".aios-fold-head").focus()
    page.keyboard.press("Enter")
    expect(run.locator(".aios-fold-head")).to_have_attribute("aria-expanded", "true")

    theme(page, "Dark")
    shot(page, "failed_dark")
    theme(page, "Light")


def promote_step(form: Locator, name: str) -> None:
    """Go to a step of the promote dialog."""
    form.get_by_role("navigation", name="Steps").get_by_role("button", name=name).click()
    expect(form).to_have_attribute("data-step", name.lower())


def test_promote_run_and_look_after_a_job(lab_page: Page, lab: Any) -> None:
    page = lab_page
    path = parametrised(
        lab.root / "panel_job.ipynb", "rows: int = 45\nlabel: str = 'claims'\ndry: bool = False",
        WORKFLOW, "run = wf.run(rows=rows, seconds=0.1)\nprint(label, run.result(timeout=60))\n"
        "from IPython.display import HTML\nHTML('<script>document.title = \"taken over\"</script><p>my table</p>')",
    )  # fmt: skip
    lab.open(page, f"/tree/{path}")
    page.locator(".jp-NotebookPanel-toolbar .aios-promote-button").click()
    form = page.get_by_test_id("aios-promote-form")
    expect(form.get_by_label("Name", exact=True)).to_have_value("panel_job")
    promote_step(form, "When")
    expect(form.get_by_test_id("aios-ticks").locator("li")).to_have_count(10)
    shot(page, "promote_light")

    form.get_by_label("Cron").check()
    cron = form.get_by_role("textbox", name="Cron")
    cron.fill("0 25 * * *")
    page.evaluate("document.querySelector('.jp-Notebook').focus()")  # as a notebook that opens late does
    expect(cron).to_be_focused()
    form.get_by_label("Time zone").fill("Europe/Berln")
    expect(form.get_by_text("bad hour field")).to_be_visible()
    expect(form.get_by_text("did you mean 'Europe/Berlin'")).to_be_visible()
    promote_step(form, "Parameters")
    form.get_by_label("rows").fill("many")
    promote_step(form, "Approve")
    promote = form.get_by_role("button", name="Promote", exact=True)
    expect(promote).to_be_disabled()
    promote_step(form, "Parameters")
    expect(form.get_by_text("Not a number.")).to_be_visible()
    shot(page, "promote_errors")
    form.get_by_label("rows").fill("12")
    form.get_by_label("label").fill("<img src=x onerror=alert(3)>")
    form.get_by_label("review").select_option("approve")
    promote_step(form, "When")
    form.get_by_role("textbox", name="Cron").fill("0 6 * * MON-FRI")
    form.get_by_label("Time zone").fill("Europe/Berlin")
    expect(form.get_by_test_id("aios-ticks")).to_contain_text("Monday through Friday (Europe/Berlin)")
    expect(form.get_by_test_id("aios-ticks").locator("li").first).to_contain_text("06:00")
    form.get_by_text("If something goes wrong").click()
    form.get_by_label("Timeout").fill("10m")
    promote_step(form, "Approve")
    promote.click()
    form.get_by_role("button", name="Show job").click()

    job = page.get_by_test_id("aios-job").filter(has_text="panel_job")
    expect(job).to_contain_text("Monday through Friday (Europe/Berlin)")
    expect(job).to_contain_text(re.compile(r"next \w{3},? \d+ \w{3}, 06:00"))
    expect(job).to_contain_text("<img src=x onerror=alert(3)>")
    job.get_by_role("button", name="Run now").click()
    done = job.get_by_test_id("aios-job-run").first
    expect(done).to_have_attribute("data-status", "succeeded", timeout=120_000)
    shot(page, "job_light")
    theme(page, "Dark")
    shot(page, "job_dark")
    theme(page, "Light")

    with page.context.expect_page() as opened:
        done.get_by_role("link", name="Report").click()
    report = opened.value
    report.wait_for_load_state()
    expect(report.get_by_text("my table", exact=True)).to_be_visible()
    expect(report.get_by_text("'approved': True")).to_be_visible()
    assert report.title() != "taken over"  # the sandbox runs no script
    report.close()

    done.get_by_role("button", name="Steps").click()
    run = page.get_by_test_id("aios-run").filter(has_text="job panel_job").first
    expect(run.get_by_test_id("aios-step")).to_have_count(4)
    tab(page, "jobs")
    fold(job)
    job.get_by_role("button", name="Pause").click()
    expect(job).to_contain_text("paused")
    job.get_by_role("button", name="Resume").click()
    expect(job.get_by_role("button", name="Pause")).to_be_visible()
    job.get_by_role("tab", name="About").click()
    job.get_by_role("button", name="Remove…").click()
    page.get_by_role("button", name="Remove job").click()
    expect(job).to_have_count(0)


def test_promote_from_the_file_browser(lab_page: Page, lab: Any, notebook: Callable[..., str]) -> None:
    page = lab_page
    notebook("panel_menu.ipynb", "1 + 1")
    lab.open(page)
    page.locator(".jp-DirListing-item", has_text="panel_menu.ipynb").click(button="right")
    page.get_by_role("menuitem", name="Promote to a Job…").click()
    form = page.get_by_test_id("aios-promote-form")
    expect(form).to_contain_text("panel_menu.ipynb")
    promote_step(form, "Parameters")
    expect(form).to_contain_text("No parameters")
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)


def test_empty_and_broken_states(lab_page: Page, lab: Any) -> None:
    page = lab_page
    undo = fake_snapshot(page)
    lab.open(page)
    command(page, "aios:open-panel")
    expect(page.get_by_text("No runs yet")).to_be_visible()
    expect(page.get_by_test_id("aios-example")).to_contain_text("@wf.step")
    shot(page, "empty_runs")
    tab(page, "waiting")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    tab(page, "jobs")
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    shot(page, "empty_jobs")
    undo()

    failure = {"run_id": "r1", "workflow": "nightly <b>", "status": "failed", "ended_at": 1.0}
    undo = fake_snapshot(page, failure=failure)
    page.get_by_role("button", name="Refresh").first.click()
    expect(page.get_by_test_id("aios-status")).to_contain_text("nightly <b> failed")
    undo()

    undo = fake_snapshot(page, 507, message="no space left for /w/.aios/catalog.db; free some disk space")
    page.get_by_role("button", name="Refresh").first.click()
    alert = page.locator(".aios-panel [role=alert]")
    expect(alert).to_contain_text("No space left for /w/.aios/catalog.db")
    expect(page.get_by_test_id("aios-status")).to_contain_text("not available")
    shot(page, "error")
    undo()
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_have_count(0)
