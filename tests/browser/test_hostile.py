"""One workflow whose every name, value and message is markup, through every screen: all of it stays text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from panel_kit import FULL, HOSTILE, a_gate, answers, command, fold, look_again, open_lab, shot
from playwright.sync_api import Page, expect
from screens import every, open_comparison

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WORKFLOW = """
import logging
import aios_workbench as aios
import pandas as pd
from pydantic import BaseModel, Field, create_model

EVIL = "<img src=x onerror=window.__hit=1>"
SCRIPT = "<script>window.__hit=2</script>"
wf = aios.Workflow("evil " + EVIL, description=SCRIPT)
Form = create_model("Form", note=(str, Field(EVIL, title=EVIL, description=SCRIPT)))

@wf.step(name="load " + EVIL)
def load(label: str = EVIL):
    print(EVIL, "\\x1b[31m" + SCRIPT)
    logging.getLogger("x").warning(SCRIPT)
    aios.context().progress(0.5, EVIL)
    aios.context().metric("metric " + EVIL, 1.0, unit=SCRIPT)
    return pd.DataFrame({EVIL: [SCRIPT, EVIL], "<b>": ["javascript:window.__hit=3", "<svg onload=window.__hit=4>"]})

@wf.gate(name="gate " + EVIL, form=Form, after=["load " + EVIL])
def gate():
    return pd.DataFrame({EVIL: [SCRIPT]})

@wf.step(name="fails " + EVIL, after=["load " + EVIL])
def fails():
    raise ValueError(EVIL + SCRIPT)

