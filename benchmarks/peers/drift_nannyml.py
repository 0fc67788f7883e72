"""NannyML: univariate drift (JS and KS / chi-square) of every column, the current side in 10 chunks."""

from __future__ import annotations

import os
from typing import Any

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml
import pandas as pd
from drift_common import CURRENT, REFERENCE, measure


def work() -> dict[str, Any]:
    reference, current = pd.read_parquet(REFERENCE), pd.read_parquet(CURRENT)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(reference),
        treat_as_categorical=[c for c in reference if c.startswith(("cat", "bool"))],
        continuous_methods=["jensen_shannon", "kolmogorov_smirnov"],
        categorical_methods=["jensen_shannon", "chi2"],
        chunk_number=10,
    )
    found = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
    return {c: {"jensenshannon": float(found[(c, "jensen_shannon", "value")].mean())} for c in reference}


if __name__ == "__main__":
    measure(work)
