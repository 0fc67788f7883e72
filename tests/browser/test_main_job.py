"""The main job as its user does it: run the claims notebook in JupyterLab, decide, promote, see the job."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.conftest import Lab

ROOT = Path(__file__).parents[2]


def shot(page: Page, name: str) -> None:
    folder = os.environ.get("AIOS_SHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png")


@pytest.mark.timeout(400)  # two kernels start, one of them in the worker
def test_run_decide_promote(page: Page, lab: Lab) -> None:
    trouble: list[str] = []
    page.on("pageerror", lambda e: trouble.append(str(e)))
    shutil.copy(ROOT / "notebooks" / "claims_triage.ipynb", lab.root)
    lab.open(page, "/tree/claims_triage.ipynb")
    page.evaluate("() => window.jupyterapp.commands.execute('aios:open-panel')")
    lab.run_all(page)

    graph = page.locator(".aiosw").last
    expect(graph.locator(".aiosw-header .aiosw-chip")).to_have_text("waiting", timeout=120_000)
    graph.scroll_into_view_if_needed()
    page.locator("#aios-tab-waiting").click()
    gate = page.get_by_test_id("aios-gate").filter(has_text="claims-triage").last  # the newest
    head = gate.locator(".aios-fold-head")
    if head.get_attribute("aria-expanded") == "false":  # one of several that wait
        head.click()
    graph.locator('.aiosw-node[data-step="score"]').click()
    expect(graph.locator(".aiosw-detail").get_by_role("grid")).to_be_visible()
    # The graph stays in view above its opened step.
    graph.evaluate("node => node.closest('.jp-Cell').scrollIntoView({block: 'start'})")
    page.wait_for_timeout(800)  # panel and graph have drawn; for the picture only
    shot(page, "workbench")

    gate.get_by_role("button", name="Approve").click()
    expect(graph.locator(".aiosw-header .aiosw-chip")).to_have_text("succeeded", timeout=60_000)
    expect(graph.locator(".aiosw-metrics")).to_contain_text("decided automatically")

    page.locator(".jp-NotebookPanel-toolbar .aios-promote-button").click()
    form = page.get_by_test_id("aios-promote-form")
    expect(form.get_by_label("Name", exact=True)).to_have_value("claims_triage")
    steps = form.get_by_role("navigation", name="Steps")
    steps.get_by_role("button", name="Parameters").click()
    form.get_by_label("review", exact=True).select_option("approve")
    steps.get_by_role("button", name="Approve").click()
    form.get_by_role("button", name="Promote", exact=True).click()
    form.get_by_role("button", name="Show job").click()
    job = page.get_by_test_id("aios-job").filter(has_text="claims_triage")
    job.get_by_role("button", name="Run now").click()
    run = job.get_by_test_id("aios-job-run").first
    expect(run).to_have_attribute("data-status", "succeeded", timeout=170_000)
    shot(page, "main_job_done")
    assert trouble == []
