"""What the tests of a graph in a notebook share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SHOTS = os.environ.get("AIOS_SHOTS")


def shot(target: Page | Locator, name: str) -> None:
    """Keep a screenshot where AIOS_SHOTS says."""
    if SHOTS:
        target.screenshot(path=f"{SHOTS}/{name}.png")


def node(graph: Locator, step: str) -> Locator:
    """The step's button on the graph."""
    return graph.locator(f'.aiosw-node[data-step="{step}"]')
