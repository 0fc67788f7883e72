"""Ways in and choices: tour, example, launcher, palette, settings."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from panel_kit import EMPTY, FULL, answers, command, fold, look_again, open_lab, set_setting, shot
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

EXTENSION = Path(__file__).parents[2] / "labextension"


def test_the_tour_leads_to_an_example_that_runs_to_its_end(page: Page, lab: Any) -> None:
    with answers(page, **EMPTY):
        open_lab(page, lab)
        command(page, "aios:show-tour")
        tour = page.get_by_test_id("aios-tour")
        expect(tour.get_by_role("heading", name="Functions become steps")).to_be_visible()
        tour.get_by_role("button", name="Next").click()
        expect(tour.get_by_role("heading", name="Watch it run, open anything")).to_be_focused()
        page.keyboard.press("ArrowRight")
        expect(tour.get_by_role("heading", name="Ask a person")).to_be_focused()
        shot(page, "tour_gate")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Escape")
        expect(tour).to_have_count(0)
        page.get_by_role("button", name="Show the tour").click()
        tour.get_by_role("button", name="Try the example").click()
        expect(page.locator(".jp-Notebook:visible")).to_contain_text("Triage of insurance claims")
        tour.get_by_role("button", name="Skip the tour").click()
    assert (lab.root / "claims_example.ipynb").is_file()
    lab.run_all(page)
    command(page, "aios:show-runs")
    look_again(page)  # the answers made up named a workspace that has no news
    run = page.get_by_test_id("aios-run").filter(has_text="claims-example").first
    expect(run).to_contain_text("succeeded", timeout=90_000)
    expect(run).to_contain_text("4/4")
    expect(page.locator(".jp-OutputArea-output").last).to_contain_text("'looked at'", timeout=30_000)
    shot(page, "example_done")
    command(page, "aios:example")  # nothing of the person's is overwritten
    expect(page.locator(".lm-TabBar-tabLabel", has_text="claims_example-2.ipynb")).to_be_visible()


def test_launcher_and_palette(page: Page, lab: Any) -> None:
    open_lab(page, lab)
    cards = page.locator(".jp-Launcher-section", has=page.get_by_role("heading", name="AIOS"))
    labels = cards.locator(".jp-LauncherCard-label")
    expect(labels).to_have_text(["Workflow tutorial", "New workflow notebook", "AIOS runs"])
    cards.get_by_text("AIOS runs").click()
    expect(page.locator(".aios-panel")).to_be_visible()
    cards.get_by_text("Workflow tutorial").click()
    expect(page.locator(".jp-Notebook:visible")).to_contain_text("Your first workflow")
    for lesson, name in (
        ("inspect", "02_inspect_a_run"),
        ("tuning", "03_tune_a_knn_index"),
        ("drift", "04_find_drift"),
        ("explain", "05_explain_a_model"),
        ("promote", "06_promote"),
        ("failures", "07_failures_and_gates"),
    ):
        command(page, f"aios:{lesson}-tutorial")
        expect(page.locator(".lm-TabBar-tabLabel", has_text=f"{name}.ipynb")).to_be_visible()
    command(page, "aios:new-workflow")
    expect(page.locator(".lm-TabBar-tabLabel", has_text=re.compile("^workflow.ipynb$"))).to_be_visible()
    assert "my-workflow" in (lab.root / "workflow.ipynb").read_text()
    ids = page.evaluate(
        """() => {
            const all = window.jupyterapp.commands;
            return all.listCommands().filter(c => c.startsWith('aios:') && all.isVisible(c));
        }"""
    )
    assert len(ids) > 10
    labelled = page.evaluate("ids => ids.map(c => window.jupyterapp.commands.label(c))", ids)
    assert [(i, label) for i, label in zip(ids, labelled, strict=True) if not label or label == i] == []
    with answers(page, **EMPTY):
        look_again(page)
        enabled = "([c, on]) => window.jupyterapp.commands.isEnabled(c) === on"
        page.wait_for_function(enabled, arg=["aios:next-decision", False])
        page.wait_for_function(enabled, arg=["aios:open-last-failure", False])
    with answers(page, **FULL):
        look_again(page)
        page.wait_for_function(enabled, arg=["aios:next-decision", True])
        assert page.evaluate("c => window.jupyterapp.commands.label(c)", "aios:open-last-failure").endswith(
            "(catalog-enrichment)"
        )


def test_defaults_stand_in_one_place() -> None:
    schema = json.loads((EXTENSION / "schema" / "plugin.json").read_text())["properties"]
    text = (EXTENSION / "src" / "lab" / "settings.ts").read_text()
    block = re.search(r"DEFAULTS: Values = \{\n(.*?)\n\};", text, re.DOTALL)
    assert block
    here = dict(re.findall(r"^  (\w+): (.+?),?$", block[1], re.MULTILINE))
    assert {n: p["default"] for n, p in schema.items()} == {
        n: json.loads(v.replace("'", '"')) for n, v in here.items()
    }


def test_every_setting_works(page: Page, lab: Any) -> None:
    with answers(page, **FULL) as body:
        open_lab(page, lab)
        command(page, "aios:show-runs")
        expect(page.get_by_test_id("aios-run")).to_have_count(6)
        command(page, "aios:settings")
        editor = page.locator(".jp-SettingsForm, .jp-SettingsPanel").first
        expect(editor).to_contain_text("Tell me when a gate waits")
        shot(page, "settings_editor")
        try:
            group = page.locator("[id$='_groupRuns']")
            group.select_option(label="workflow")  # the lab's own editor
            expect(page.get_by_test_id("aios-run-group")).to_have_count(2)

            def choose(name: str, value: Any) -> None:
                set_setting(page, name, value=value)
                page.reload()
                page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
                page.wait_for_function("window.jupyterapp && window.jupyterapp.restored.then(() => true)")

            set_setting(page, "confirmCancel", value=False)
            set_setting(page, "motion", value="none")
            set_setting(page, "dataRows", value=5)
            with page.expect_request(re.compile(r"snapshot.*limit=30")):
                choose("pageSize", 30)
            expect(page.locator("body.aios-mod-still")).to_be_attached()
            command(page, "aios:show-runs")
            expect(page.get_by_test_id("aios-run-group")).to_have_count(2)  # kept over the reload
            moving = page.locator(".aios-bar > span").first
            assert moving.evaluate("e => getComputedStyle(e).transitionDuration") == "0s"
            run = page.get_by_test_id("aios-run").first
            fold(run)
            run.get_by_role("button", name="Cancel run").click()
            expect(page.get_by_role("dialog")).to_have_count(0)
            with page.expect_request(re.compile(r"gates/review\?.*limit=5")):
                command(page, "aios:next-decision")
            assert {"cancel": "r1"} in body["sent"]

            choose("openRunsIn", "right")
            page.evaluate("() => window.jupyterapp.commands.execute('aios:open-panel', {tab: 'runs'})")
            run = page.get_by_test_id("aios-run").first
            fold(run)
            before = page.locator(".lm-DockPanel-tabBar").count()
            run.locator(".aios-step-name").first.click()
            expect(page.locator(".lm-DockPanel-tabBar")).to_have_count(before + 1)
        finally:
            for name in (
                "groupRuns",
                "confirmCancel",
                "motion",
                "dataRows",
                "refreshSeconds",
                "pageSize",
                "openRunsIn",
            ):
                set_setting(page, name, value=None)
