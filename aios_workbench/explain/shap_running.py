"""Which explainer gives the Shapley values, and why; and what is asked of the model to check them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainError, ExplainInputError
from aios_workbench.explain import checks_asked, exact, linear, sampling, tree
from aios_workbench.explain.attributed import Attributed, Unreadable
from aios_workbench.explain.checks import make
from aios_workbench.explain.models import Check, MethodInfo, MethodName
from aios_workbench.explain.names import METHODS
from aios_workbench.explain.telling import Told

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from aios_workbench.explain.live import Live

    Floats = npt.NDArray[np.float64]

#: Rows that are explained again for a check, and the share of the budget, and seconds, that may take.
_AGAIN, _SHARE, _SECONDS = 5, 0.1, 5.0
#: Exact values are chosen while they take no more than this share of the budget: they cannot be had roughly first.
_SHARE_EXACT = 0.3
_WHY: dict[MethodName, str] = {
    "tree_path_dependent": "The model is a sum of trees, from which values are read: exactly, without a background.",
    "tree_interventional": "It was asked for: values are read from the trees and measured against background rows.",
    "linear": "The model is linear, so its values follow from its coefficients.",
    "exact": "The model can only be asked, and has few columns: all their coalitions are asked, nothing is sampled.",
    "sampling": "The model can only be asked: values are sampled, in batches over all rows, with an interval on each.",
}


@dataclass
class Found:
    """Shapley values of the rows that were reached, and how."""

    values: Floats
    base: Floats
    predictions: Floats
    errors: Floats | None
    method: MethodInfo
    attributed: Attributed | None = None
    notes: list[str] = field(default_factory=list)


def run(live: Live, frame: pd.DataFrame, told: Told, seconds: float | None) -> Found:
    """Compute Shapley values with the explainer that fits, or with the one that was asked for.

    Raises
    ------
    ExplainInputError
        When the explainer that was asked for cannot explain this model.
    """
    wanted = live.options.method
    reasons: list[str] = []
    for name in _candidates(live, wanted, len(frame), seconds):
        try:
            if name == "linear":
                return _read(live, frame, name, linear.attribute(live.model, frame, live.background), [])
            if name in ("tree_path_dependent", "tree_interventional"):
                return _read(live, frame, name, _tree(live, frame, name, told, seconds), [])
        except Unreadable as e:
            if wanted is not None:
                raise ExplainInputError(
                    f"method={wanted!r} cannot explain {live.model.info.title}: {e}; leave method= out"
                ) from e
            reasons.append(str(e))
            continue
        found = _asked(live, frame, name, told, seconds, reasons)
        if not np.isfinite(found.values).all(axis=(1, 2)).any():
            raise ExplainError(
                f"{live.model.info.title} was stopped ({found.method.stopped}) before one row was explained; "
                "give a larger budget, fewer background_rows, or a faster model"
            )
        return found
    raise ExplainInputError(
        f"method={wanted!r} cannot explain {live.model.info.title} on the scale {live.model.scale!r}; leave method= out"
    )


def _candidates(live: Live, wanted: MethodName | None, rows: int, seconds: float | None) -> list[MethodName]:
    trees, line = tree.readable(live.model), linear.readable(live.model)
    if wanted in ("tree_path_dependent", "tree_interventional"):
        return [wanted] if trees else []
    if wanted == "linear":
        return [wanted] if line else []
    if wanted is not None:
        return [wanted]
    found: list[MethodName] = []
    if line:
        found.append("linear")
    if trees:
        found.append("tree_path_dependent")
    return [*found, "exact" if _few(live, rows, seconds) else "sampling"]


def _few(live: Live, rows: int, seconds: float | None) -> bool:
    """True when all coalitions can be asked: the columns are few, and the model is quick enough for the time."""
    background = live.space.encode(live.used)
    if not exact.affordable(rows, background.shape[1], len(background)):
        return False
    if seconds is None:
        return True
    took = []
    for _ in range(2):  # the first may build something, or meet a busy moment
        began = time.monotonic()
        live.f(background)
        took.append(time.monotonic() - began)
    subsets = 2 ** int(background.shape[1])
    return bool(rows * subsets * min(took) <= _SHARE_EXACT * seconds)


def _tree(live: Live, frame: pd.DataFrame, name: str, told: Told, seconds: float | None) -> Attributed:
    path = name == "tree_path_dependent"
    return tree.attribute(
        live.model, frame, live.used, perturbation="tree_path_dependent" if path else "interventional",
        accelerator=live.options.accelerator, seconds=seconds, cancelled=told.cancelled, progress=told.part(0.02, 0.6),
        seed=live.options.seed,
    )  # fmt: skip


def _read(live: Live, frame: pd.DataFrame, name: MethodName, got: Attributed, notes: list[str]) -> Found:
    n = len(got.values)
    method = MethodInfo(
        name=name, title=METHODS[name][0], why=_WHY[name], exact=True, background=got.background,
        summarised=_summarised(live) if got.background == len(live.used) else "", stopped=got.stopped,
        accelerator=got.accelerator, versions=versions(), notes=[*notes, *got.notes],
    )  # fmt: skip
    if n < len(frame):
        method.notes.append(
            f"{n:,} of {len(frame):,} rows were explained before the end; the others are left out."
        )
    return Found(got.values, got.base, live.model.predict(frame.iloc[:n]), None, method, got)


def _summarised(live: Live) -> str:
    if len(live.used) == len(live.background):
        return ""
    return f"{len(live.used):,} of {len(live.background):,} rows, drawn at random (seed {live.options.seed})"


def _asked(
    live: Live, frame: pd.DataFrame, name: MethodName, told: Told, seconds: float | None, reasons: list[str]
) -> Found:
    x, background = live.space.encode(frame), live.space.encode(live.used)
    chosen = live.options.method is None
    why = _WHY[name] if chosen else f"It was asked for. {METHODS[name][1]}"
    if reasons:
        why = (
            f"The model's own parts cannot be read ({'; '.join(reasons)}), so it is asked. {METHODS[name][1]}"
        )
    if name == "sampling":
        got: Any = sampling.shapley(
            live.f, x, background, tolerance=live.options.tolerance, seconds=seconds, cancelled=told.cancelled,
            progress=told.part(0.02, 0.6), seed=live.options.seed,
        )  # fmt: skip
    else:
        from aios_workbench.explain import shap_explainers

        explainer = exact.exact if name == "exact" else getattr(shap_explainers, name)
        got = explainer(
            live.f, x, background, seconds=seconds, cancelled=told.cancelled, progress=told.part(0.02, 0.6),
            seed=live.options.seed,
        )  # fmt: skip
    method = MethodInfo(
        name=name, title=METHODS[name][0], why=why, exact=name == "exact", background=got.background,
        summarised=_summarised(live), stopped=got.stopped,
        tolerance=live.options.tolerance if name == "sampling" else None, versions=versions(),
    )  # fmt: skip
    return Found(got.values, got.base, got.predictions, None if method.exact else got.errors, method)


def versions() -> dict[str, str]:
    """Return the versions of what computed it."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in (
        "aios-workbench",
        "shap",
        "lime",
        "numpy",
        "scikit-learn",
        "xgboost-cpu",
        "xgboost",
        "lightgbm",
        "catboost",
    ):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def checks(live: Live, found: Found, frame: pd.DataFrame, told: Told, budget: float | None) -> list[Check]:
    """Ask the model again: with either half of the background, and of columns that became several encoded ones."""
    if told.cancelled():
        return []
    until = time.monotonic() + min(_SECONDS, _SHARE * budget if budget is not None else _SECONDS)
    places = np.unique(np.linspace(0, len(frame) - 1, min(_AGAIN, len(frame))).astype(int))
    made = [_background(live, found, frame.iloc[places], told, until)]
    got = found.attributed
    if got is not None and got.checked is not None and got.accelerator is not None:
        unit = float(np.ptp(found.predictions)) or 1.0
        made.append(checks_asked.accelerator(*got.checked, name=got.accelerator, unit=unit))
    if got is not None and got.whole:
        said = "Columns that became several encoded ones are explained as one each: nothing was added up."
        made.append(make("grouping", "ok", said, value=0.0))
    elif got is not None and got.own is not None:
        made.append(checks_asked.grouping(found.values[: len(got.own)], got.own))
    elif got is not None and got.grouped and found.method.name == "tree_path_dependent":
        said = "Values of encoded parts are added up per column; the trees are too large to check what that changes."
        made.append(make("grouping", "skipped", said))
    if got is not None and got.grouped and found.method.name == "tree_interventional":
        own = sampling.shapley(
            live.f, live.space.encode(frame.iloc[places]), live.space.encode(live.used), tolerance=0.01,
            seconds=max(until - time.monotonic(), 0.2), cancelled=told.cancelled, seed=live.options.seed,
        )  # fmt: skip
        whole = np.isfinite(own.values).all(axis=(1, 2))
        made.append(checks_asked.grouping(found.values[places][whole], own.values[whole]))
    return made


