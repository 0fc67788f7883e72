"""What methods, scales and values are called where a person reads them."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

from aios_workbench.explain.models import CheckName, ColumnKind, MethodName, Scale, Task

#: Title, and what it does in a sentence.
METHODS: dict[MethodName, tuple[str, str]] = {
    "tree_path_dependent": (
        "SHAP Tree, path-dependent",
        "Exact for tree ensembles; what a column is not known to be is weighted by the training rows of each branch.",
    ),
    "tree_interventional": (
        "SHAP Tree, interventional",
        "Exact for tree ensembles; unknown columns take the background rows' values, whatever the others are.",
    ),
    "linear": (
        "SHAP Linear",
        "Exact for linear models: coefficient times distance from the background's mean.",
    ),
    "exact": (
        "SHAP Exact",
        "Every coalition of columns is asked; exact against the background, for a dozen columns at most.",
    ),
    "sampling": (
        "batched permutation sampling",
        "Shapley values by random orders of the columns, with a standard error for each value.",
    ),
    "permutation": ("SHAP Permutation", "shap's own sampling of column orders, forwards and backwards."),
    "kernel": (
        "SHAP Kernel",
        "A weighted linear fit over coalitions of columns, without dropping any column.",
    ),
    "partition": (
        "SHAP Partition",
        "Owen values along a tree of neighbouring parts: for texts and images, not for tables.",
    ),
}

CHECKS: dict[CheckName, str] = {
    "additivity": "Additivity",
    "precision": "Precision",
    "local_fit": "LIME's local fit",
    "stability": "LIME's stability",
    "agreement": "SHAP and LIME agree",
    "background": "Background",
    "correlation": "Correlated columns",
    "outside": "Rows unlike training data",
    "accelerator": "Accelerator",
    "grouping": "Encoded columns together",
}

SCALES: dict[Scale, str] = {
    "probability": "probability",
    "log-odds": "log-odds",
    "value": "predicted value",
    "score": "score",
}

TASKS: dict[Task, str] = {
    "binary": "binary classification",
    "multiclass": "classification",
    "regression": "regression",
    "anomaly": "anomaly detection",
}

KINDS: dict[ColumnKind, str] = {
    "numeric": "number",
    "categorical": "category",
    "boolean": "yes or no",
    "datetime": "time",
    "text": "text",
}

#: What stands for a value that is not there.
MISSING = "missing"
_LONG = 200


def value_text(value: Any) -> str:
    """Return a value of a row as one short line of text.

    Examples
    --------
    >>> import numpy as np
    >>> value_text(0.1 + 0.2), value_text(3), value_text(float("nan")), value_text(np.datetime64("2026-01-02"))
    ('0.3', '3', 'missing', '2026-01-02')
    >>> value_text(""), value_text(1234567.0), value_text(True)
    ("''", '1234567', 'True')
    """
    import numpy as np
    import pandas as pd

    if _gone(value):
        return MISSING
    if isinstance(value, (float, np.floating)):
        x = float(value)
        return f"{x:.0f}" if abs(x) < 1e9 and x == round(x) else f"{x:.6g}"
    if isinstance(value, (np.datetime64, pd.Timestamp)) or hasattr(value, "isoformat"):
        return str(pd.Timestamp(value).isoformat()).removesuffix("T00:00:00")
    return one_line(str(value), _LONG)


def one_line(text: str, long: int = 40) -> str:
    r"""Return any text, a column's name for example, as one line that is never blank; a long one is cut.

    Examples
    --------
    >>> one_line("income"), one_line(""), one_line("a\nb"), one_line("x" * 50)[-2:]
    ('income', "''", 'a b', 'x…')
    """
    if len(text) <= long and text.isprintable() and text.strip():
        return text  # by far the most, and a million rows have many
    flat = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in text)
    if len(flat) > long:
        flat = flat[: long - 1] + "…"
    return flat if flat.strip() else repr(flat)


def number_of(value: Any) -> float | None:
    """Return a value as a number where it is one: times in seconds since 1970, booleans as 0 and 1; else None."""
    import numpy as np
    import pandas as pd

    if _gone(value):
        return None
    if isinstance(value, (bool, np.bool_, int, float, np.integer, np.floating)):
        x = float(value)
        return x if math.isfinite(x) else None
    if isinstance(value, (np.datetime64, pd.Timestamp)):
        return float(pd.Timestamp(value).timestamp())
    return None


def _gone(value: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def signed(value: float) -> str:
    """Return a contribution with its sign and three significant digits.

    Examples
    --------
    >>> signed(0.12345), signed(-20.0), signed(0.0)
    ('+0.123', '-20', '+0')
    """
    return f"{value + 0.0:+.3g}"
