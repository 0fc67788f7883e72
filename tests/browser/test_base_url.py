"""The panel below a base URL and behind a reverse proxy: pushed news, two tabs, cut connections, and silence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page, expect
from reverse_proxy import Proxy

SHOTS = os.environ.get("AIOS_SHOTS")

WORKFLOW = """
import aios_workbench as aios
wf = aios.Workflow("behind-proxy")

@wf.step
def load(rows: int = 3):
    return list(range(rows))

@wf.gate
def review(load):
    return load

@wf.step
def report(review):
    return review.approved

run = wf.run()
"""


@pytest.fixture
def proxy(lab_below: Any) -> Iterator[Proxy]:
    """A proxy before the lab that lives below /user/ana/."""
    made = Proxy(lab_below.base.removesuffix("/user/ana"))
    yield made
    made.stop()


@pytest.fixture
def outside(lab_below: Any, proxy: Proxy) -> Any:
    """The lab as seen through the proxy."""
    return replace(lab_below, base=f"http://127.0.0.1:{proxy.port}/user/ana")


def book(lab: Any, name: str) -> str:
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
    made.cells = [nbformat.v4.new_code_cell(WORKFLOW)]
    nbformat.write(made, lab.root / name)
    return name


def open_panel(page: Page) -> None:
    page.evaluate("() => { window.jupyterapp.commands.execute('aios:open-panel'); }")


@pytest.mark.alone
def test_two_tabs_behind_a_proxy_agree_and_are_quiet(page: Page, outside: Any, proxy: Proxy) -> None:
    outside.open(page, f"/tree/{book(outside, 'proxied.ipynb')}")
    open_panel(page)
    outside.run_all(page)
    run = page.get_by_test_id("aios-run").filter(has_text="behind-proxy").first
    expect(run).to_contain_text("waiting", timeout=60_000)

    second = page.context.new_page()
    second.clock.install()
    outside.open(second)
    open_panel(second)
    other = second.get_by_test_id("aios-run").filter(has_text="behind-proxy").first
    expect(other).to_contain_text("waiting")

    # Nothing happens: nobody asks, not in two minutes of one tab's clock. First both tabs have to have come to rest.
    for _ in range(10):
        proxy.requests.clear()
        page.wait_for_timeout(3000)
        if not any("/aios/" in r or "subscribe" in r for r in proxy.requests):
            break
    proxy.requests.clear()
    second.clock.run_for(120_000)
    page.wait_for_timeout(1000)
    assert any("/api/" in r for r in proxy.requests)  # JupyterLab itself does ask: the clock has moved
    asked = [r for r in proxy.requests if "/aios/" in r]
    assert asked == []

    second.locator("#aios-tab-waiting").click()
    second.get_by_role("button", name="Approve").first.click()
    expect(run).to_contain_text("succeeded", timeout=30_000)
    second.locator("#aios-tab-runs").click()
    expect(other).to_contain_text("succeeded")

    # The connection is cut while something happens: it is seen once the connection is back.
    run_id = run.get_attribute("data-id")
    proxy.cut()
    page.wait_for_timeout(500)
    page.request.post(
        f"http://127.0.0.1:{_port(proxy.target)}/user/ana/aios/ask?token={outside.token}",
        data={"kind": "rerun_from", "run_id": run_id, "step": "review"},
    )
    page.wait_for_timeout(1000)
    proxy.mend()
    newest = page.get_by_test_id("aios-run").filter(has_text="behind-proxy").first
    expect(newest).to_contain_text("waiting", timeout=60_000)
    expect(newest).not_to_have_attribute("data-id", run_id or "")
    expect(second.get_by_test_id("aios-run").filter(has_text="behind-proxy").first).to_contain_text("waiting")
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/proxy_two_tabs.png")


def _port(target: str) -> str:
    return target.rpartition(":")[2]
