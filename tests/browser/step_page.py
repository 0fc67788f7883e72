"""The page that tries the open step without a JupyterLab: the run it shows, and how tests talk about it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import aios_workbench as aios

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SHOTS = os.environ.get("AIOS_SHOTS")
EVIL = "<img src=x onerror=window.hacked=1>"
ROWS = 300_000  # more than a browser's scrollbar can stand for pixel by pixel


def shot(page: Page, name: str) -> None:
    """Keep a screenshot where AIOS_SHOTS says."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def grid_of(pane: Locator) -> Locator:
    """The grid on the shown tab."""
    return pane.get_by_role("tabpanel").get_by_role("grid")


def row(grid: Locator, number: int) -> Locator:
    """A row by its number, which starts at 0."""
    return grid.locator(f'[role="row"][aria-rowindex="{number + 2}"]')


def did(page: Page) -> list[str]:
    """What the page asked, copied and opened."""
    found: list[str] = page.evaluate("window.did")
    return found


wf = aios.Workflow("every-kind")


@wf.step
def frame(rows: int = ROWS) -> Any:
    """Many rows, with names that want to be more than text."""
    rng = np.random.default_rng(1)
    amount = rng.gamma(2, 900, rows).round(2)
    amount[::50] = np.nan
    return pd.DataFrame(
        {
            "claim": [f"C-{i:06d}" for i in range(rows)],
            "amount": amount,
            "region": rng.choice(
                ["north", "south", "west", 'o"ne', EVIL], rows, p=[0.5, 0.2, 0.2, 0.05, 0.05]
            ),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D"),
            "open": rng.random(rows) > 0.7,
            EVIL: "<b>bold</b>",
            'select "x"; drop table output; --': np.arange(rows),
            "note": ["a long note " * 20 if i % 1000 == 0 else None for i in range(rows)],
        }
    )


@wf.step
def small(frame: Any) -> Any:
    return frame[["claim", "amount", "region"]].head(3)


@wf.step
def wide() -> Any:
    return pd.DataFrame(np.arange(2000 * 300).reshape(300, 2000), columns=[f"c{i}" for i in range(2000)])


@wf.step
def figure(frame: Any) -> Any:
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(5, 3))
    drawn.subplots().hist(frame["amount"].dropna(), bins=40)
    return drawn


@wf.step
def picture() -> Any:
    y, x = np.mgrid[0:120, 0:200]
    return np.stack([x, y * 2, 255 - x], axis=-1).astype(np.uint8)


@wf.step
def matrix() -> Any:
    return np.arange(48.0).reshape(12, 4)


@wf.step
def settings() -> Any:
    return {
        "model": {"depth": 3, "names": ["a", EVIL]},
        "scores": list(range(250)),
        "ok": True,
        "none": None,
    }


@wf.step
def records() -> Any:
    return [{"name": "a", "value": 1}, {"name": "b", "value": None}]


@wf.step
def model(frame: Any) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=0.5, solver="svd").fit(np.arange(10).reshape(-1, 1), np.arange(10))


@wf.step
def text() -> Any:
    return "\n".join(f"line {i} of a report" for i in range(60))


@wf.step
def nothing() -> Any:
    return None


@wf.step(retries=2, backoff=0.05)
def flaky(small: Any) -> Any:
    import logging

    logging.getLogger("flaky").warning("the table did not answer")
    if aios.context().attempt < 2:
        raise ConnectionError(f"refused {EVIL}")
    return len(small)


@wf.step
def chatty() -> Any:
    import logging

    for i in range(6000):
        print(f"line {i:05d} \x1b[31mred\x1b[0m {EVIL if i == 5990 else 'plain'}")
    logging.getLogger("chatty").error("needle at the end")
