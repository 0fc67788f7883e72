"""The run inspector in the main area and under the graph, in a real JupyterLab, on runs of real workflows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

SHOTS = os.environ.get("AIOS_SHOTS")

STORY = '''
import json, sys, threading, time
import numpy as np, pandas as pd
import aios_workbench as aios
from pydantic import BaseModel, Field

EVIL = "<img src=x onerror=window.hacked=1>"
wf = aios.Workflow("inspected", description="Claims, scored and reviewed")

class Review(BaseModel):
    limit: int = Field(5000, ge=100)

@wf.step
def load(rows: int = 1000, seed: int = 1):
    """Read the claims."""
    rng = np.random.default_rng(seed)
    print("reading", rows)
    return pd.DataFrame({
        "claim": np.arange(rows),
        "amount": rng.gamma(2.0, 900.0 * seed, rows).round(2),
        "region": rng.choice(["north", "south", "west"], rows, p=[0.5, 0.3, 0.2]),
        EVIL: "<b>bold</b>",
    })

@wf.step(retries=2, backoff=0.1)
def clean(load):
    if aios.context().attempt < 2:
        raise ConnectionError("the reference table did not answer")
    return load.dropna()

@wf.step(cache=True)
def features(clean):
    time.sleep(0.15)
    return clean.assign(large=clean["amount"] > 3000)

@wf.step
def anomalies(clean):
    time.sleep(0.05)
    return clean.nlargest(5, "amount")

@wf.step
def score(features, anomalies, threshold: float = 0.5):
    aios.context().metric("auc", 0.9 + threshold / 100)
    if threshold > 1:
        raise ValueError(f"threshold {threshold} is no share: {EVIL}")
    return features.assign(score=features["amount"] / features["amount"].max())

@wf.gate(form=Review)
def review(score):
    return score.head(3)

@wf.step
def route(score, review):
    return {"limit": review.limit, "large": int(score["large"].sum())}

def go(**params):
    run = wf.run(**params)
    if run.wait(120, until="waiting") == "waiting":
        run.approve("review", values={"limit": 700})
        run.wait(120)
    return run.id

ids = {"first": go(), "same": go()}

@wf.step(cache=True)
def features(clean):
    time.sleep(0.1)
    wide = clean.assign(large=clean["amount"] > 2500)
    return wide.assign(log=np.log1p(wide["amount"]))

ids["changed"] = go(rows=50_000, seed=2)
ids["failed"] = go(threshold=7.0)
wild = aios.Workflow(EVIL, description=EVIL)
wild.step(name=EVIL)(lambda: EVIL)
one = wild.run()
one.wait(60)
ids["wild"] = one.id
calm = aios.Workflow("inspected-calm")
calm.step(name="count")(lambda: list(range(5)))
for name in ("calm", "calm-again"):
    one = calm.run()
    one.wait(60)
    ids[name] = one.id
print(json.dumps(ids))
'''

LIVE = """
import time, pathlib, aios_workbench as aios
wf = aios.Workflow("inspected-live")
go = pathlib.Path("inspected_live.go").resolve()

@wf.step
def first():
    for i in range(int(40)):
        time.sleep(0.1)
        aios.context().progress((i + 1) / 40, f"{i + 1} of 40")
    return 1

@wf.step
def second(first):
    while not go.exists():
        time.sleep(0.05)
    return first + 1