def _background(live: Live, found: Found, rows: pd.DataFrame, told: Told, until: float) -> Check:
    name = found.method.name
    if name == "tree_path_dependent":
        return checks_asked.background(
            None, None, reason="No background was used: the training rows' counts stand in."
        )
    if len(live.used) < 4:
        return checks_asked.background(
            None, None, reason="There are too few background rows to try half of them."
        )
    source = live.background if name == "linear" else live.used
    order = np.random.default_rng(live.options.seed).permutation(len(source))
    halves = [source.iloc[np.sort(order[: len(order) // 2])], source.iloc[np.sort(order[len(order) // 2 :])]]
    if name == "linear":
        one, two = (linear.attribute(live.model, rows, half).values for half in halves)
        return checks_asked.background(one, two)
    x = live.space.encode(rows)
    got = [
        sampling.shapley(
            live.f, x, live.space.encode(half), tolerance=0.05, seed=live.options.seed, cancelled=told.cancelled,
            seconds=max((until - time.monotonic()) / (2 - i), 0.1),
        )
        for i, half in enumerate(halves)
    ]  # fmt: skip
    whole = np.isfinite(got[0].values).all(axis=(1, 2)) & np.isfinite(got[1].values).all(axis=(1, 2))
    if not whole.any():
        return checks_asked.background(
            None, None, reason="The budget left no time to try another background."
        )
    return checks_asked.background(
        got[0].values[whole], got[1].values[whole], errors=(got[0].errors[whole], got[1].errors[whole])
    )
