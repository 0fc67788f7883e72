"""A page with the built explanation widget, answered by the made-up payloads: any state, without a kernel's work."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import explain_payloads
from widget_page import WidgetPage

from aios_workbench.widgets import explain_protocol as wire
from aios_workbench.widgets.protocol import Answer, ErrorReply

if TYPE_CHECKING:
    from playwright.sync_api import Locator

SHOTS = os.environ.get("AIOS_SHOTS")
TABS = ("All rows", "One row", "What if", "Interactions", "Cohorts", "Agreement", "Method")


class Shown:
    """What a kernel's widget is to the page: traits, what was asked, and what it is told to refuse."""

    def __init__(self, view: wire.ExplainView) -> None:
        self.view = view
        self.explain: dict[str, Any] = view.model_dump(mode="json")
        self.patch: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []
        self.refuse: dict[str, str] = {}
        #: Answers of a test's own, by kind.
        self.own: dict[str, Any] = {}

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Questions of one kind, the oldest first."""
        return [q for q in self.asked if q["kind"] == kind]

    def pin(self, content: dict[str, Any]) -> None:
        """Add a picture to the card, or take it out, as `ExplainWidget` does: always of the first view."""
        now = wire.Pinned(
            picture=content["picture"], title=content["picture"], output=content.get("output") or 0,
            row=content.get("row"), column=content.get("column"),
        )  # fmt: skip
        kept = [p for p in self.view.pinned if p != now]
        self.view.pinned = kept if content.get("remove") else [*kept, now]
        self.patch = wire.ExplainPatch(base=0, seq=1, pinned=self.view.pinned).model_dump(mode="json")


def answer(widget: Shown, content: dict[str, Any]) -> Answer | ErrorReply | None:
    """Answer as a kernel would."""
    kind, number = content["kind"], content.get("id", 0)
    if kind in {"hello", "abort"}:
        return Answer(id=number, data={})
    widget.asked.append(content)
    if kind in widget.refuse:
        return ErrorReply(id=number, type="ExplainInputError", message=widget.refuse[kind])
    if kind == "pin":
        widget.pin(content)
    found = widget.own[kind] if kind in widget.own else explain_payloads.answer(content)
    return Answer(id=number, data=found.model_dump(mode="json"))


class ExplainPage(WidgetPage):
    """The explanation's widget on a page."""

    name = "explain"
    made = Shown
    answers = staticmethod(answer)
    drawn = ".aiosw-tabs"


def shot(opened: ExplainPage, name: str) -> None:
    if SHOTS:
        opened.page.screenshot(path=f"{SHOTS}/explain_{name}.png", full_page=True)


def tab(root: Locator, name: str) -> Locator:
    """Open a part; give its panel."""
    root.get_by_role("tab", name=name).click()
    return root.get_by_role("tabpanel", name=name)


def visit(root: Locator, name: str) -> Locator:
    """Open a part with everything in it that opens or is computed when asked."""
    panel = tab(root, name)
    press = {"Interactions": "Compute them", "Cohorts": "Compare"}.get(name)
    if press:
        button = panel.get_by_role("button", name=press)
        if button.count() and button.is_enabled():
            button.click()
    if name == "All rows":
        label = panel.locator(".aiosw-ex-lines li button")
        if label.count():
            label.first.click()
    if name == "One row" and panel.locator(".aiosw-ex-details summary").count():
        panel.locator(".aiosw-ex-details summary").click()
    settle(root)
    return panel


def settle(root: Locator) -> None:
    """Wait until nothing is awaited."""
    root.page.wait_for_function(
        """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
            done(!document.querySelector('.aiosw [role=tabpanel]:not([hidden]) .aiosw-loading-bars')))))"""
    )
