"""One way to explain, in a process of its own: `explain_peer.py METHOD FOLDER`. Imports and fitting are not counted.

Black boxes are asked through a function that counts. The slow one takes 50 ms a call and 0.02 ms a row, as a model
behind an address does.
"""

from __future__ import annotations

import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

# the peers warn on current numpy and matplotlib
warnings.filterwarnings("ignore")

import lightgbm  # noqa: E402
import numpy as np  # noqa: E402
from common import report  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import _explain_data as data  # noqa: E402

FOLDER = Path(sys.argv[2])
TRAINING, Y, ROWS = data.made()
BACKGROUND, SOME = TRAINING[: data.BACKGROUND], ROWS[: data.ROWS]
BOOSTER = lightgbm.Booster(model_file=FOLDER / "trees.txt")
Found = dict[str, Any]


class Counted:
    """A black box with its calls and rows counted."""

    def __init__(self, f: Callable[[Any], np.ndarray]) -> None:
        self.f, self.calls, self.rows = f, 0, 0

    def __call__(self, z: Any) -> np.ndarray:
        """Ask it."""
        self.calls, self.rows = self.calls + 1, self.rows + len(z)
        return self.f(np.asarray(z))


def score(z: Any) -> np.ndarray:
    return BOOSTER.predict(np.asarray(z), raw_score=True, num_threads=2)


def slow(z: Any) -> np.ndarray:
    time.sleep(0.05 + 2e-5 * len(z))
    return score(z)


def probability(z: Any) -> np.ndarray:
    one = BOOSTER.predict(np.asarray(z), num_threads=2)
    return np.c_[1 - one, one]


def away(values: np.ndarray) -> float:
    """Return the relative L1 distance from the exact values."""
    exact = np.load(FOLDER / "exact.npz")["values"][: len(values)]
    return float(np.abs(values - exact).sum() / np.abs(exact).sum())


def timed(rows: int, work: Callable[[], Found]) -> Found:
    """Do the work once; report milliseconds a row and the memory it took."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"ms_row": 1e3 * wall / rows, "cpu_ms_row": 1e3 * cpu / rows, "peak_mb": peak / 1024,
            "more_mb": (peak - before) / 1024, "rows": rows, **found}  # fmt: skip


# -- trees


def trees_native() -> Found:
    """LightGBM's own contributions."""
    x = ROWS[:2_000]
    return timed(len(x), lambda: _added(BOOSTER.predict(x, pred_contrib=True, num_threads=2), x))


def trees_shap(rows: int = 2_000) -> Found:
    import shap

    x, explainer = ROWS[:rows], shap.TreeExplainer(BOOSTER)
    base = float(np.ravel(explainer.expected_value)[-1])
    return timed(len(x), lambda: _added(np.c_[explainer.shap_values(x), np.full(len(x), base)], x))


def _added(contributions: np.ndarray, x: np.ndarray) -> Found:
    return {"additivity": float(np.abs(contributions.sum(axis=1) - score(x)).max())}


def trees_ours(accelerator: bool = False, method: str | None = None, rows: int = 2_000) -> Found:
    import aios_workbench as aios

    x = ROWS[:rows]
    # what a first call imports and compiles is not a row's cost
    options: dict[str, Any] = {"background": TRAINING[:data.BACKGROUND], "lime": False, "cache": False,
                               "accelerator": accelerator, "method": method, "budget": None}  # fmt: skip
    aios.explain(BOOSTER, x[:10], **options)

    def work() -> Found:
        found = aios.explain(BOOSTER, x, scale="log-odds", **options)
        gap = found.values.sum(axis=1) + found.base - found.arrays.predictions[:, 0]
        return {"additivity": float(np.abs(gap).max()), "method": found.data.method.name,
                "accelerator": found.data.method.accelerator,
                "reading_ms_row": 1e3 * found.data.method.seconds / rows}  # fmt: skip

    return timed(rows, work)


# -- black boxes


def _sampled(f: Counted, rows: int) -> Found:
    from aios_workbench.explain.sampling import shapley

    def work() -> Found:
        found = shapley(f, SOME[:rows], BACKGROUND)
        exact = np.load(FOLDER / "exact.npz")["values"][:rows]
        held = np.abs(found.values[..., 0] - exact) <= 1.96 * found.errors[..., 0] + 1e-9
        return {"away": away(found.values[..., 0]), "held": float(held.mean()), "stopped": found.stopped}

    return {**timed(rows, work), "calls": f.calls, "evaluations": f.rows}


def _shap(f: Counted, rows: int, kind: str) -> Found:
    import shap

    def work() -> Found:
        if kind == "permutation":
            masker = shap.maskers.Independent(BACKGROUND, max_samples=len(BACKGROUND))
            values = shap.explainers.Permutation(f, masker, seed=0)(SOME[:rows], silent=True).values
        else:
            np.random.seed(0)  # noqa: NPY002 - shap's generator
            values = shap.KernelExplainer(f, BACKGROUND).shap_values(SOME[:rows], l1_reg=False, silent=True)
        return {"away": away(np.asarray(values))}

    return {**timed(rows, work), "calls": f.calls, "evaluations": f.rows}


