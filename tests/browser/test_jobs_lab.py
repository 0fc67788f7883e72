"""The jobs panel in a real JupyterLab, on a workspace with jobs of every kind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jobs_story import HOSTILE, add_cells, add_run, end_cell, make_job, past, tell, write_notebook
from panel_kit import a_job, answers, command, fold, look_again, open_lab, set_width, shot, theme
from playwright.sync_api import Browser, Locator, Page, expect

from aios_workbench.engine import leases
from aios_workbench.govern import actor
from aios_workbench.promote import pause, rollout
from aios_workbench.workspace import Workspace


@pytest.fixture(scope="module")
def ws(lab: Any) -> Iterator[Workspace]:
    """The workspace of the lab, with its jobs."""
    workspace = Workspace(lab.root / ".aios")
    yield workspace
    workspace.close()


@pytest.fixture(scope="module")
def jobs(ws: Workspace) -> dict[str, str]:
    """Jobs by what they are there for."""
    every = {"schedule": "0 6 * * *", "timezone": "Europe/Berlin"}
    ids = {
        "good": make_job(ws, "a good one", **every, parameters={"rows": 7}),
        "bad": make_job(ws, f"broken {HOSTILE}", **every, alerts=["json://user:secret@example.invalid"]),
        "idle": make_job(ws, "only by hand"),
        "paused": make_job(ws, "resting", schedule="30 2 * * *", timezone="Europe/Berlin"),
    }
    past(ws, ids["good"], "ssksfsstscsssssss")
    past(ws, ids["bad"], "sssff")
    past(ws, ids["paused"], "ss")
    pause(ws, ids["paused"], "ana")
    return ids


@pytest.fixture(scope="module")
def opened(browser: Browser, lab: Any, jobs: dict[str, str]) -> Iterator[Page]:
    """One page for all: the lab with the jobs in sight. No script may fail, and nothing hostile may run."""
    found: list[str] = []
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(30_000)
    expect.set_options(timeout=20_000)  # as the fixture `page` does
    page.on("pageerror", lambda e: found.append(str(e)))
    open_lab(page, lab)
    command(page, "aios:open-panel", {"tab": "jobs"})
    expect(page.get_by_test_id("aios-job").first).to_be_visible()
    set_width(page, 300)
    yield page
    assert page.evaluate("window.__hit") is None
    assert found == []
    page.close()


@pytest.fixture(scope="module")
def worker(ws: Workspace) -> Iterator[None]:
    """One that lives and does nothing: what is queued stays so, and the server starts none."""
    lease = leases.Lease(ws, "worker")
    yield
    lease.release()


@pytest.fixture
def panel(opened: Page) -> Page:
    """The page with no job open."""
    for head in opened.locator("[data-testid=aios-job] .aios-fold-head[aria-expanded=true]").all():
        head.click()
    opened.locator(".aios-section").evaluate("node => node.scrollTo(0, 0)")
    return opened


def job(page: Page, job_id: str) -> Locator:
    return page.locator(f"[data-testid=aios-job][data-id='{job_id}']")


def open_tab(item: Locator, name: str) -> None:
    item.get_by_role("tab", name=name, exact=True).click()


def test_what_needs_somebody_comes_first(panel: Page, jobs: dict[str, str]) -> None:
    page = panel
    shown = [n.get_attribute("data-id") for n in page.get_by_test_id("aios-job").all()]
    assert shown[0] == jobs["bad"]
    expect(page.locator("#aios-tab-jobs")).to_have_text("Jobs1")
    assert set(shown) == set(jobs.values())
    bad = job(page, jobs["bad"])
    expect(bad.locator(".aios-name")).to_have_text(f"broken {HOSTILE}")
    expect(bad.locator(".aios-health")).to_have_text("failing")
    expect(job(page, jobs["paused"]).locator(".aios-health")).to_have_text("paused")
    expect(job(page, jobs["good"])).to_contain_text(re.compile(r"next \w{3},? \d+ \w{3},? 06:00"))
    notice = page.get_by_test_id("aios-no-worker")
    expect(notice).to_contain_text("aios worker")
    expect(notice.get_by_role("button", name="Start a worker")).to_be_visible()
    shot(page, "jobs_list_300")

    strip = job(page, jobs["good"]).get_by_test_id("aios-strip")
    cells = strip.get_by_role("option")
    expect(cells).to_have_count(17)
    strip.get_by_role("listbox").focus()
    expect(strip.locator(".aios-strip-says")).to_contain_text("succeeded")
    for _ in range(7):
        page.keyboard.press("ArrowLeft")
    expect(strip.locator(".aios-strip-says")).to_contain_text("cancelled by ana")
    shot(page, "jobs_strip_focus")
    page.keyboard.press("Enter")
    opened = job(page, jobs["good"]).locator("[data-testid=aios-job-run].aios-mod-open")
    expect(opened).to_have_attribute("data-status", "cancelled")
    expect(opened.get_by_test_id("aios-job-run-body")).to_contain_text("queued")


@pytest.mark.usefixtures("worker")
def test_a_run_is_followed_cell_by_cell(panel: Page, jobs: dict[str, str], ws: Workspace) -> None:
    page, item = panel, job(panel, jobs["idle"])
    going = add_run(
        ws, jobs["idle"], 1, "running", 30, None, trigger="manual", tick_at=None, peak_bytes=123_456_789
    )
    add_cells(ws, going, "succeeded", "running", "queued", "queued")
    tell(ws)
    fold(item)
    run = item.locator(f"[data-run='{going}'][data-testid=aios-job-run]")
    expect(run).to_have_attribute("data-status", "running")
    run.locator(".aios-history-head").click()
    cells = run.get_by_test_id("aios-cell")
    expect(cells).to_have_count(4)
    expect(cells.nth(1)).to_contain_text(f"[2]print({HOSTILE!r})")
    log = cells.nth(1).get_by_role("log")  # of the cell that goes on, without asking
    expect(log).to_contain_text(f"cell 2 says {HOSTILE}")
    end_cell(ws, going, 2, "and more\n")
    expect(log).to_contain_text("and more")
    expect(cells.nth(1)).to_have_attribute("data-status", "succeeded")
    expect(run).to_contain_text("123 MB")
    shot(page, "jobs_run_300")
    run.get_by_role("button", name="Whole log").click()
    expect(run.get_by_role("log", name="Log of run")).to_contain_text("cell 1 says")
    ws.catalog.write(
        "update job_runs set status = 'failed', ended_at = queued_at + 60, error = :e where job_run_id = :id",
        id=going, e='{"type": "KeyError", "message": "price"}',
    )  # fmt: skip
    tell(ws)
    expect(run).to_have_attribute("data-status", "failed")
    expect(run.get_by_test_id("aios-error")).to_contain_text("KeyError: price")
    expect(item.locator(".aios-health")).to_have_text("failing")


@pytest.mark.usefixtures("worker")
def test_times_and_runs_of_the_past(panel: Page, jobs: dict[str, str], ws: Workspace) -> None:
    page, item = panel, job(panel, jobs["good"])
    fold(item)
    open_tab(item, "Schedule")
    expect(item.get_by_test_id("aios-next-ticks").get_by_role("listitem")).to_have_count(10)
    shot(page, "jobs_schedule_300")
    item.get_by_role("button", name="Backfill…").click()
    form = item.get_by_test_id("aios-backfill-form")
    form.get_by_label("From").fill("2026-03-10T00:00")
    form.get_by_label("Up to").fill("2026-03-01T00:00")
    form.get_by_role("button", name="Show the runs").click()
    expect(form).to_contain_text("must be later than the start")
    form.get_by_label("Up to").fill("2026-03-13T00:00")
    form.get_by_role("button", name="Show the runs").click()
    expect(form.get_by_test_id("aios-backfill-preview")).to_contain_text("3 runs2026-03-10 06:00 +0100")
    shot(page, "jobs_backfill_300")
    with page.expect_response("**/backfills*") as answer:
        form.get_by_role("button", name="Start 3 runs").click()
    assert answer.value.status == 201
    row = item.get_by_test_id("aios-backfill")
    expect(row).to_contain_text("0 of 3 runs")
    row.get_by_role("button", name="Cancel backfill").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel backfill").click()
    expect(row).to_have_attribute("data-status", "cancelled")


@pytest.mark.usefixtures("worker")
def test_versions_differences_and_going_back(panel: Page, jobs: dict[str, str], ws: Workspace) -> None:
    page, item = panel, job(panel, jobs["good"])
    notebook = write_notebook(
        ws.project / "nightly.ipynb", f"print({HOSTILE!r}, 2)", parameters="rows: int = 300\nlabel: str = 'x'"
    )
    make_job(
        ws, "a good one", by="ben", schedule="15 7 * * *", timezone="Europe/Berlin", parameters={"rows": 7}
    )
    ws.catalog.write("update job_versions set note = :n where version = 2", n=HOSTILE)
    write_notebook(notebook, "print('only in the file')")
    tell(ws)
    fold(item)
    open_tab(item, "Versions")
    versions = item.get_by_test_id("aios-version")
    expect(versions).to_have_count(2)
    expect(versions.first).to_contain_text(HOSTILE)
    expect(versions.first).to_contain_text("by ben")
    shot(page, "jobs_versions_300")
    versions.first.get_by_role("button", name="What it changed").click()
    diff = item.get_by_test_id("aios-diff")
    expect(diff).to_contain_text("schedule")
    expect(diff.locator("tr[data-line=added]").first).to_contain_text("rows: int = 300")
    expect(diff.locator("tr[data-line=added] td:nth-child(3)").first).to_have_text("+")
    expect(diff.locator("tr[data-line=removed] td:nth-child(3)").first).to_have_text("\u2212")
    shot(page, "jobs_diff_300")
    versions.first.get_by_role("button", name="Compare with the notebook").click()
    expect(item.get_by_test_id("aios-diff")).to_contain_text("only in the file")

    item.get_by_role("button", name="Open wide").click()
    wide = page.get_by_test_id("aios-job-page")
    expect(wide).to_contain_text("At 07:15 every day")
    open_tab(wide, "Versions")
    wide.get_by_role("button", name="What it changed").click()
    expect(wide.get_by_test_id("aios-diff")).to_be_visible()
    shot(page, "jobs_diff_wide")
    theme(page, "Dark")
    shot(page, "jobs_diff_dark")
    theme(page, "Light")

    versions.nth(1).get_by_role("button", name="Roll back to this").click()
    item.get_by_label("Why go back to version 1?").fill(f"too many rows {HOSTILE}")
    item.get_by_role("button", name="Go to version 1").click()
    expect(versions.nth(1)).to_have_attribute("aria-current", "true")
    expect(item).to_contain_text("At 06:00 every day")
    said = ws.catalog.query("select detail from audit where action = 'job.rollback'")
    assert "too many rows" in said[0]["detail"]


@pytest.mark.usefixtures("worker")
def test_agreeing_and_trying_out(panel: Page, jobs: dict[str, str], ws: Workspace) -> None:
    page = panel
    waits = make_job(ws, f"waits {HOSTILE}", by="cleo", approvals=1)
    own = make_job(ws, "my own", by=actor(), approvals=1)
    make_job(ws, "resting", by="ben", schedule="45 2 * * *", timezone="Europe/Berlin", notebook="trial")
    rollout.start(ws, jobs["paused"], 1, "ben", mode="canary", share=0.25)
    tell(ws)
    item = job(page, own)
    expect(item.locator(".aios-health")).to_have_text("waiting for approval")
    fold(item)
    expect(item.get_by_test_id("aios-approval")).to_contain_text(
        "You promoted it, so somebody else must agree"
    )
    expect(item.get_by_role("button", name="Approve…")).to_have_count(0)
    expect(item.get_by_role("button", name="Run now")).to_be_disabled()
    shot(page, "jobs_own_waits_300")

    item = job(page, waits)
    fold(item)
    item.get_by_role("button", name="Approve…").click()
    item.get_by_label("Why is version 1 fit to run?").fill(f"looked at it {HOSTILE}")
    shot(page, "jobs_approve_300")
    item.get_by_role("button", name="Approve", exact=True).click()
    expect(item.get_by_test_id("aios-approval")).to_have_count(0)
    expect(item.locator(".aios-health")).to_have_text("new")

    item = job(page, jobs["paused"])
    fold(item)
    trial = item.get_by_test_id("aios-rollout")
    expect(trial).to_contain_text("Version 1 on trial")
    expect(trial).to_contain_text("Canary: it makes 25 % of the runs.")
    shot(page, "jobs_trial_300")
    trial.get_by_role("button", name="Give it up…").click()
    trial.get_by_label("Why go on with version 2?").fill("slower")
    trial.get_by_role("button", name="Give it up").click()
    expect(trial).to_have_count(0)
    ended = rollout.status(ws, jobs["paused"])
    assert ended is not None
    assert (ended["status"], ended["reason"]) == ("rolled_back", "slower")


@pytest.mark.usefixtures("worker")
def test_a_failed_run_is_taken_up_again(panel: Page, jobs: dict[str, str]) -> None:
    page, item = panel, job(panel, jobs["bad"])
    strip = item.get_by_test_id("aios-strip").get_by_role("option")
    strip.nth(2).click()  # one that succeeded: what it cannot do is not offered
    run = item.locator("[data-testid=aios-job-run].aios-mod-open")
    expect(run.get_by_role("button", name="Whole log")).to_be_visible()
    expect(run.get_by_role("button", name="Retry")).to_have_count(0)
    strip.nth(4).click()
    expect(run).to_have_attribute("data-status", "failed")
    with page.expect_response("**/resume*") as answer:
        run.get_by_role("button", name="Retry from the failed step").click()
    assert answer.value.status == 200
    expect(run).to_contain_text("goes on from")
    expect(strip).to_have_count(6)
    strip.nth(3).click()
    with page.expect_response("**/trigger*") as answer:
        run.get_by_role("button", name="Run again").click()
    assert json.loads(answer.value.request.post_data or "") == {"params": {"rows": 200}}
    expect(strip).to_have_count(7)


@pytest.mark.usefixtures("worker")
def test_what_it_is_made_of(panel: Page, jobs: dict[str, str]) -> None:
    page, item = panel, job(panel, jobs["bad"])
    fold(item)
    open_tab(item, "About")
    expect(item).to_contain_text("3 of 5 succeeded")
    expect(item).to_contain_text("json://…")
    expect(item).not_to_contain_text("secret")
    shot(page, "jobs_about_300")
    theme(page, "Dark")
    open_tab(item, "Runs")
    shot(page, "jobs_dark_300")
    theme(page, "Light")


def test_hundreds_of_jobs_are_filtered(panel: Page) -> None:
    page = panel
    many = [a_job(f"j{n}", "failed" if n % 50 == 7 else "succeeded") for n in range(200)]
    with answers(page, jobs=many, workers=1, workspace={"path": "/w", "shown": "w", "exists": True}):
        look_again(page)
        items = page.get_by_test_id("aios-job")
        expect(items).to_have_count(200)
        expect(items.first.locator(".aios-health")).to_have_text("failing")
        expect(page.locator(".aios-list-head")).to_have_text("200 jobs4 failing")
        page.get_by_label("Filter jobs by name").fill("J19")
        expect(items).to_have_count(11)
        page.get_by_label("State").select_option("failing")
        expect(items).to_have_count(0)
        expect(page.locator(".aios-panel")).to_contain_text("No such job")
        page.get_by_role("button", name="Show all").click()
        expect(items).to_have_count(200)
        shot(page, "jobs_many")
