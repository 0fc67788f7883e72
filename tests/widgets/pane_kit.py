"""A Panel pane asked as its browser asks: every time with the last questions, of which some were handed on before."""

from __future__ import annotations

from typing import Any


def asked(pane: Any, sent: int, *messages: dict[str, Any]) -> None:
    """Set the trait as a browser that has sent so many questions, these last."""
    pane.asked = {"browser": "one", "sent": sent, "messages": list(messages)}
