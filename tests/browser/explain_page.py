"""A page with the built explanation widget; answers are those of `explain_payloads` or of a larger one made here."""

from __future__ import annotations

import os
from typing import Any

import explain_payloads
from widget_page import WidgetPage

from aios_workbench.widgets import explain_protocol as wire
from aios_workbench.widgets.protocol import Answer, ErrorReply

SHOTS = os.environ.get("AIOS_SHOTS")
TABS = ("All rows", "One row", "What if", "Interactions", "Cohorts", "Agreement", "Method")


class Shown:
    """What a kernel's widget is to the page: traits, and answers it can be told to refuse."""

    def __init__(self, view: wire.ExplainView) -> None:
        self.view, self.patch = view, {}
        self.explain = view.model_dump(mode="json")
        self.asked: list[dict[str, Any]] = []
        self.refuse: dict[str, str] = {}

    def refresh(self) -> None:
        """Nothing comes by itself."""


def answer(widget: Shown, content: dict[str, Any]) -> Any:
    """Answer as a kernel would; a pin changes the view, as `ExplainWidget` does."""
    kind, number = content["kind"], content.get("id", 0)
    if kind == "hello":
        return Answer(id=number, data=None) if number else None
    if kind == "abort":
        return None
    widget.asked.append(content)
    if kind in widget.refuse:
        return ErrorReply(id=number, type="ExplainInputError", message=widget.refuse[kind])
    if kind == "pin":
        pinned = wire.Pinned(
            picture=content["picture"], title=content["picture"], output=content.get("output") or 0,
            row=content.get("row"), column=content.get("column"),
        )  # fmt: skip
        kept = [p for p in widget.view.pinned if p != pinned]
        widget.view.pinned = kept if content.get("remove") else [*kept, pinned]
        seq = widget.view.seq
        widget.patch = wire.ExplainPatch(base=seq, seq=seq + 1, pinned=widget.view.pinned).model_dump(mode="json")
    return Answer(id=number, data=explain_payloads.answer(content).model_dump(mode="json"))


class ExplainPage(WidgetPage):
    """The explanation's widget on a page."""

    name = "explain"
    made = Shown
    answers = staticmethod(answer)
    drawn = ".aiosw-tabs"
