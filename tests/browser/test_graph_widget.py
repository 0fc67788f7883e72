"""The graph widget in a real JupyterLab with a real kernel and a real run."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from graph_kit import node, shot
from playwright.sync_api import Locator, Page, expect

SHOTS = os.environ.get("AIOS_SHOTS")
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"

WORKFLOW = '''
import time
import pandas as pd
import aios_workbench as aios
from typing import Literal
from pydantic import BaseModel, Field

wf = aios.Workflow("claims-triage", description="Insurance claims, decided or sent to a person")

@wf.step
def load(rows: int = 250):
    """Read the claims.

    A seeded stand-in for the CSV file."""
    print("reading", rows, "rows")
    return pd.DataFrame({
        "claim": [f"C-{i:05d}" for i in range(rows)],
        "amount": [round(17.5 * i % 4999, 2) for i in range(rows)],
        "region": [["north", "south", "west"][i % 3] for i in range(rows)],
        "<img src=x onerror=window.hacked=1>": "<b>bold</b>",
    })

@wf.step(retries=2, backoff=0.1)
def clean(load):
    import logging
    logging.getLogger("clean").warning("3 rows without an amount")
    if aios.context().attempt < 2:
        raise ConnectionError("the reference table did not answer")
    return load.dropna()

@wf.step(cache=True)
def features(clean):
    for i in range(1, 21):
        time.sleep(SLEEP)
        aios.context().progress(i / 20, f"block {i} of 20")
    return clean.assign(large=clean["amount"] > 3000)

@wf.step
def anomalies(clean):
    return clean.nlargest(5, "amount")

@wf.step(after=["anomalies"])
def score(features):
    aios.context().metric("decided_automatically", 83.4, "%")
    aios.context().metric("claims", 250)
    aios.context().metric("time_saved", 41.7, "h")
    return features.assign(score=0.5)
'''

GATE = """
class Review(BaseModel):
    verdict: Literal["pay", "refuse", "ask"] = Field(description="What to do with the ambiguous claims")
    limit: int = Field(5000, ge=100, le=20000, description="Largest amount in EUR", title="Limit")
    note: str = Field(min_length=5, title="Note")
    inform: bool = Field(True, title="Inform the customer")

@wf.gate(form=Review)
def review(score):
    return score.head(3)

@wf.step
def route(score, review):
    return {"verdict": review.verdict, "limit": review.limit, "by": review.by}
