"""What a run is held to, in a real JupyterLab with a real kernel: maps, dead letters done again, budgets, undoing."""

from __future__ import annotations

import re
from typing import Any

from graph_kit import node, shot
from panel_kit import theme
from playwright.sync_api import Page, expect

WORKFLOW = """
import aios_workbench as aios

EVIL = "<img src=x onerror=window.hacked=1>"
wf = aios.Workflow("held-to-much", max_attempts=50, budget={"EUR": 2.5, "tokens": 10_000})
bad = {3, 11}

@wf.step
def letters(count: int = 20):
    return [f"letter {i} {EVIL}" for i in range(count)]

@wf.map(over="letters", batch=5, on_error="dead_letter")
def amount(letter):
    number = int(letter.split()[1])
    if number in bad:
        raise ValueError(f"no amount in {letter}")
    aios.context().spend(tokens=120, EUR=0.01)
    return number

@wf.loop(until=lambda size: size > 100, max=12)
def total(size: int = 1):
    return size * 2

def refund(output):
    print("refunded", output)

@wf.step(compensate=refund, retries=1, retry_on=ConnectionError, hedge="20s", limits=["bank"])
def pay(amount, total):
    return sum(a for a in amount if a is not None)

@wf.step(executor="process", memory="1GB", timeout="60s")
def receipt(pay, fail: bool = False):
    if fail:
        raise PermissionError(f"the printer is locked {EVIL}")
    return f"receipt of {pay}"
"""


def test_dead_letters_are_seen_and_done_again(page: Page, start: Any) -> None:
    graph = start("letters.ipynb", WORKFLOW, "run = wf.run()\nrun")
    expect(node(graph, "receipt")).to_have_attribute("data-status", "succeeded", timeout=120_000)
    expect(node(graph, "amount")).to_have_attribute("data-shape", "map")
    expect(node(graph, "amount")).to_contain_text("map")
    expect(node(graph, "total")).to_contain_text("loop")
    shot(graph, "policies-graph")
    node(graph, "amount").click()
    pane = graph.get_by_role("region", name="Step amount", exact=True)
    pane.get_by_role("tab", name=re.compile("Dead letters")).click()
    letters = pane.get_by_role("tabpanel")
    expect(letters).to_contain_text("2 items failed for good, 2 open")
    expect(letters).to_contain_text("ValueError: no amount in letter 3 <img src=x")
    shot(graph, "policies-letters")
    pane.get_by_role("tab", name="Code").click()
    expect(pane).to_contain_text("an item of letters, 5 in one go")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
                  ".requestExecute({code: 'bad.clear()'}).done")  # fmt: skip
    pane.get_by_role("tab", name=re.compile("Dead letters")).click()
    pane.get_by_role("button", name="Do 2 items again").click()
    # The widget shows the new run; its map has nothing left to do.
    expect(graph).to_contain_text("rerun from", timeout=60_000)
    expect(node(graph, "receipt")).to_have_attribute("data-status", "succeeded", timeout=120_000)
    expect(pane.get_by_role("tab", name=re.compile("Dead letters"))).to_have_count(1)
    expect(pane.get_by_role("tabpanel").get_by_text("redriven").first).to_be_visible(timeout=60_000)
    assert page.evaluate("window.hacked") is None


def test_the_overview_says_what_the_run_was_held_to(page: Page, start: Any) -> None:
    graph = start("held.ipynb", WORKFLOW, "run = wf.run(fail=True)\nrun")
    expect(node(graph, "receipt")).to_have_attribute("data-status", "failed", timeout=120_000)
    graph.get_by_role("button", name="Overview").click()
    budgets = graph.get_by_role("region", name="Budgets")
    expect(budgets).to_contain_text("2,160 of 10,000 spent", timeout=60_000)
    expect(graph.get_by_role("region", name="Attempts")).to_contain_text("of 50")
    expect(graph.get_by_role("region", name="Undone")).to_contain_text("refund compensated")
    shot(graph, "policies-overview")
    graph.get_by_role("region", name="Undone").scroll_into_view_if_needed()
    theme(page, "Dark")
    shot(page, "policies-overview-dark")
    page.set_viewport_size({"width": 620, "height": 900})
    shot(page, "policies-overview-narrow")
    page.set_viewport_size({"width": 1280, "height": 800})
    theme(page, "Light")
    graph.get_by_role("region", name="Undone").get_by_role("button", name="pay").click()
    pane = graph.get_by_role("region", name="Step pay", exact=True)
    pane.get_by_role("tab", name=re.compile("Attempts")).click()
    expect(pane.get_by_role("tabpanel")).to_contain_text("compensation refund")
    shot(graph, "policies-attempts")
    pane.get_by_role("tab", name="Settings").click()
    form = pane.get_by_role("form", name="Settings of pay")
    form.get_by_label("When it fails").select_option("skip")
    form.get_by_label("Executed in").select_option("process")
    expect(form.get_by_label("What changes in the code")).to_contain_text('on_error="skip"', timeout=60_000)
    expect(form.get_by_label("What changes in the code")).to_contain_text('executor="process"')
    shot(graph, "policies-settings")
    assert page.evaluate("window.hacked") is None
