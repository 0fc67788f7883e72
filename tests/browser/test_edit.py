"""Building from the screen, in a real JupyterLab: forms write code into cells, and the code decides."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from graph_kit import node, shot
from playwright.sync_api import Locator, Page, expect

SHOTS = os.environ.get("AIOS_SHOTS")

IMPORT = "import aios_workbench as aios\nwf = aios.Workflow('edit')"
STEPS = """LIMIT = "90s"

@wf.step
def load(rows: int = 20):
    return [{"n": i} for i in range(rows)]

@wf.step(retries=1,  # the source is flaky
         timeout=LIMIT)
def clean(load):
    '''Zäh: keeps its "quotes".'''
    return load

def small(load):
    return []"""


@pytest.fixture
def start(page: Page, lab: Any, notebook: Callable[..., str], errors: list[str]) -> Callable[..., Locator]:
    """Run cells in a new notebook; give the graph of the last output that has one."""

    def go(name: str, *cells: str) -> Locator:
        lab.open(page, f"/tree/{notebook(name, *cells)}")
        lab.run_all(page)
        graph = page.locator(".aiosw").last
        expect(graph).to_be_visible(timeout=60_000)
        page.wait_for_function("() => window.jupyterapp.shell.currentWidget.content.widgets.length > 0")
        return graph

    return go


def settings(graph: Locator, step: str) -> Locator:
    """Open a step's settings."""
    graph.scroll_into_view_if_needed()
    if node(graph, step).get_attribute("aria-pressed") != "true":
        node(graph, step).click()
    graph.get_by_role("tab", name="Settings").click()
    form = graph.get_by_role("form", name=f"Settings of {step}")
    expect(form.get_by_label("Timeout")).to_be_visible()
    return form


def cells(page: Page) -> list[str]:
    """The sources of the notebook's cells."""
    return page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.map(c => c.model.sharedModel.getSource())"
    )


def set_cell(page: Page, index: int, source: str) -> None:
    """Type something else into a cell."""
    page.evaluate(
        "([i, s]) => window.jupyterapp.shell.currentWidget.content.widgets[i].model.sharedModel.setSource(s)",
        [index, source],
    )


def ask(page: Page, code: str) -> str:
    """Evaluate an expression in the kernel."""
    return page.evaluate(
        """code => new Promise(done => {
            const future = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
                .requestExecute({code: `print(${code})`, store_history: false});
            let text = '';
            future.onIOPub = m => { text += m.content.text ?? ''; };
            future.done.then(() => done(text.trim()));
        })""",
        code,
    )


def test_settings_are_written_run_and_undone(page: Page, start: Any) -> None:
    graph = start("settings.ipynb", IMPORT, STEPS, "wf")
    form = settings(graph, "clean")
    expect(form.get_by_label("Retries")).to_have_value("1")
    expect(form.get_by_label("Timeout")).to_have_value("LIMIT")
    form.get_by_label("Retries").fill("3")
    form.get_by_label("Timeout").fill("2m")
    changes = form.get_by_label("What changes in the code")
    expect(changes).to_contain_text("+@wf.step(retries=3,  # the source is flaky")
    expect(changes).to_contain_text('+         timeout="2m")')
    shot(page, "edit-settings")
    where = graph.locator(".react-flow__viewport").get_attribute("style")
    form.get_by_role("button", name="Write to cell").click()
    expect(form).to_contain_text("It takes effect when the cell is run.")
    wanted = STEPS.replace("retries=1", "retries=3").replace("timeout=LIMIT", 'timeout="2m"')
    assert cells(page)[1] == wanted
    assert ask(page, "wf.spec().step('clean').retries") == "1"
    # Ctrl+Z in the cell takes it back; then the same again, run at once.
    page.locator(".jp-Cell .cm-content").nth(1).click()
    page.keyboard.press("Control+z")
    assert cells(page)[1] == STEPS
    graph.scroll_into_view_if_needed()
    form.get_by_role("button", name="Write and run").click()
    expect(form).to_contain_text("Written and run.")
    assert cells(page)[1] == wanted
    assert ask(page, "wf.spec().step('clean').retries, wf.spec().step('clean').timeout") == "3 120.0"
    expect(form.get_by_label("Retries")).to_have_value("3")
    assert graph.locator(".react-flow__viewport").get_attribute("style") == where