"""


def state(graph: Locator, step: str, status: str, timeout: float = 30_000) -> None:
    """Wait until a step has a state."""
    expect(node(graph, step)).to_have_attribute("data-status", status, timeout=timeout)


def chip(graph: Locator, status: str, timeout: float = 30_000) -> None:
    """Wait until the run has a state."""
    expect(graph.locator(".aiosw-header .aiosw-chip")).to_have_text(status, timeout=timeout)


def test_states_change_live_while_the_cell_blocks(page: Page, start: Any) -> None:
    code = WORKFLOW.replace("SLEEP", "0.25")
    graph = start("live.ipynb", code, "run = wf.run()\nrun", "run.result().shape")
    state(graph, "features", "running")
    bar = node(graph, "features").locator(".aiosw-bar")
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"[1-9]\d"))
    # The kernel is busy in run.result(): a step can be opened nevertheless.
    prompt = page.locator(".jp-InputPrompt").nth(2)
    expect(prompt).to_have_text("[*]:")
    node(graph, "load").click()
    detail = graph.locator(".aiosw-detail")
    expect(detail.get_by_role("grid")).to_contain_text("C-00003", timeout=4_000)
    expect(prompt).to_have_text("[*]:")
    expect(node(graph, "clean")).to_contain_text("2/3")
    shot(graph, "graph-running")
    chip(graph, "succeeded")
    state(graph, "score", "succeeded")
    expect(graph.locator(".aiosw-metrics")).to_contain_text("decided automatically")
    expect(graph.locator(".aiosw-metrics")).to_contain_text("83.4 %")
    expect(page.locator(".jp-OutputArea-output").last).to_contain_text("(250, 6)")


def test_a_step_shows_its_data_frame_log_attempts_and_code(page: Page, start: Any) -> None:
    graph = start("open.ipynb", WORKFLOW.replace("SLEEP", "0.01"), "run = wf.run()\nrun.result()\nrun")
    chip(graph, "succeeded")
    node(graph, "load").click()
    detail = graph.locator(".aiosw-detail")
    expect(detail.get_by_role("tab", name="Output")).to_have_attribute("aria-selected", "true")
    grid = detail.get_by_role("grid")
    expect(grid).to_contain_text("<img src=x onerror=window.hacked=1>")
    expect(grid).to_contain_text("<b>bold</b>")
    expect(detail).to_contain_text("250 rows")
    shot(graph, "step-output")
    grid.focus()
    page.keyboard.press("Control+End")
    expect(grid).to_contain_text("C-00249")
    assert page.evaluate("window.hacked") is None
    detail.get_by_role("tab", name="Log").click()
    expect(detail.get_by_role("log")).to_contain_text("reading 250 rows")
    detail.get_by_role("tab", name="Code").click()
    expect(detail.get_by_role("tabpanel").locator("pre")).to_contain_text("def load(rows: int = 250)")
    expect(detail).to_contain_text("A seeded stand-in")
    node(graph, "clean").click()
    detail.get_by_role("tab", name="Attempts").click()
    expect(detail.locator(".aiosw-list > li")).to_have_count(2)
    expect(detail).to_contain_text("ConnectionError: the reference table did not answer")
    detail.locator("summary").first.click()
    expect(detail.locator("pre").first).to_contain_text("raise ConnectionError")
    shot(graph, "step-attempts")
    detail.get_by_role("tab", name="Inputs").click()
    detail.get_by_role("button", name="Show load").click()
    expect(detail.get_by_role("tabpanel").get_by_role("grid")).to_contain_text("C-00000")


def test_rerun_from_here_follows_the_new_run(page: Page, start: Any) -> None:
    graph = start("rerun.ipynb", WORKFLOW.replace("SLEEP", "0.03"), "run = wf.run()\nrun.result()\nrun")
    chip(graph, "succeeded")
    before = graph.locator(".aiosw-run code").inner_text()
    node(graph, "features").click()
    graph.get_by_role("button", name="Rerun from here").click()
    expect(graph.locator(".aiosw-run code")).not_to_have_text(before)
    expect(graph.locator(".aiosw-run")).to_contain_text("rerun from features")
    chip(graph, "succeeded")
    expect(node(graph, "load")).to_contain_text("cached")
    expect(node(graph, "score")).not_to_contain_text("cached")


def test_a_gate_is_approved_by_keyboard(page: Page, start: Any) -> None:
    graph = start(
        "gate.ipynb", WORKFLOW.replace("SLEEP", "0.01") + GATE, "run = wf.run()\nrun", "run.result()"
    )
    state(graph, "review", "waiting")
    chip(graph, "waiting")
    shot(graph, "gate-waiting")
    graph.get_by_role("button", name="Review", exact=True).press("Enter")
    detail = graph.locator(".aiosw-detail")
    expect(detail.locator("table")).to_contain_text("C-00002")
    verdict = detail.get_by_label("verdict")
    detail.get_by_label("Limit").fill("50")
    detail.get_by_label("Note").fill("ok")
    detail.get_by_role("button", name="Approve").press("Enter")
    expect(detail.get_by_role("alert")).to_have_text(
        ["Please choose.", "At least 100.", "At least 5 characters."]
    )
    expect(verdict).to_have_attribute("aria-invalid", "true")
    shot(graph, "gate-form")
    verdict.select_option(label="pay")
    detail.get_by_label("Limit").fill("7500")
    detail.get_by_label("Note").fill("looks fine to me")
    detail.get_by_label("Reason").fill("checked the three")
    detail.get_by_role("button", name="Approve").press("Enter")
    state(graph, "review", "succeeded")
    chip(graph, "succeeded")
    expect(detail).to_contain_text("checked the three")
    shot(graph, "gate-decided")
    expect(page.locator(".jp-OutputArea-output").last).to_contain_text("'limit': 7500")


def test_a_failing_step_shows_its_traceback_and_can_be_resumed(page: Page, start: Any) -> None:
    cells = [
        "import pathlib, aios_workbench as aios\nwf = aios.Workflow('fragile')\nflag = pathlib.Path('fixed.flag')",
        (
            "@wf.step\ndef source():\n    return [1, 2]\n\n@wf.step\ndef divide(source):\n    if not flag.exists():\n"
            "        raise ZeroDivisionError('nothing to <b>divide</b>')\n    return sum(source)\n\n"
            "@wf.step\ndef after(divide):\n    return divide"
        ),
        "run = wf.run()\nrun.wait()\nrun",
    ]
    graph = start("fail.ipynb", *cells)
    chip(graph, "failed")
    state(graph, "after", "skipped")
    graph.get_by_role("button", name="Show").click()
    detail = graph.locator(".aiosw-detail")
    expect(detail.locator(".aiosw-error-title")).to_have_text("ZeroDivisionError: nothing to <b>divide</b>")
    expect(detail.locator("pre").first).to_contain_text("raise ZeroDivisionError")
    shot(graph, "step-failed")
    page.evaluate(
        "() => window.jupyterapp.serviceManager.contents"
        ".save('fixed.flag', {type: 'file', format: 'text', content: ''})"
    )
    graph.get_by_role("button", name="Resume run").click()
    chip(graph, "succeeded")


def test_a_workflow_without_a_run_then_follows_it_and_marks_stale(page: Page, start: Any) -> None:
    cells = [
        (
            "import aios_workbench as aios\nwf = aios.Workflow('steps')\n"
            "@wf.step\ndef one():\n    return 1\n@wf.step\ndef two(one):\n    return 2"
        ),
        "wf",
    ]
    graph = start("workflow.ipynb", *cells)
    chip(graph, "not run yet")
    state(graph, "two", "pending")
    node(graph, "one").click()
    expect(graph.locator(".aiosw-detail pre").first).to_contain_text("return 1")
    execute(page, "run = wf.run(); run.wait()")
    chip(graph, "succeeded")
    execute(page, "@wf.step\ndef two(one):\n    return 22\n@wf.step\ndef three(two):\n    return 3")
    expect(node(graph, "two")).to_contain_text("stale")
    state(graph, "three", "pending")
    expect(node(graph, "one")).not_to_contain_text("stale")
    shot(graph, "workflow-stale")


def test_arrow_keys_walk_and_enter_opens(page: Page, start: Any) -> None:
    graph = start("keys.ipynb", WORKFLOW.replace("SLEEP", "0.01"), "run = wf.run()\nrun.result()\nrun")
    chip(graph, "succeeded")
    assert graph.locator(".aiosw-node[tabindex='0']").count() == 1
    node(graph, "load").focus()
    page.keyboard.press("ArrowRight")
    expect(node(graph, "clean")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(node(graph, "clean")).to_be_focused()
    page.keyboard.press("Enter")
    expect(graph.locator(".aiosw-detail h3")).to_have_text("clean")
    graph.get_by_role("tab", selected=True).focus()
    page.keyboard.press("ArrowRight")
    expect(graph.get_by_role("tab", name="Inputs")).to_be_focused()
    page.keyboard.press("Escape")
    expect(graph.locator(".aiosw-detail")).to_have_count(0)
    expect(node(graph, "clean")).to_be_focused()


def test_hostile_names_do_not_execute(page: Page, start: Any) -> None:
    evil = "<img src=x onerror=window.hacked=1>"
    code = (
        f"import aios_workbench as aios\nevil = {evil!r}\nwf = aios.Workflow(evil, description=evil)\n"
        "wf.step(name=evil, tags=[evil])(lambda: 1)\n"
        "@wf.step(inputs={'x': evil})\ndef second(x):\n    aios.context().metric(evil, 1, evil)\n"
        "    print(evil)\n    raise ValueError(evil)\n"
        "run = wf.run()\nrun.wait()\nrun"
    )
    graph = start("hostile.ipynb", code)
    chip(graph, "failed")
    expect(graph.locator(".aiosw-title strong")).to_have_text(evil)
    graph.locator(".aiosw-node").first.click()
    expect(graph.locator(".aiosw-detail h3")).to_have_text(evil)
    node(graph, "second").click()
    expect(graph.locator(".aiosw-error-title")).to_have_text(f"ValueError: {evil}")
    assert page.evaluate("window.hacked") is None
    assert page.locator(".aiosw img").count() == 0


def saved_with_its_widget(page: Page, path: Path) -> dict[str, Any]:
    """Save until the file holds the state of the widget it shows: a busy page may know it a little later."""
    for _ in range(60):
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        book: dict[str, Any] = json.loads(path.read_text())
        [data] = [o["data"] for o in book["cells"][1]["outputs"] if "data" in o]
        state = book["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
        if data.get(VIEW, {}).get("model_id") in state:
            return book
        page.wait_for_timeout(500)
    raise AssertionError("the saved notebook never got the state of its widget")


def test_saved_notebook_keeps_picture_and_last_state(page: Page, lab: Any, start: Any) -> None:
    graph = start("saved.ipynb", WORKFLOW.replace("SLEEP", "0.01"), "run = wf.run()\nrun.result()\nrun")
    chip(graph, "succeeded")
    book = saved_with_its_widget(page, Path(lab.root) / "saved.ipynb")
    [data] = [o["data"] for o in book["cells"][1]["outputs"] if "data" in o]
    html = "".join(data["text/html"])
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert found
    picture = base64.b64decode(found[1]).decode()
    assert "<svg" in picture
    assert "claims-triage" in picture
    assert "claims-triage" in "".join(data["text/plain"])
    # No kernel behind it any more: the page says so and shows the last known state.
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.reload()
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.restored.then(() => true)")
    again = page.locator(".aiosw").last
    expect(again).to_be_visible(timeout=60_000)
    chip(again, "succeeded")
    expect(again).to_contain_text("Kernel gone", timeout=30_000)
    shot(again, "kernel-gone")


MANY = """
import time, aios_workbench as aios
wf = aios.Workflow("many")
wf.step(name="s0")(lambda: 0)
for i in range(1, 120):
    wf.step(name=f"s{i}", inputs={"x": f"s{(i - 1) // 3}"})(lambda x: time.sleep(0.3) or x)
