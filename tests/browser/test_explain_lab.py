"""An explanation in a real JupyterLab: a real model and kernel, numbers as bytes beside the message, what-if live."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graph_kit import shot
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

EXPLAIN = """
import numpy as np, pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
import aios_workbench as aios
rng = np.random.default_rng(0)
evil = '"><img src=x onerror=window.hacked=1>'
n = 600
age = rng.integers(18, 90, n).astype(float)
X = pd.DataFrame({"income": rng.normal(3, 1, n), "age": age, evil: rng.normal(0, 1, n)})
y = (X["income"] + 0.05 * X["age"] + rng.normal(0, 0.5, n) > 6).astype(int)
model = HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(X, y)
ex = aios.explain(model, X.head(200), background=X, budget="20s", seed=0, lime_rows=20)
"""


def test_a_model_is_explained_where_it_was_trained(page: Page, lab: Any, start: Any) -> None:
    widget = start("explain.ipynb", EXPLAIN, "ex")
    expect(widget.locator(".aiosw-ex-lines li")).to_have_count(3, timeout=120_000)
    assert sorted(widget.locator(".aiosw-ex-lines li b").all_inner_texts())[-2:] == ["age", "income"]
    expect(widget.get_by_role("img", name=re.compile("Beeswarm: 200 rows in 3 columns"))).to_be_visible()
    widget.locator(".aiosw-ex-lines li button", has_text="income").click()
    # Points of a dependence come as bytes: a wrong reading of them would show other rows, or none.
    points = widget.get_by_role(
        "listbox", name=re.compile("Contribution of income over its value. 200 points")
    )
    points.focus()
    page.keyboard.press("End")
    expect(points.get_by_role("option")).to_have_attribute(
        "aria-label", re.compile(r"^row \d+: income 5\.\d+, .*\d")
    )
    shot(widget, "explain-lab-all")
    page.keyboard.press("Enter")
    expect(widget.get_by_role("img", name=re.compile("^Waterfall from"))).to_be_visible(timeout=30_000)
    shot(widget, "explain-lab-row")

    widget.get_by_role("tab", name="What if").click()
    panel = widget.get_by_role("tabpanel", name="What if")
    slider = panel.get_by_role("slider", name="income")
    slider.focus()
    page.keyboard.press("Home")
    expect(panel.get_by_role("img", name=re.compile("Contributions as it is and with"))).to_be_visible(
        timeout=60_000
    )
    expect(panel.locator('dd[data-sign="down"]')).to_be_visible()  # who earns least is less likely
    shot(widget, "explain-lab-what-if")
    assert page.evaluate("window.hacked") is None

    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(1500)
    book = json.loads((Path(lab.root) / "explain.ipynb").read_text())
    data = [o["data"] for c in book["cells"] for o in c.get("outputs", []) if "data" in o]
    shown = next(d for d in data if "application/vnd.jupyter.widget-view+json" in d)
    assert "data:image/" in "".join(shown["text/html"])
    assert len(json.dumps(book)) < 2_000_000