def stops() -> Found:
    """Return how long our sampler goes on after it was told to stop, at worst."""
    from aios_workbench.explain.sampling import shapley

    worst = 0.0
    for f, after in ((score, 0.3), (score, 0.8), (slow, 0.5), (slow, 1.5)):
        began = time.perf_counter()
        shapley(
            f,
            SOME,
            TRAINING[:1_000],
            tolerance=1e-6,
            cancelled=lambda a=after, b=began: time.perf_counter() - b > a,
        )
        worst = max(worst, time.perf_counter() - began - after)
    return {"stops_s": worst}


# -- LIME


def _cheap() -> Callable[[Any], np.ndarray]:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=500).fit(TRAINING, Y).predict_proba


def _lime(f: Counted, *, discretize: bool) -> Found:
    from lime.lime_tabular import LimeTabularExplainer

    def work() -> Found:
        explainer = LimeTabularExplainer(TRAINING, discretize_continuous=discretize, random_state=0)
        for row in SOME:
            explainer.explain_instance(row, f, num_features=data.COLUMNS, num_samples=5_000)
        return {}

    return {**timed(len(SOME), work), "calls": f.calls, "evaluations": f.rows}


def _limed(f: Counted, *, discretize: bool) -> Found:
    from aios_workbench.explain.lime_tabular import lime

    def work() -> Found:
        found = lime(f, SOME, TRAINING, samples=5_000, most=5_000, seeds=[0], discretize=discretize)
        return {"r2": float(found.r2.mean())}

    return {**timed(len(SOME), work), "calls": f.calls, "evaluations": f.rows}


def lime_figures() -> Found:
    """Equality with lime, calibration of the errors, stability over seeds by the number of samples."""
    from lime.lime_tabular import LimeTabularExplainer

    from aios_workbench.explain.lime_tabular import lime

    apart = 0.0
    for discretize in (False, True):
        ours = lime(
            probability, SOME[:3], TRAINING, samples=1_000, most=1_000, seeds=[0], discretize=discretize
        )
        for i in range(3):
            explainer = LimeTabularExplainer(TRAINING, discretize_continuous=discretize, random_state=0)
            found = explainer.explain_instance(
                SOME[i], probability, num_features=data.COLUMNS, num_samples=1_000
            )
            for j, value in found.as_map()[1]:
                apart = max(apart, abs(float(value) - float(ours.coefficients[i, j, 1])))
    one = lambda z: probability(z)[:, 1:]  # noqa: E731 - a column of it
    each = [lime(one, SOME[:6], TRAINING, samples=1_000, most=1_000, seeds=[s]) for s in range(12)]
    scores = [
        (a.contributions - b.contributions) / np.sqrt(a.errors**2 + b.errors**2)
        for a, b in zip(each[::2], each[1::2], strict=True)
    ]
    stable = {
        str(n): float(lime(one, SOME[:6], TRAINING, samples=n, most=n, seeds=range(6)).stability.mean())
        for n in (500, 1_000, 5_000)
    }
    raised = lime(one, SOME[:6], TRAINING, samples=500, most=32_000)
    return {"apart": apart, "z_std": float(np.std(scores)), "stable": stable, "raised_to": raised.samples,
            "raised_stable": float(raised.stability.mean())}  # fmt: skip


METHODS: dict[str, Callable[[], Found]] = {
    "trees_native": trees_native,
    "trees_shap": trees_shap,
    "trees_ours": trees_ours,
    "trees_accelerated": lambda: trees_ours(accelerator=True),
    "trees_shap_many": lambda: trees_shap(10_000),
    "trees_accelerated_many": lambda: trees_ours(accelerator=True, rows=10_000),
    "trees_interventional": lambda: trees_ours(method="tree_interventional", rows=300),
    "box_ours": lambda: _sampled(Counted(score), data.ROWS),
    "box_permutation": lambda: _shap(Counted(score), data.ROWS, "permutation"),
    "box_kernel": lambda: _shap(Counted(score), 5, "kernel"),
    "slow_ours": lambda: _sampled(Counted(slow), 10),
    "slow_permutation": lambda: _shap(Counted(slow), 10, "permutation"),
    "lime_trees": lambda: _lime(Counted(probability), discretize=True),
    "lime_trees_ours": lambda: _limed(Counted(probability), discretize=True),
    "lime_cheap": lambda: _lime(Counted(_cheap()), discretize=True),
    "lime_cheap_ours": lambda: _limed(Counted(_cheap()), discretize=True),
    "lime_slopes": lambda: _lime(Counted(_cheap()), discretize=False),
    "lime_slopes_ours": lambda: _limed(Counted(_cheap()), discretize=False),
    "lime_figures": lime_figures,
    "stops": stops,
}

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    report(**METHODS[sys.argv[1]]())