run = wf.run()
run
"""


def test_a_large_graph_is_painted_and_still_reached(page: Page, start: Any) -> None:
    graph = start("many.ipynb", MANY)
    canvas = graph.locator("canvas")
    expect(canvas).to_have_count(2)
    assert graph.locator(".aiosw-node").count() < 40
    shot(graph, "large-far")
    for _ in range(16):
        if 1 < graph.locator(".aiosw-node").count() < 120:
            break
        graph.get_by_role("button", name="Zoom in").click(force=True)
        page.wait_for_timeout(250)
    where = graph.locator(".react-flow__viewport").get_attribute("style")
    near = graph.locator(".aiosw-node").count()
    assert 1 < near < 120
    shot(graph, "large-near")
    chip(graph, "succeeded", 60_000)
    # States changed a hundred times; the view did not move.
    assert graph.locator(".react-flow__viewport").get_attribute("style") == where
    graph.locator(".aiosw-node[tabindex='0']").focus()
    page.keyboard.press("End")
    expect(node(graph, "s119")).to_be_focused()
    page.keyboard.press("Enter")
    expect(graph.locator(".aiosw-detail h3")).to_have_text("s119")


def test_a_running_run_is_cancelled_and_resumed(page: Page, start: Any) -> None:
    graph = start("cancel.ipynb", WORKFLOW.replace("SLEEP", "0.2"), "run = wf.run()\nrun")
    state(graph, "features", "running")
    graph.get_by_role("button", name="Cancel run").click()
    chip(graph, "cancelled")
    state(graph, "score", "cancelled")
    graph.get_by_role("button", name="Resume run").click()
    state(graph, "features", "running")
    chip(graph, "succeeded")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1600])
def test_screens(page: Page, start: Any, theme: str, width: int) -> None:
    page.set_viewport_size({"width": max(width, 700), "height": 1000})
    graph = start(
        f"look-{theme}-{width}.ipynb", WORKFLOW.replace("SLEEP", "0.01") + GATE, "run = wf.run()\nrun"
    )
    name = "JupyterLab Dark" if theme == "dark" else "JupyterLab Light"
    page.evaluate(f"() => window.jupyterapp.commands.execute('apputils:change-theme', {{theme: '{name}'}})")
    state(graph, "review", "waiting")
    if width == 400:
        page.add_style_tag(content=".aiosw { width: 400px; }")
    page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    page.wait_for_timeout(700)
    node(graph, "load").click()
    expect(graph.locator(".aiosw-detail").get_by_role("grid")).to_be_visible()
    page.wait_for_timeout(300)
    box = graph.bounding_box()
    assert box
    assert box["width"] <= width
    for name in ("load", "review"):
        inner = node(graph, name).bounding_box()
        assert inner
        assert inner["x"] >= box["x"]
        assert inner["x"] + inner["width"] <= box["x"] + box["width"] + 1
    graph.scroll_into_view_if_needed()
    shot(graph, f"screen-{theme}-{width}")


def execute(page: Page, code: str) -> None:
    """Run code in the notebook's kernel, as another cell would."""
    page.evaluate(
        """code => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
            .requestExecute({code}).done.then(() => true)""",
        code,
    )