def test_a_bad_value_is_said_at_its_field(page: Page, start: Any) -> None:
    graph = start("wrong.ipynb", IMPORT, STEPS, "wf")
    form = settings(graph, "load")
    form.get_by_label("Timeout").fill("soon")
    expect(form.get_by_role("alert")).to_contain_text("is not a duration")
    expect(form.get_by_role("button", name="Write and run")).to_be_disabled()
    form.get_by_label("Timeout").fill("")
    form.get_by_label("Retries").fill("many")
    expect(form.get_by_role("alert")).to_contain_text("whole number")
    form.get_by_label("Retries").fill("")
    form.get_by_label("Run after", exact=True).last.fill("clean")
    form.get_by_role("button", name="Add to Run after").click()
    expect(form.get_by_role("alert")).to_contain_text("is a circle")
    shot(page, "edit-circle")


def test_a_cell_changed_meanwhile_is_not_overwritten(page: Page, start: Any) -> None:
    graph = start("conflict.ipynb", IMPORT, STEPS, "wf")
    form = settings(graph, "clean")
    form.get_by_label("Retries").fill("7")
    expect(form.get_by_label("What changes in the code")).to_be_visible()
    set_cell(page, 1, STEPS + "\n# mine")
    form.get_by_role("button", name="Write and run").click()
    expect(form).to_contain_text("was changed since it was run")
    assert cells(page)[1] == STEPS + "\n# mine"
    shot(page, "edit-conflict")
    set_cell(page, 1, STEPS)
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[1].model.setMetadata('editable', false)"
    )
    form.get_by_role("button", name="Write to cell").click()
    expect(form).to_contain_text("The cell is locked")
    assert cells(page)[1] == STEPS


def test_a_gate_from_a_template_and_an_order_edge(page: Page, start: Any) -> None:
    graph = start("gate.ipynb", IMPORT + "\n\n" + STEPS, "wf", "wf.name")
    node(graph, "clean").click()
    graph.get_by_role("button", name="Add step").click()
    form = graph.get_by_role("form", name="Add a step")
    form.get_by_label("Template").select_option("Human gate")
    form.get_by_label("Name", exact=True).fill("Check it!")
    expect(form.get_by_label("The code of the new cell")).to_contain_text("def check_it(clean):")
    shot(page, "edit-add")
    form.get_by_role("button", name="Write and run").click()
    expect(graph.locator(".aiosw-edit-new > .aiosw-buttons [role=status]")).to_have_text("Written and run.")
    expect(node(graph, "check_it")).to_be_visible()
    assert cells(page)[1].startswith("from pydantic import")
    # The workflow is made in the same cell as its steps: running it makes a new one, which the graph goes on with.
    form = settings(graph, "load")
    form.get_by_label("Cache").check()
    form.get_by_role("button", name="Write and run").click()
    expect(form).to_contain_text("Written and run.")
    assert "@wf.step(cache=True)\ndef load" in cells(page)[0]
    assert ask(page, "[s.name for s in wf.steps], wf.spec().step('load').cache") == "['load', 'clean'] True"
    expect(node(graph, "check_it")).to_have_count(0)


