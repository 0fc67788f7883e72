"""woodelf: exact Shapley values of trees, many times faster for many rows. Optional, and never believed unchecked.

Its cost hardly grows with the rows, but it begins with seconds of tables: for few rows shap is faster.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

#: Seconds shap must need for the rest before it pays; its tables take about 4 s for 500 trees.
_PAYS = 12.0
#: Rows on which it is compared with shap, and the largest difference there may be as a share of the values' size.
_CHECKED, _CLOSE = 20, 1e-4
#: Trees at a time, so that a cancel is seen.
_TREES = 20


@dataclass
class Accelerated:
    """What it gave: `values` (n, encoded, 1), or None and why."""

    values: Floats | None
    name: str
    why: str = ""
    #: Its values and shap's on sampled rows, (rows, encoded).
    checked: tuple[Floats, Floats] | None = None


def there() -> bool:
    """True when it is installed."""
    return importlib.util.find_spec("woodelf") is not None


def worth(last: Any, seconds: float, wanted: bool | None) -> bool:
    """True when it should be used where shap still needs so many seconds."""
    if wanted is False or not there() or _classes(last) > 2:
        return False
    home = type(last).__module__.partition(".")[0]
    return home in ("xgboost", "lightgbm") and (wanted is True or seconds > _PAYS)


def _classes(last: Any) -> int:
    if type(last).__name__ == "Booster":
        many = getattr(last, "num_model_per_iteration", None)
        if many is not None:
            return 3 if many() > 1 else 2
        import json

        several = json.loads(last.save_config())["learner"]["learner_model_param"]["num_class"]
        return 3 if int(several) > 1 else 2
    return len(getattr(last, "classes_", (0, 1)))


def attribute(
    last: Any, z: Any, background: Any | None, *, check: Callable[[Any], Floats], width: int,
    cancelled: Callable[[], bool] | None = None, progress: Callable[[float, str], None] | None = None, seed: int = 0,
    seconds: float | None = None,
) -> Accelerated:  # fmt: skip
    """Return contributions of encoded rows, compared with shap's on some of them.

    Parameters
    ----------
    check : callable
        Asks shap: encoded rows to (n, width + 1, K).
    """
    from importlib.metadata import version

    name = f"woodelf {version('woodelf-explainer')}"
    began = time.perf_counter()
    try:
        found = _asked(last, z, background, width, began, seconds, cancelled, progress)
    except Exception as e:  # noqa: BLE001 - a young library: whatever it raises, shap's values are still to be had
        return Accelerated(None, name, f"{name} failed ({type(e).__name__}: {str(e)[:150]}); shap was used")
    if found is None:
        return Accelerated(None, name, f"{name} was stopped; rows that shap had done were kept")
    rows = np.sort(np.random.default_rng(seed).choice(len(found), min(_CHECKED, len(found)), replace=False))
    right = check(z.iloc[rows] if hasattr(z, "iloc") else z[rows])[:, :-1, 0]
    off = float(np.abs(found[rows] - right).max())
    limit = _CLOSE * max(1.0, float(np.abs(right).sum(axis=1).max()))
    if not off <= limit:
        return Accelerated(
            None, name, checked=(found[rows], right),
            why=f"{name} differed from shap by {off:.2g} on {len(rows)} rows (allowed: {limit:.2g}); shap was used",
        )  # fmt: skip
    return Accelerated(found[:, :, None], name, checked=(found[rows], right))


def _asked(
    last: Any, z: Any, background: Any | None, width: int, began: float, seconds: float | None,
    cancelled: Callable[[], bool] | None, progress: Callable[[float, str], None] | None,
) -> Floats | None:  # fmt: skip
    import pandas as pd
    from woodelf.core.trees.decision_trees_ensemble import DecisionTreesEnsemble
    from woodelf.core.trees.parse_models import load_decision_tree_ensemble_model
    from woodelf.explainer import WoodelfExplainer

    # plain names: what a column is called is no business of a parser
    names = [f"c{i}" for i in range(width)]
    frame = pd.DataFrame(np.asarray(z, dtype=np.float64), columns=names)
    data = (
        None if background is None else pd.DataFrame(np.asarray(background, dtype=np.float64), columns=names)
    )
    trees = load_decision_tree_ensemble_model(last, names).trees
    total = np.zeros((len(frame), width))
    for at in range(0, len(trees), _TREES):
        over = seconds is not None and time.perf_counter() - began > seconds
        if over or (cancelled is not None and cancelled()):
            return None
        part = WoodelfExplainer(DecisionTreesEnsemble(trees[at : at + _TREES]), data)
        total += np.asarray(part.shap_values(frame, verbose=False), dtype=np.float64)
        if progress is not None:
            progress(
                min(1.0, (at + _TREES) / len(trees)),
                f"{min(at + _TREES, len(trees)):,} of {len(trees):,} trees",
            )
    return total
