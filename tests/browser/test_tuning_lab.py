"""A tuning in a real JupyterLab: a real kernel, a real worker process, a strategy that measures at our pace."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graph_kit import shot
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KNN = Path(__file__).resolve().parents[1] / "knn"
START = f"""
import sys
sys.path.insert(0, {str(KNN)!r})
import aios_workbench as aios
from tuning_kit import start
found = start(aios.open_workspace(), points=POINTS, seconds=0.8, recall=0.5)
"""


def chip(widget: Locator, status: str) -> None:
    expect(widget.locator(".aiosw-chip")).to_have_text(status, timeout=60_000)


def test_it_grows_and_answers_while_the_cell_blocks(page: Page, lab: Any, start: Any) -> None:
    widget = start("tuning.ipynb", START.replace("POINTS", "9"), "found", "_ = found.wait(progress=False)")
    dots = widget.locator(".aiosw-tun-dot")
    expect(dots.nth(2)).to_be_attached(timeout=60_000)
    prompt = page.locator(".jp-InputPrompt").nth(2)
    expect(prompt).to_have_text("[*]:")
    widget.get_by_role(
        "button", name=re.compile(r"^0\.8 ")
    ).click()  # a kernel that blocks answers all the same
    recall = widget.get_by_label("Recall at least")
    recall.fill("0.55")
    recall.press("Enter")
    expect(widget.get_by_role("region", name="The chosen index")).to_contain_text("IVF16")
    widget.get_by_role("button", name="Pause").click()
    chip(widget, "paused")
    widget.get_by_role("button", name="Resume").click()
    shot(widget, "tuning-lab-running")
    chip(widget, "finished")
    expect(dots).to_have_count(9)
    expect(prompt).to_have_text("[3]:")
    widget.get_by_role("tab", name="Pruned").click()
    expect(widget.get_by_role("tabpanel", name="Pruned")).to_contain_text("too slow")

    # The name in the notebook is in the code, and the code goes into a cell of it.
    widget.get_by_role("button", name="Use this index").click()
    snippet = widget.get_by_role("group", name="Code that takes this index")
    expect(snippet).to_contain_text("index = found.pick(point=")
    snippet.get_by_role("button", name="Write to a new cell").click()
    expect(page.locator(".jp-CodeCell").filter(has_text="index = found.pick(point=")).not_to_have_count(0)
    shot(widget, "tuning-lab-finished")

    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(1500)
    book = json.loads((Path(lab.root) / "tuning.ipynb").read_text())
    data = [o["data"] for c in book["cells"] for o in c.get("outputs", []) if "data" in o]
    shown = next(d for d in data if "application/vnd.jupyter.widget-view+json" in d)
    assert "data:image/svg+xml;base64" in "".join(shown["text/html"])
    assert "recall@3" in "".join(shown["text/plain"])


def test_a_restarted_kernel_leaves_what_was_known(page: Page, lab: Any, start: Any) -> None:
    widget = start("gone.ipynb", START.replace("POINTS", "400"), "found")
    expect(widget.locator(".aiosw-tun-dot").nth(3)).to_be_attached(timeout=60_000)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(widget.get_by_text("Kernel gone")).to_be_visible(timeout=60_000)
    expect(widget.get_by_role("button", name="Stop")).to_be_disabled()
    expect(widget.locator(".aiosw-tun-dot").nth(3)).to_be_attached()
