"""The model of the explain benchmark, 500 trees on 30 columns, and the exact values that estimates are held to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _peers import CACHE

COLUMNS, TREES, BACKGROUND = 30, 500, 100
#: Rows that black boxes are asked to explain.
ROWS = 20


def made() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return training rows, their classes, and rows to explain: thresholds, products, waves, decoys, two correlated."""
    r = np.random.default_rng(0)
    x = r.normal(size=(30_000, COLUMNS))
    x[:, 5], x[:, 1] = np.round(x[:, 5]), 0.6 * x[:, 0] + 0.8 * x[:, 1]
    score = 1.2 * x[:, 0] + x[:, 1] * x[:, 2] - 1.5 * (x[:, 3] > 0.5) + np.sin(2 * x[:, 4])
    score += 0.7 * x[:, 5] + 0.3 * x[:, 6] * x[:, 0] + 0.2 * x[:, 7]
    y = (r.random(len(x)) < 1 / (1 + np.exp(-score))).astype(int)
    return x[:20_000], y[:20_000], x[20_000:]


def folder() -> Path:
    """Return the folder with the trees and the exact values, made when it is new."""
    at = CACHE / "explain"
    if (at / "exact.npz").exists():
        return at
    import lightgbm
    import shap

    at.mkdir(parents=True, exist_ok=True)
    training, y, rows = made()
    fitted = lightgbm.LGBMClassifier(
        n_estimators=TREES, num_leaves=31, learning_rate=0.05, verbose=-1, n_jobs=2
    )
    booster = fitted.fit(training, y).booster_
    booster.save_model(at / "trees.txt")
    exact = shap.TreeExplainer(booster, training[:BACKGROUND], feature_perturbation="interventional")
    np.savez(at / "exact.npz", values=np.asarray(exact.shap_values(rows[:ROWS])))
    return at