run = wf.run()
run
"""


@pytest.fixture(scope="module")
def runs(lab: Any) -> dict[str, str]:
    """Runs of one workflow, made by a process of its own, as a job would."""
    script = lab.root / "story.py"
    script.write_text(STORY)
    done = subprocess.run(
        [sys.executable, str(script)], cwd=lab.root, env={**os.environ, "AIOS_HOME": str(lab.root / ".aios")},
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@pytest.fixture
def errors(page: Page) -> Iterator[list[str]]:
    """Script errors and dialogs on the page; none may be left."""
    found: list[str] = []
    page.on("pageerror", lambda e: found.append(str(e)))
    page.on("dialog", lambda d: (found.append(f"dialog: {d.message}"), d.dismiss()))
    yield found
    assert found == []
    assert page.evaluate("window.hacked") is None


@pytest.fixture
def visit(page: Page, lab: Any, runs: dict[str, str], errors: list[str]) -> Callable[..., Locator]:
    """Open a run by its address in a fresh lab; give the inspector."""

    def go(run: str, page_name: str = "", query: str = "", theme: str = "Light") -> Locator:
        wanted = f"&aios-page={page_name}" if page_name else ""
        page.goto(f"{lab.base}/lab?aios-run={runs[run]}{wanted}{query}&token={lab.token}&reset")
        inspector = page.locator(".aios-inspector-tab .aiosw")
        expect(inspector.locator(".aiosw-header strong")).to_be_visible(timeout=60_000)
        expect(page.locator("#jupyterlab-splash")).to_have_count(0)
        name = f"JupyterLab {theme}"  # the server remembers the one of the test before
        page.evaluate("n => window.jupyterapp.commands.execute('apputils:change-theme', {theme: n})", name)
        expect(page.locator(f"body[data-jp-theme-name='{name}']")).to_be_attached()
        expect(page.locator("#jupyterlab-splash")).to_have_count(0)
        return inspector

    return go


def shot(target: Page | Locator, name: str) -> None:
    """Keep a picture when somebody wants to look."""
    if SHOTS:
        (target if isinstance(target, Page) else target.page).wait_for_timeout(350)
        target.screenshot(path=f"{SHOTS}/inspector_{name}.png")


def tab(inspector: Locator, name: str) -> None:
    inspector.get_by_role("tab", name=name, exact=True).click()


def command(page: Page, name: str, args: dict[str, Any]) -> None:
    page.evaluate("([n, a]) => { window.jupyterapp.commands.execute(n, a); }", [name, args])


def test_the_address_opens_a_run_and_follows_what_is_shown(
    page: Page, visit: Any, runs: dict[str, str]
) -> None:
    inspector = visit("changed", query="&aios-step=features")
    expect(inspector.locator(".aiosw-header .aiosw-chip")).to_have_text("succeeded")
    expect(inspector.locator(".aiosw-detail h3")).to_have_text("features")
    expect(page.locator(".lm-TabBar-tab.jp-mod-current .lm-TabBar-tabLabel").last).to_have_text(
        "inspected: succeeded"
    )
    tab(inspector, "Timeline")
    expect(inspector.locator(".aiosw-lane").first).to_be_visible()
    page.wait_for_function("() => location.search.includes('aios-page=timeline')")
    assert f"aios-run={runs['changed']}" in page.url
    assert "aios-step=features" in page.url
    shot(page, "tab-timeline-step")
    inspector.get_by_role("button", name="Close features").click()
    page.wait_for_function("() => !location.search.includes('aios-step')")
    page.reload()
    again = page.locator(".aios-inspector-tab .aiosw")
    expect(again.locator(".aiosw-lane").first).to_be_visible(timeout=60_000)
    expect(page.locator(".aios-inspector-tab")).to_have_count(1)
    # Another run is another tab; the address is that of the one in front.
    command(page, "aios:open-run", {"runId": runs["failed"], "page": "overview"})
    expect(page.locator(".aios-inspector-tab")).to_have_count(2)
    page.wait_for_function(f"() => location.search.includes('aios-run={runs['failed']}')")
    command(page, "aios:open-run", {"runId": runs["failed"], "page": "events"})
    expect(page.locator(".aios-inspector-tab")).to_have_count(2)
    page.wait_for_function("() => location.search.includes('aios-page=events')")


def test_overview(page: Page, visit: Any) -> None:
    inspector = visit("changed", "overview")
    expect(inspector.get_by_text("Where the time went")).to_be_visible()
    facts = inspector.locator(".aiosw-overview")
    expect(facts).to_contain_text("50000")
    expect(facts).to_contain_text("auc")
    facts.get_by_role("button", name="Show packages").click()
    facts.get_by_role("searchbox", name="Search packages").fill("pandas")
    expect(facts.get_by_label("Installed packages")).to_contain_text("pandas")
    shot(page, "overview")
    facts.get_by_role("button", name=re.compile("^Compare with")).first.click()
    expect(inspector.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")


def test_timeline_by_keyboard(page: Page, visit: Any) -> None:
    inspector = visit("changed", "timeline")
    lanes = inspector.locator(".aiosw-lane")
    expect(lanes).to_have_count(7)
    retried = inspector.get_by_role("button", name=re.compile(r"^clean: succeeded.*attempt 1 failed.*pause"))
    expect(retried).to_be_visible()
    expect(
        inspector.get_by_role("button", name=re.compile("^review: .*waiting for a decision"))
    ).to_be_visible()
    shot(page, "timeline")
    lanes.first.focus()
    page.keyboard.press("ArrowDown")
    expect(lanes.nth(1)).to_be_focused()
    everything = inspector.get_by_role("button", name="All", exact=True)
    expect(everything).to_be_disabled()
    page.keyboard.press("+")
    expect(everything).to_be_enabled()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("0")
    expect(everything).to_be_disabled()
    inspector.get_by_label("Critical path only").check()
    expect(inspector.get_by_role("button", name=re.compile("^load: "))).to_be_visible()
    inspector.get_by_label("Critical path only").uncheck()
    inspector.get_by_role("searchbox", name="Search steps").fill("anom")
    expect(lanes).to_have_count(1)
    lanes.first.focus()
    page.keyboard.press("Enter")
    expect(inspector.locator(".aiosw-detail h3")).to_have_text("anomalies")


def test_events_are_searched_and_filtered(page: Page, visit: Any) -> None:
    inspector = visit("changed", "events")
    rows = inspector.locator(".aiosw-event")
    expect(rows.first).to_be_visible()
    inspector.get_by_label("Kind").select_option(index=1)
    inspector.get_by_role("searchbox", name="Search events").fill("no such thing")
    expect(inspector.get_by_text("No event fits.")).to_be_visible()
    inspector.get_by_role("searchbox", name="Search events").fill("")
    inspector.get_by_label("Kind").select_option("step")
    rows.first.click()
    expect(inspector.locator(".aiosw-event-details")).to_be_visible()
    shot(page, "events")


def test_two_runs_are_compared_down_to_a_column(page: Page, visit: Any, runs: dict[str, str]) -> None:
    inspector = visit("changed", "compare", f"&aios-with={runs['first']}&aios-change=features")
    verdict = inspector.locator(".aiosw-verdict")
    expect(verdict).to_contain_text("differ")
    expect(verdict).to_contain_text("rows")
    opened = inspector.locator(".aiosw-step-diff")
    expect(opened.locator("[data-line='added']", has_text="wide = clean.assign")).to_be_visible()
    expect(opened.locator("[data-line='removed']", has_text="> 3000")).to_be_visible()
    expect(opened.get_by_role("img", name=re.compile("^Distribution of amount"))).to_be_visible()
    expect(opened.get_by_role("row", name=re.compile("^log"))).to_contain_text("only in B")
    expect(opened).to_contain_text("<img src=x onerror=window.hacked=1>")
    shot(page, "compare")
    # Without a gate a second run is like the first, to the last byte. The run before is what it is compared with.
    inspector = visit("calm-again", "compare")
    expect(inspector.locator(".aiosw-verdict")).to_contain_text("identical")
    shot(page, "compare-same")


def test_history_leads_to_runs_and_to_their_difference(page: Page, visit: Any, runs: dict[str, str]) -> None:
    inspector = visit("failed", "history")
    bars = inspector.locator(".aiosw-barbutton")
    expect(bars).to_have_count(4)
    expect(inspector.locator(".aiosw-stephistory")).to_contain_text("clean")
    shot(page, "history")
    for name in ("first", "changed"):
        inspector.get_by_role("checkbox", name=f"Compare {runs[name]}").check()
    inspector.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_function(f"() => location.search.includes('aios-with={runs['first']}')")
    assert f"aios-run={runs['changed']}" in page.url
    command(page, "aios:open-history", {"workflow": "inspected"})
    expect(page.get_by_role("region", name="History of inspected").locator(".aiosw-barbutton")).to_have_count(
        4
    )
    page.wait_for_function("() => location.search.includes('aios-history=inspected')")


def test_a_failed_run_leads_to_its_step(page: Page, visit: Any) -> None:
    inspector = visit("failed")
    expect(inspector.locator(".aiosw-header .aiosw-chip")).to_have_text("failed")
    inspector.get_by_role("button", name="Show", exact=True).click()
    expect(inspector.locator(".aiosw-detail")).to_contain_text("is no share: <img src=x")
    shot(page, "failed")


def test_hostile_names_stay_text(page: Page, visit: Any) -> None:
    inspector = visit("wild")
    for name in ("Overview", "Timeline", "Events", "Compare", "History"):
        tab(inspector, name)
        expect(inspector.locator(f"[data-page='{name.lower()}']")).not_to_be_empty()
        page.wait_for_timeout(300)
    expect(inspector.locator(".aiosw-header strong")).to_have_text("<img src=x onerror=window.hacked=1>")
    assert page.locator(".aiosw img").count() == 0


def test_nothing_to_compare_with_is_said(page: Page, visit: Any) -> None:
    inspector = visit("wild", "compare")
    expect(inspector.get_by_text("There is nothing to compare with yet.")).to_be_visible()


def test_a_run_that_is_not_there_is_said(
    page: Page, lab: Any, runs: dict[str, str], errors: list[str]
) -> None:
    page.goto(f"{lab.base}/lab?aios-run=gone-1234&token={lab.token}&reset")
    trouble = page.locator(".aios-inspector-tab .aiosw-trouble")
    expect(trouble).to_contain_text("gone-1234", timeout=60_000)
    shot(page, "not-found")


@pytest.mark.parametrize("how", ["gone", "cut off"])
def test_a_server_that_does_not_answer_is_said(page: Page, visit: Any, how: str) -> None:
    inspector = visit("changed", "overview")
    expect(inspector.get_by_text("Where the time went")).to_be_visible()
    page.route(
        "**/aios/ask*",
        lambda route: route.abort() if how == "gone" else route.fulfill(status=200, body='{"lanes": ['),
    )
    tab(inspector, "Timeline")
    expect(inspector.locator(".aiosw-page .aiosw-trouble")).to_contain_text("does not answer")
    shot(page, "server-gone")
    page.unroute("**/aios/ask*")
    inspector.get_by_role("button", name="Try again").click()
    expect(inspector.locator(".aiosw-lane").first).to_be_visible()


def test_a_page_that_cannot_be_drawn_leaves_the_others(page: Page, visit: Any) -> None:
    inspector = visit("changed", "steps")
    page.route(
        "**/aios/ask*",
        lambda route: (
            route.fulfill(json={"steps": None})
            if route.request.post_data_json["kind"] == "overview"
            else route.continue_()
        ),
    )
    tab(inspector, "Overview")
    expect(inspector.locator(".aiosw-page .aiosw-trouble")).to_contain_text("overview cannot be shown")
    tab(inspector, "Timeline")
    expect(inspector.locator(".aiosw-lane").first).to_be_visible()
    page.unroute("**/aios/ask*")
    tab(inspector, "Overview")
    expect(inspector.get_by_text("Where the time went")).to_be_visible()


def test_live_in_the_notebook_and_in_a_tab(
    page: Page, lab: Any, notebook: Callable[..., str], errors: list[str]
) -> None:
    lab.open(page, f"/tree/{notebook('inspected_live.ipynb', LIVE)}")
    lab.run_all(page)
    widget = page.locator(".jp-Notebook .aiosw").last
    expect(widget.locator(".aiosw-node[data-step='first']")).to_have_attribute(
        "data-status", "running", timeout=60_000
    )
    expect(widget.locator(".aiosw-page")).to_have_count(0)  # the cell stays calm
    widget.get_by_role("button", name="Timeline").click()
    expect(widget.locator(".aiosw-lane").first).to_be_visible()
    shot(page, "cell-live")
    widget.get_by_role("button", name="Open in a tab").click()
    inspector = page.locator(".aios-inspector-tab .aiosw")
    expect(inspector.locator(".aiosw-header .aiosw-chip")).to_have_text("running")
    shot(page, "tab-live")
    (Path(lab.root) / "inspected_live.go").touch()  # the run goes on when the tab has been seen
    expect(inspector.locator(".aiosw-header .aiosw-chip")).to_have_text("succeeded", timeout=30_000)
    expect(inspector.get_by_role("button", name=re.compile("^second: succeeded"))).to_be_visible()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("width", [360, 800, 1500])
def test_screens(page: Page, visit: Any, runs: dict[str, str], theme: str, width: int) -> None:
    page.set_viewport_size({"width": max(width, 640), "height": 1000})
    query = f"&aios-with={quote(runs['first'])}&aios-change=features"
    inspector = visit("changed", "compare", query, theme)
    page.evaluate("() => { const s = window.jupyterapp.shell; s.collapseLeft(); s.collapseRight(); }")
    if width == 360:
        page.add_style_tag(content=".aios-inspector-tab .aiosw { width: 360px; }")
    for name in ("Steps", "Overview", "Timeline", "Events", "Compare", "History"):
        tab(inspector, name)
        expect(inspector.locator(f"[data-page='{name.lower()}']")).not_to_be_empty()
        expect(inspector.locator(".aiosw-loading-bars")).to_have_count(0)
        expect(inspector.locator(".aiosw-trouble")).to_have_count(0)
        box = inspector.bounding_box()
        assert box
        assert inspector.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), f"{name} is wider than the tab"
        shot(inspector, f"{name.lower()}-{theme.lower()}-{width}")
