"""scipy, one pass a column as a careful person writes it: KS and W1 of numbers, chi-square of texts, nulls left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from drift_common import CURRENT, REFERENCE, measure
from scipy import stats


def work() -> dict[str, Any]:
    reference, current = pd.read_parquet(REFERENCE), pd.read_parquet(CURRENT)
    return {c: column(reference[c].dropna(), current[c].dropna()) for c in reference}


def column(a: pd.Series, b: pd.Series) -> dict[str, float]:
    """Return the figures of a column."""
    if a.name.startswith(("num", "int")):
        ks = stats.ks_2samp(a, b, method="asymp")
        w1 = stats.wasserstein_distance(a, b) / np.std(a)
        return {"ks": float(ks.statistic), "p": float(ks.pvalue), "wasserstein": float(w1)}
    counts = pd.concat([a.value_counts(), b.value_counts()], axis=1).fillna(0).to_numpy().T
    chi = stats.chi2_contingency(counts, correction=False)
    return {"chisquare": float(chi[0]), "p": float(chi[1])}


if __name__ == "__main__":
    measure(work)
