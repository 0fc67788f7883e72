"""From a failed step to the line of the cell that raised, in a real JupyterLab."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from panel_kit import command
from playwright.sync_api import Locator, Page, expect

CELLS = (
    "import aios_workbench as aios\nwf = aios.Workflow('broken')",
    "# far from the step\n\ndef halve(number):\n    return number / 0",
    "@wf.step\ndef load():\n    '''Loads.'''\n    return halve(2)",
    "run = wf.run()\nrun.wait()\nrun",
)
SELECTED = """() => {
    const content = window.jupyterapp.shell.currentWidget.content;
    const cell = content.activeCell;
    const at = cell?.editor?.getSelection();
    return cell && at ? [cell.model.sharedModel.getSource(), at.start.line + 1] : null;
}"""
CHANGED = "The cell was changed since this step ran"


@pytest.fixture(autouse=True)
def errors(page: Page) -> Iterator[None]:
    """No script error may be left."""
    found: list[str] = []
    page.on("pageerror", lambda e: found.append(str(e)))
    yield
    assert found == []


@pytest.fixture
def graph(page: Page, lab: Any, notebook: Callable[..., str], request: Any) -> Locator:
    """The failed run's widget, with the step open."""
    lab.open(page, f"/tree/{notebook(f'{request.node.name}.ipynb', *CELLS)}")
    lab.run_all(page)
    found = page.locator(".aiosw").last
    expect(found.locator(".aiosw-header .aiosw-chip")).to_have_text("failed", timeout=60_000)
    found.locator('.aiosw-node[data-step="load"]').click()
    return found


def selected(page: Page, source: str, line: int) -> None:
    """Wait until this line of this cell is selected."""
    page.wait_for_function(
        f"([source, line]) => {{ const at = ({SELECTED})(); return at && at[0] === source && at[1] === line; }}",
        arg=[source, line],
    )


def frames(place: Locator) -> Locator:
    """The buttons that lead to cells, the failing line last."""
    place.get_by_role("tab", name="Error").click()
    found = place.locator(".aiosw-frames").get_by_role("button", name=re.compile(r"^cell .+, line \d+$"))
    expect(found).to_have_count(2)
    return found


def put(page: Page, index: int, source: str) -> None:
    """Type something else into a cell."""
    page.evaluate(
        "([i, s]) => window.jupyterapp.shell.currentWidget.content.widgets[i].model.sharedModel.setSource(s)",
        [index, source],
    )


def test_frames_of_the_widget_lead_to_their_cells(page: Page, graph: Locator) -> None:
    frames(graph).first.click()
    selected(page, CELLS[2], 4)
    graph.scroll_into_view_if_needed()
    frames(graph).last.click()
    selected(page, CELLS[1], 4)
    expect(graph.get_by_text(CHANGED)).to_have_count(0)
    graph.get_by_role("tab", name="Code").click()
    graph.get_by_role("button", name="Open in notebook").first.click()
    page.wait_for_function(f"s => ({SELECTED})()?.[0] === s", arg=CELLS[2])
    put(page, 1, "# edited\n" + CELLS[1].replace("/ 0", "/ 1"))
    frames(graph).last.click()
    expect(graph.get_by_text(CHANGED)).to_be_visible()


def test_frames_of_a_tab_lead_there_after_a_restart_and_a_new_cell(page: Page, graph: Locator) -> None:
    expect(graph.locator(".aiosw-header")).to_be_visible()
    run_id = page.evaluate(
        """() => new Promise(done => {
            const future = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
                .requestExecute({code: 'print(run.id)', store_history: false});
            let text = '';
            future.onIOPub = m => { text += m.content.text ?? ''; };
            future.done.then(() => done(text.trim()));
        })"""
    )
    page.evaluate(
        """async () => {
            const panel = window.jupyterapp.shell.currentWidget;
            await panel.sessionContext.session.kernel.restart();
            panel.model.sharedModel.insertCell(0, {cell_type: 'code', source: '1 + 1'});
        }"""
    )
    notebook = page.evaluate("() => window.jupyterapp.shell.currentWidget.id")
    tab = page.locator(".aios-inspector-tab .aiosw")
    for which, (source, line) in enumerate(((CELLS[2], 4), (CELLS[1], 4))):
        command(page, "aios:open-run", {"runId": run_id, "step": "load"})
        expect(tab.locator(".aiosw-detail h3")).to_have_text("load", timeout=60_000)
        frames(tab).nth(which).click()
        page.wait_for_function("id => window.jupyterapp.shell.currentWidget.id === id", arg=notebook)
        selected(page, source, line)
    command(page, "aios:open-run", {"runId": run_id, "step": "load"})
    tab.get_by_role("tab", name="Code").click()
    tab.get_by_role("button", name="Open in notebook").first.click()
    page.wait_for_function(f"s => ({SELECTED})()?.[0] === s", arg=CELLS[2])
