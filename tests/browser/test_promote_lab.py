"""The promote dialog in a real JupyterLab, from a notebook with defects to its second version; the toolbar's badge."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from panel_kit import command, shot, theme
from playwright.sync_api import Locator, Page, expect

from aios_workbench import promote
from aios_workbench.promote import JobSpec
from aios_workbench.workspace import workspace

HOSTILE = "<img src=x onerror=window.__hit=1>"
PARAMETERS = f"limit: int = 10\nlabel: str = {HOSTILE!r}\ndry: bool = False"
CELLS = [
    "import os\nimport pandas as pd\nclaims = pd.DataFrame({'amount': range(20)})",
    "sample = claims.sample(limit)\nprint(label, len(sample))",
    f"text = {HOSTILE!r}\nopen('/home/ana/' + text)",
]


@pytest.fixture
def promoting(page: Page, lab: Any) -> Locator:
    """The dialog of a notebook with defects, opened by the toolbar's button."""
    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book.cells = [nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
    book.cells += [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(book, lab.root / "night.ipynb")
    lab.open(page, "/tree/night.ipynb")
    page.locator(".jp-NotebookPanel-toolbar .aios-promote-button").click()
    form = page.get_by_test_id("aios-promote-form")
    expect(form.get_by_test_id("aios-verdict")).to_be_visible()
    return form


def sources(lab: Any) -> list[str]:
    """The notebook's cells as they are saved."""
    return [cell["source"] for cell in nbformat.read(lab.root / "night.ipynb", 4).cells]


def step(form: Locator, name: str) -> None:
    """Go to a step by the rail."""
    form.get_by_role("navigation", name="Steps").get_by_role("button", name=re.compile(name)).click()
    expect(form).to_have_attribute("data-step", name.lower())


def looks(page: Page, name: str) -> None:
    """Keep pictures of a step: wide and narrow, in the dark too."""
    shot(page, f"promote-{name}")
    theme(page, "Dark")
    shot(page, f"promote-{name}-dark")
    page.set_viewport_size({"width": 420, "height": 800})
    shot(page, f"promote-{name}-narrow-dark")
    theme(page, "Light")
    shot(page, f"promote-{name}-narrow")
    page.set_viewport_size({"width": 1280, "height": 860})


@pytest.mark.timeout(300)
def test_from_defects_to_a_job_and_its_next_version(page: Page, lab: Any, promoting: Locator) -> None:
    trouble: list[str] = []
    page.on("pageerror", lambda e: trouble.append(str(e)))
    page.set_viewport_size({"width": 1280, "height": 860})
    form = promoting
    check_and_mend(page, lab, form)
    parameters_and_when(page, form)
    where(page, lab, form)
    approve_and_done(page, lab, form)
    the_next_version(page, lab)
    assert page.evaluate("window.__hit") is None
    assert trouble == []


def check_and_mend(page: Page, lab: Any, form: Locator) -> None:
    looks(page, "check")
    rows = form.get_by_test_id("aios-finding")
    unseeded = rows.filter(has_text="AIOS121")
    expect(unseeded).to_contain_text("Every run gives other results")
    unseeded.get_by_role("button", name=re.compile("^Fix it")).click()
    expect(unseeded).to_have_count(0)
    assert "random_state=0" in sources(lab)[2]
    expect(page.locator(".jp-Notebook .jp-Cell").nth(2)).to_contain_text("random_state=0")
    form.get_by_role("button", name="Undo").click()
    expect(unseeded).to_have_count(1)
    assert sources(lab)[2] == CELLS[1]
    form.get_by_role("button", name=re.compile("Fix all safe ones")).click()
    expect(unseeded).to_have_count(0)
    assert "import os" not in sources(lab)[1]

    # The dialog steps aside for a cell, and reads it again when it comes back.
    path = rows.filter(has_text="AIOS203")
    path.get_by_role("button", name=re.compile("^cell 4")).click()
    aside = page.get_by_test_id("aios-promote-aside")
    expect(aside).to_contain_text("Cell 4")
    expect(page.locator(".jp-Notebook .jp-Cell").nth(3)).to_have_class(re.compile("jp-mod-active"))
    shot(page, "promote-aside")
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.model.sharedModel.cells[3].setSource('open(\\'/home/ana/x\\')')"
    )
    aside.get_by_role("button", name="Back to promoting").click()
    expect(path).to_contain_text("/home/ana/x")
    path.get_by_role("button", name=re.compile("^Ignore AIOS203")).click()
    path.get_by_label("Why is this right").fill(f"mounted everywhere {HOSTILE}")
    path.get_by_role("button", name="Ignore it").click()
    expect(path).to_have_count(0)
    assert "# aios: ignore AIOS203 mounted everywhere <img" in sources(lab)[4 - 1]
    expect(form).to_contain_text("ignored in the notebook, with a reason")

    clean = form.get_by_test_id("aios-clean-run")
    clean.get_by_role("button", name="Run it").click()
    expect(clean).to_contain_text(re.compile("Starting a kernel|run: "))
    clean.get_by_role("button", name="Cancel the run").click()
    expect(clean).to_contain_text("its kernel is shut down")
    shot(page, "promote-mended")


def parameters_and_when(page: Page, form: Locator) -> None:
    form.get_by_role("button", name="Next: Parameters").click()
    expect(form.get_by_label("label")).to_have_value(HOSTILE)
    form.get_by_label("limit").fill("many")
    step(form, "When")
    expect(form.get_by_test_id("aios-ticks").locator("li")).to_have_count(10)
    step(form, "Approve")
    rail = form.get_by_role("navigation", name="Steps")
    expect(rail.get_by_role("button", name="Parameters")).to_contain_text("1 problem")
    expect(form.get_by_role("button", name="Promote", exact=True)).to_be_disabled()
    step(form, "Parameters")
    expect(form.get_by_text("Not a number.")).to_be_visible()
    form.get_by_label("limit").fill("5")
    looks(page, "parameters")

    step(form, "When")
    ticks = form.get_by_test_id("aios-ticks")
    form.get_by_label("Time zone").fill("Europe/Berlin")
    for day in ("Saturday", "Sunday"):
        form.get_by_role("button", name=day).click()
    form.get_by_label("At", exact=True).fill("02:30")
    expect(ticks).to_contain_text("Monday through Friday (Europe/Berlin)")
    form.get_by_label("Days of the month").check()
    form.get_by_role("button", name="The last day of the month").click()
    looks(page, "when")
    form.get_by_label("Every so often").check()
    expect(ticks).to_contain_text("Every 15 minutes")
    form.get_by_label("Cron").check()
    form.locator("input.aios-mono").first.fill("30 2 * 3 SUN")
    expect(ticks).to_contain_text("the clock goes from 02:00 to 03:00")
    shot(page, "promote-when-dst")
    form.locator("input.aios-mono").first.fill("0 25 * * *")
    expect(form.get_by_text("bad hour field")).to_be_visible()
    form.get_by_label("Days of the week").check()
    expect(ticks).to_contain_text("Monday through Friday")
    form.get_by_text("If something goes wrong").click()
    form.get_by_label("Timeout").fill("30x")
    expect(form.get_by_label("Timeout")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Timeout").fill("10m")
    shot(page, "promote-wrong")


def where(page: Page, lab: Any, form: Locator) -> None:
    step(form, "Where")
    expect(form.get_by_role("radio", name=re.compile("AIOS scheduler"))).to_be_checked()
    looks(page, "where")
    form.get_by_role("radio", name=re.compile("Airflow")).check()
    files = form.get_by_test_id("aios-files")
    expect(files).to_contain_text("dags/night/dag.py")
    form.get_by_label("Folder").fill("../outside")
    expect(form.get_by_text("is not a folder of this project")).to_be_visible()
    form.get_by_label("Folder").fill("dags")
    files.get_by_role("button", name=re.compile("dag.py")).click()
    expect(files).to_contain_text("written by AIOS Workbench")
    looks(page, "airflow")
    form.get_by_role("button", name="Next: Approve").click()
    form.get_by_role("button", name=re.compile("^Write")).click()
    expect(form.get_by_test_id("aios-done")).to_contain_text("Airflow")
    assert (lab.root / "dags" / "night" / "dag.py").is_file()
    shot(page, "promote-written")
    form.get_by_role("button", name="Close", exact=True).last.click()
    expect(form).to_have_count(0)


def approve_and_done(page: Page, lab: Any, form: Locator) -> None:
    command(page, "aios:promote", {"path": "night.ipynb"})
    expect(form.get_by_test_id("aios-verdict")).to_be_visible()
    form.get_by_label("Name", exact=True).fill(f"night {HOSTILE}")
    form.get_by_label("Name", exact=True).press("Escape")
    expect(form).to_have_count(0)
    command(page, "aios:promote", {"path": "night.ipynb"})
    expect(form.get_by_label("Name", exact=True)).to_have_value(f"night {HOSTILE}")
    step(form, "Approve")
    expect(form.get_by_test_id("aios-facts")).to_contain_text("version 1, new")
    form.get_by_label("Note").fill("the first")
    looks(page, "approve")
    form.get_by_role("button", name="Promote", exact=True).click()
    expect(form.get_by_test_id("aios-done")).to_contain_text(f"“night {HOSTILE}” is version 1")
    looks(page, "done")
    form.get_by_role("button", name="Show job").click()
    expect(form).to_have_count(0)
    expect(page.get_by_test_id("aios-job").filter(has_text=HOSTILE)).to_be_visible()


def the_next_version(page: Page, lab: Any) -> None:
    badge = page.get_by_test_id("aios-promoted")
    expect(badge).to_contain_text("promoted v1")
    page.evaluate(
        """async () => {
            const panel = window.jupyterapp.shell.currentWidget;
            panel.model.sharedModel.cells[2].setSource('print(claims.sample(limit, random_state=1), label)');
            await panel.context.save();
        }"""
    )
    expect(badge).to_contain_text("differs from v1")
    shot(page, "promote-badge")
    badge.click()
    form = page.get_by_test_id("aios-promote-form")
    expect(form).to_have_attribute("data-step", "approve")
    changes = form.get_by_test_id("aios-changes")
    expect(changes).to_contain_text("What changes against version 1")
    expect(changes).to_contain_text("random_state=1")
    looks(page, "changes")
    form.get_by_role("button", name="Promote", exact=True).click()
    expect(form.get_by_test_id("aios-done")).to_contain_text("is version 2")
    page.keyboard.press("Escape")
    expect(badge).to_contain_text("promoted v2")
    (folder,) = (lab.root / ".aios" / "jobs").glob("*/v2")
    assert "random_state=1" in (folder / "notebook.ipynb").read_text()


def test_a_notebook_that_is_not_open_is_mended_in_its_file(
    page: Page, lab: Any, notebook: Callable[..., str]
) -> None:
    path = lab.root / notebook("closed.ipynb", "import os\nx = 1\nprint(x)")
    before = nbformat.read(path, 4).cells[0].source
    lab.open(page)
    command(page, "aios:promote", {"path": "closed.ipynb"})
    form = page.get_by_test_id("aios-promote-form")
    form.get_by_role("button", name=re.compile("Fix all safe ones")).click()
    expect(form.get_by_test_id("aios-verdict")).to_contain_text("1 safe fix made")
    assert nbformat.read(path, 4).cells[0].source == "x = 1\nprint(x)"
    form.get_by_role("button", name="Undo").click()
    expect(form.get_by_test_id("aios-finding").filter(has_text="AIOS111")).to_have_count(1)
    assert nbformat.read(path, 4).cells[0].source == before
    clean = form.get_by_test_id("aios-clean-run")
    clean.get_by_role("button", name="Run it").click()
    expect(clean).to_contain_text("It ran to the end", timeout=90_000)
    expect(clean).to_contain_text("nothing found")
    shot(page, "promote-ran")
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)


def test_what_cannot_be_read_and_what_the_server_refuses(page: Page, lab: Any) -> None:
    (lab.root / "broken.ipynb").write_text("{not json")
    lab.open(page)
    command(page, "aios:promote", {"path": "broken.ipynb"})
    form = page.get_by_test_id("aios-promote-form")
    expect(form.get_by_test_id("aios-verdict")).to_contain_text("1 error to put right")
    shot(page, "promote-broken")
    step(form, "Approve")
    expect(form.get_by_role("button", name="Promote", exact=True)).to_be_disabled()
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    page.route("**/aios/promote/open*", lambda route: route.fulfill(
        status=507, content_type="application/json", body=json.dumps({"message": "no space left; free some disk space"})
    ))  # fmt: skip
    command(page, "aios:promote", {"path": "broken.ipynb"})
    expect(form.get_by_role("alert")).to_contain_text("No space left")
    shot(page, "promote-failure")
    page.unroute("**/aios/promote/open*")
    form.get_by_role("button", name="Try again").click()
    expect(form.get_by_test_id("aios-verdict")).to_be_visible()


def test_a_version_is_tried_out_and_another_waits_for_a_colleague(
    page: Page, lab: Any, notebook: Callable[..., str]
) -> None:
    ws = workspace(lab.root / ".aios")
    for name, options in (("tried", {}), ("waits", {"approvals": 1})):
        path = lab.root / notebook(f"{name}.ipynb", "print(1)")
        promote.promote(ws, path, JobSpec(name=name, notebook="-", **options), "ada")
        notebook(f"{name}.ipynb", "print(2)")
    lab.open(page)
    command(page, "aios:promote", {"path": "tried.ipynb"})
    form = page.get_by_test_id("aios-promote-form")
    step(form, "Approve")
    form.get_by_label(re.compile("canary")).check()
    shot(page, "promote-canary")
    form.get_by_role("button", name="Promote", exact=True).click()
    expect(form.get_by_test_id("aios-done")).to_contain_text(
        "Version 2 of “tried” is made, and tried as canary beside version 1"
    )
    shot(page, "promote-canary-done")
    trial = ws.catalog.one("select mode, version, base_version, status from rollouts")
    assert trial == {"mode": "canary", "version": 2, "base_version": 1, "status": "running"}
    page.keyboard.press("Escape")
    command(page, "aios:promote", {"path": "waits.ipynb"})
    step(form, "Approve")
    expect(form.get_by_test_id("aios-approvals")).to_contain_text("1 other person has to agree")
    form.get_by_role("button", name="Promote", exact=True).click()
    expect(form.get_by_test_id("aios-done")).to_contain_text("waits for others to agree")
    shot(page, "promote-waits")
    row = ws.catalog.one("select version, status from job_versions order by created_at desc limit 1")
    assert row == {"version": 2, "status": "waiting"}