run = wf.run()
run
"""

#: Elements no screen of ours makes: whatever is found here came from a value.
FOREIGN = """() => {
    const roots = [...document.querySelectorAll('.aios-ui, .aiosw, .Toastify, .jp-Notification-Center')];
    const foreign = 'script, iframe, object, embed, img, a[href^="javascript:"], [onerror], [onload]';
    const bad = roots.flatMap(r => [...r.querySelectorAll(foreign)]);
    return bad.filter(e => !(e.tagName === 'IMG' && e.src.startsWith('data:'))).map(e => e.outerHTML.slice(0, 200));
}"""


def clean(page: Page, where: str) -> None:
    """Nothing ran, nothing foreign is there."""
    shot(page, f"hostile_{where}")
    assert page.evaluate("window.__hit") is None, where
    assert page.evaluate(FOREIGN) == [], where


def test_markup_stays_text_on_every_screen(page: Page, lab: Any, notebook: Callable[..., str]) -> None:
    asked: list[str] = []
    page.on("dialog", lambda d: (asked.append(d.message), d.dismiss()))
    lab.open(page, f"/tree/{notebook('hostile.ipynb', WORKFLOW)}")
    command(page, "aios:show-runs")
    lab.run_all(page)
    run = page.get_by_test_id("aios-run").filter(has_text="evil <img").first
    expect(run).to_contain_text("waiting", timeout=90_000)
    clean(page, "list")
    fold(run)
    expect(run.get_by_test_id("aios-error").first).to_contain_text("ValueError: <img src=x onerror")
    run.get_by_role("button", name="Show traceback").first.click()
    expect(run).to_contain_text("metric <img")
    clean(page, "run")

    graph = page.locator(".jp-OutputArea .aiosw").first
    for node in ("load <img", "fails <img", "gate <img"):
        graph.locator(".aiosw-node", has_text=node).first.click()
        tabs = graph.get_by_role("tab")
        expect(tabs.first).to_be_visible()
        for i in range(tabs.count()):
            tabs.nth(i).click()
            page.wait_for_timeout(150)
            clean(page, f"graph {node} {i}".replace("<", ""))
    graph.get_by_role("button", name="Add step").click()
    expect(graph.get_by_role("form", name="Add a step")).to_be_visible()
    graph.get_by_role("form", name="Add a step").get_by_label("Name", exact=True).fill(HOSTILE)
    page.wait_for_timeout(600)
    clean(page, "add step")
    graph.get_by_role("button", name="Close", exact=True).first.click()

    run.locator(".aios-step-name", has_text="load <img").click()
    expect(page.locator(".lm-DockPanel-widget:visible").get_by_text("<img src=x").first).to_be_visible()
    clean(page, "main area")

    run.get_by_role("button", name="Decide").click()
    gate = page.get_by_test_id("aios-gate").filter(has_text="evil <img")
    expect(gate.get_by_role("table")).to_contain_text("<script>window.__hit=2</script>")
    expect(gate.get_by_role("textbox").first).to_have_value("<img src=x onerror=window.__hit=1>")
    clean(page, "gate")
    gate.get_by_label("Reason").fill("<img src=x onerror=window.__hit=5>")
    gate.get_by_role("button", name="Reject").click()
    expect(page.get_by_test_id("aios-decided").first).to_contain_text("<img src=x onerror=window.__hit=5>")
    clean(page, "decided")
    assert asked == []


def test_markup_stays_text_on_every_page_of_a_run(page: Page, lab: Any, story: dict[str, str]) -> None:
    wrong: list[str] = []
    page.on("dialog", lambda d: (wrong.append(d.message), d.dismiss()))
    page.on("pageerror", lambda e: wrong.append(str(e)))
    run = open_comparison(page, lab, story)
    seen = []
    for name in every(run):
        assert HOSTILE in run.inner_text(), name
        clean(page, f"run {name}")
        seen.append(name)
    assert len(seen) > 25
    assert wrong == []


def test_markup_in_notifications_stays_text(page: Page, lab: Any) -> None:
    with answers(page, **{**FULL, "gates": []}) as body:
        open_lab(page, lab)
        command(page, "aios:open-panel")
        look_again(page)
        body["gates"] = [a_gate("r2", HOSTILE, workflow=HOSTILE)]
        look_again(page)
        expect(page.locator(".Toastify__toast").first).to_contain_text(f"“{HOSTILE}” of {HOSTILE} waits")
        clean(page, "toast")


def test_markup_in_notebooks_and_jobs_stays_text(page: Page, lab: Any) -> None:
    evil = "<img src=x onerror=window.__hit=1>"
    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book.cells = [
        nbformat.v4.new_code_cell(f"label: str = {evil!r}", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("raise ValueError(label)"),
    ]
    name = "job <img src=x onerror=alert(1)>.ipynb"
    nbformat.write(book, lab.root / name)
    lab.open(page)
    command(page, "aios:promote", {"path": name})
    form = page.get_by_test_id("aios-promote-form")
    steps = form.get_by_role("navigation", name="Steps")
    expect(form.get_by_test_id("aios-verdict")).to_be_visible()
    steps.get_by_role("button", name="Parameters").click()
    expect(form.get_by_label("label")).to_have_value(evil)
    form.get_by_label("Name", exact=True).fill(evil)
    steps.get_by_role("button", name="When").click()
    form.get_by_text("If something goes wrong").click()
    form.get_by_label("Retries").fill("0")
    clean(page, "promote")
    steps.get_by_role("button", name="Approve").click()
    form.get_by_role("button", name="Promote", exact=True).click()
    clean(page, "promoted")
    form.get_by_role("button", name="Show job").click()
    job = page.get_by_test_id("aios-job").filter(has_text=evil)
    job.get_by_role("tab", name="About").click()
    expect(job).to_contain_text(name)
    job.get_by_role("tab", name="Runs").click()
    job.get_by_role("button", name="Run now").click()
    expect(job.get_by_test_id("aios-job-run").first).to_have_attribute(
        "data-status", "failed", timeout=120_000
    )
    expect(job.get_by_test_id("aios-error").first).to_contain_text(evil)
    clean(page, "job")
    job.get_by_role("tab", name="About").click()
    job.get_by_role("button", name="Remove…").click()
    expect(page.get_by_role("dialog")).to_contain_text(evil)
    clean(page, "remove")
    page.get_by_role("button", name="Remove job").click()
    expect(job).to_have_count(0)
