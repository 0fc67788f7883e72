"""NannyML's CBPE on scores in files: `python peers/drift_nannyml_cbpe.py FOLDER`, one `.npz` a problem.

A file has `reference_score` (n,) or (n, classes), `reference_label`, `reference_prediction`, `score`, `prediction`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml
import numpy as np
import pandas as pd
from common import report

METRICS = ["roc_auc", "f1", "precision", "recall", "accuracy"]


def frame(score: Any, prediction: Any, label: Any = None) -> tuple[pd.DataFrame, Any]:
    """Return the columns, and how NannyML is told which are scores."""
    if score.ndim == 1:
        columns: Any = {"score": score}
        of: Any = "score"
    else:
        columns = {f"score{k}": score[:, k] for k in range(score.shape[1])}
        of = {k: f"score{k}" for k in range(score.shape[1])}
    columns["prediction"] = prediction
    if label is not None:
        columns["label"] = label
    return pd.DataFrame(columns), of


def main() -> int:
    results: dict[str, Any] = {}
    for path in sorted(Path(sys.argv[1]).glob("*.npz")):
        data = np.load(path)
        reference, of = frame(data["reference_score"], data["reference_prediction"], data["reference_label"])
        current, _ = frame(data["score"], data["prediction"])
        kind = "classification_binary" if isinstance(of, str) else "classification_multiclass"
        start = time.perf_counter()
        estimator = nannyml.CBPE(
            y_pred_proba=of,
            y_pred="prediction",
            y_true="label",
            problem_type=kind,
            metrics=METRICS,
            chunk_number=1,
        ).fit(reference)
        fitted = time.perf_counter()
        found = estimator.estimate(current).filter(period="analysis").to_df()
        results[path.stem] = {
            "fit_s": fitted - start,
            "estimate_s": time.perf_counter() - fitted,
            "values": {m: float(found[(m, "value")].iloc[0]) for m in METRICS},
            "errors": {m: float(found[(m, "sampling_error")].iloc[0]) for m in METRICS},
        }
    report(version=nannyml.__version__, problems=results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
