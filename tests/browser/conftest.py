"""A notebook with a graph in a real JupyterLab; the page that tries the open step without one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from aios_workbench.widgets import ask, protocol


@pytest.fixture
def errors(page: Page) -> Iterator[list[str]]:
    """Script errors on the page; none may be left."""
    found: list[str] = []
    page.on("pageerror", lambda e: found.append(str(e)))
    yield found
    assert found == []


@pytest.fixture
def start(page: Page, lab: Any, notebook: Callable[..., str], errors: list[str]) -> Callable[..., Locator]:
    """Run cells in a new notebook; give the graph of the last output that has one."""

    def go(name: str, *cells: str) -> Locator:
        lab.open(page, f"/tree/{notebook(name, *cells)}")
        lab.run_all(page)
        graph = page.locator(".aiosw").last
        expect(graph).to_be_visible(timeout=60_000)
        graph.scroll_into_view_if_needed()
        return graph

    return go


@pytest.fixture(scope="session")
def step_run() -> Any:
    """A run with a value of every kind."""
    from step_page import wf

    made = wf.run()
    made.wait()
    return made


@pytest.fixture(scope="session")
def step_bundle(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The harness as one script and one style sheet."""
    root, out = pytestconfig.rootpath, tmp_path_factory.mktemp("harness")
    front = root / "labextension"
    node = {
        **os.environ,
        "NODE_PATH": str(front / "node_modules"),
        "PATH": f"{root}/.venv/bin{os.pathsep}{os.environ['PATH']}",
    }
    subprocess.run(
        [
            str(front / "node_modules/.bin/esbuild"), str(root / "tests/browser/harness/step.tsx"), "--bundle",
            f"--outdir={out}", "--jsx=automatic", "--log-level=warning", '--define:process.env.NODE_ENV="production"',
        ],
        check=True, env=node, cwd=front,
    )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def story(lab: Any) -> dict[str, str]:
    """Two runs in the shared lab whose names and values are markup; see screens.py."""
    from screens import tell_story

    return tell_story(lab)


PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>step</title><style>{css}
body {{ margin: 8px; background: {back} }}</style></head>
<body data-jp-theme-light="{light}"><div id="root"></div></body></html>"""


@pytest.fixture
def opened(page: Page, step_run: Any, step_bundle: Path) -> Iterator[Callable[..., Locator]]:
    """Open a step of the run; answers come from the same code that answers a kernel's widget."""
    found: list[str] = []
    page.on("pageerror", lambda e: found.append(str(e)))

    def answer(text: str) -> str:
        content = json.loads(text)
        try:
            data = ask.ask(step_run.workspace, protocol.REQUEST.validate_python(content), run_id=step_run.id)
            return json.dumps({"kind": "answer", "data": data.model_dump(mode="json")})
        except Exception as e:  # noqa: BLE001 - as the kernel does
            kind, message, fields = ask.problem(e)
            return json.dumps({"kind": "error", "type": kind, "message": message, "fields": fields})

    page.expose_function("answer", answer)
    made: list[bool] = []

    def go(step: str, status: str = "succeeded", dark: bool = False) -> Locator:
        if not made:
            css = (step_bundle / "step.css").read_text()
            page.set_content(
                PAGE.format(css=css, light=str(not dark).lower(), back="#111" if dark else "#fff")
            )
            page.add_script_tag(path=step_bundle / "step.js")
            made.append(True)
        page.evaluate("g => window.open(g)", {"run_id": step_run.id, "step": step, "status": status})
        pane = page.get_by_role("region", name=f"Step {step}", exact=True)
        expect(pane.get_by_role("tablist")).to_be_visible()
        return pane

    yield go
    assert found == []
    assert page.evaluate("window.hacked") is None


def watched(page: Page, made: Callable[[Page], Any]) -> Iterator[Any]:
    """A widget's page of its own, on which nothing hostile may have run and nothing may have gone wrong."""
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    page.set_viewport_size({"width": 1060, "height": 900})
    yield made(page)
    assert page.evaluate("window.hacked") is None
    assert [s for s in said if "favicon" not in s] == []


@pytest.fixture
def drift(page: Page, errors: list[str]) -> Iterator[Any]:
    """The drift widget's page; no script error and nothing hostile may have run on it."""
    from drift_page import DriftPage

    yield from watched(page, DriftPage)


@pytest.fixture
def explain(page: Page, errors: list[str]) -> Iterator[Any]:
    """The explanation widget's page; no script error and nothing hostile may have run on it."""
    from explain_page import ExplainPage

    yield from watched(page, ExplainPage)