def test_by_keyboard_alone(page: Page, start: Any) -> None:
    graph = start("keyboard.ipynb", IMPORT, STEPS, "wf")
    node(graph, "load").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(graph.get_by_role("tab", selected=True)).to_be_visible()
    graph.get_by_role("tab", selected=True).focus()
    page.keyboard.press("End")
    expect(graph.get_by_role("tab", name="Settings")).to_be_focused()
    form = graph.get_by_role("form", name="Settings of clean")
    expect(form.get_by_label("Retries")).to_be_visible()
    page.keyboard.press("Tab")
    expect(form.get_by_label("Retries")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("4")
    expect(form.get_by_label("What changes in the code")).to_be_visible()
    form.get_by_label("Tags", exact=True).last.focus()
    page.keyboard.type("nightly")
    page.keyboard.press("Enter")
    expect(form.get_by_role("button", name="Remove nightly from Tags")).to_be_visible()
    expect(form.get_by_label("What changes in the code")).to_contain_text('tags=["nightly"]')
    form.get_by_role("button", name="Write and run").focus()
    page.keyboard.press("Enter")
    expect(form).to_contain_text("Written and run.")
    assert 'tags=["nightly"]' in cells(page)[1]


def test_hostile_names(page: Page, start: Any) -> None:
    evil = "<img src=x onerror=window.hacked=1>"
    code = (
        f"import aios_workbench as aios\nwf = aios.Workflow({evil!r})\n\n"
        f"@wf.step(name={evil!r}, tags=[{evil!r}])\ndef first():\n    return 1\n\n"
        "@wf.step\ndef second():\n    return 2"
    )
    graph = start("hostile-edit.ipynb", code, "wf")
    form = settings(graph, "second")
    form.get_by_label("Run after", exact=True).last.fill(evil)
    form.get_by_role("button", name="Add to Run after").click()
    form.get_by_label("Tags", exact=True).last.fill('"); window.hacked = 1; ("')
    form.get_by_role("button", name="Add to Tags").click()
    expect(form.get_by_label("What changes in the code")).to_contain_text(f'after=["{evil}"]')
    form.get_by_role("button", name="Write and run").click()
    expect(form).to_contain_text("Written and run.")
    assert ask(page, "wf.spec().step('second').after") == str([evil])
    graph.get_by_role("button", name="Add step").click()
    form = graph.get_by_role("form", name="Add a step")
    form.get_by_label("Name", exact=True).fill(evil)
    form.get_by_label("Inputs", exact=True).last.fill(evil)
    form.get_by_role("button", name="Add to Inputs").click()
    expect(form.get_by_label("The code of the new cell")).to_contain_text(f'"{evil}"')
    form.get_by_role("button", name="Write and run").click()
    expect(graph.locator(".aiosw-edit-new > .aiosw-buttons [role=status]")).to_have_text("Written and run.")
    assert page.evaluate("window.hacked") is None
    assert page.locator(".aiosw img").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_screens(page: Page, start: Any, theme: str, width: int) -> None:
    graph = start(f"edit-look-{theme}-{width}.ipynb", IMPORT, STEPS, "wf")
    name = "JupyterLab Dark" if theme == "dark" else "JupyterLab Light"
    page.evaluate(f"() => window.jupyterapp.commands.execute('apputils:change-theme', {{theme: '{name}'}})")
    page.add_style_tag(content=f".aiosw {{ width: {width}px; }}")
    page.set_viewport_size({"width": 1700, "height": 1500})
    form = settings(graph, "clean")
    form.get_by_label("Retries").fill("3")
    form.get_by_label("Fallback", exact=True).last.fill("small")
    form.get_by_role("button", name="Add to Fallback").click()
    expect(form.get_by_label("What changes in the code")).to_contain_text("fallback=small")
    graph.get_by_role("button", name="Add step").click()
    add = graph.get_by_role("form", name="Add a step")
    add.get_by_label("Template").select_option("SQL query")
    add.get_by_label("Name", exact=True).fill("top_rows")
    expect(add.get_by_label("The code of the new cell")).to_contain_text("duckdb")
    page.wait_for_timeout(300)
    box = graph.bounding_box()
    assert box
    for field in form.locator("input").all():
        inner = field.bounding_box()
        assert inner
        assert inner["x"] + inner["width"] <= box["x"] + box["width"]
    shot(graph, f"edit-{theme}-{width}")


def test_a_cell_far_away_is_shown(page: Page, start: Any) -> None:
    many = [f"x = {i}" for i in range(60)]
    graph = start("far.ipynb", IMPORT, STEPS, *many, "wf")
    page.evaluate(
        """() => { const {content} = window.jupyterapp.shell.currentWidget;
            content.notebookConfig = {...content.notebookConfig, windowingMode: 'full'};
            content.widgets[1].inputHidden = true;
            content.activeCellIndex = content.widgets.length - 1;
            return content.scrollToCell(content.activeCell); }"""
    )
    page.wait_for_timeout(500)
    expect(graph).to_be_visible()
    settings(graph, "clean").get_by_role("button", name="Go to cell In[2]").click()
    page.wait_for_function(
        """() => { const {content} = window.jupyterapp.shell.currentWidget;
            const cell = content.activeCell;
            return content.activeCellIndex === 1 && !cell.inputHidden && cell.editor && cell.inViewport
                && cell.editor.getSelection().start.line === 6; }"""
    )
    cell = page.locator(".jp-Cell.jp-mod-active")
    expect(cell).to_be_in_viewport()
    expect(cell).to_contain_text("the source is flaky")
