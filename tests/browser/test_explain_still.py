"""An explanation in a saved notebook: what JupyterLab's sanitizer leaves of it."""

from __future__ import annotations

from typing import Any

import pytest
from graph_kit import shot
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

EXPLAIN = """
import numpy as np, pandas as pd
import aios_workbench as aios
from sklearn.linear_model import LinearRegression
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OneHotEncoder
from sklearn.pipeline import make_pipeline
rng = np.random.default_rng(0)
evil = '"><img src=x onerror=window.hacked=1>'
X = pd.DataFrame({
    "income": rng.lognormal(10, 0.5, 3000), "age": rng.normal(44, 12, 3000),
    "city": rng.choice(["Bonn", "Ulm", evil], 3000), evil: rng.normal(0, 1, 3000),
})
y = X["age"] * 2 + (X["city"] == "Ulm") * 30 + X[evil]
encode = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
model = make_pipeline(encode, LinearRegression()).fit(X, y)
ex = aios.explain(model, X, background=X.head(200), budget="10s", lime_rows=10, cache=False, name="prices")
"""


def test_a_saved_explanation_is_seen_without_a_kernel(page: Page, lab: Any, notebook: Any) -> None:
    """The sanitizer lets the still pictures through."""
    plain = EXPLAIN.replace("ex = ", "made = ") + (
        "\nfrom aios_workbench.widgets import display\n"
        "from IPython.display import display as put\n"
        "data, _ = display.mimebundle(made)\n"
    )
    put = "put({'text/html': data['text/html']}, raw=True)"
    lab.open(page, f"/tree/{notebook('still.ipynb', plain, put)}")
    lab.run_all(page)
    images = page.locator(".jp-OutputArea img[src^='data:image/svg+xml;base64']")
    expect(images).to_have_count(2, timeout=120_000)
    for i in range(2):
        assert images.nth(i).evaluate("i => i.naturalWidth") > 500
    images.first.scroll_into_view_if_needed()
    shot(page.locator(".jp-OutputArea-output").last, "explain-lab-still")
    assert page.evaluate("window.hacked") is None
