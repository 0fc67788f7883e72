"""An `Explanation` of a made-up additive model whose every contribution is known: for tests of what shows one.

The "model" adds one known function of each column (`EFFECTS`), so contributions are exact, what-if answers are right,
and LIME's are SHAP's with noise, turned round on the rows `DISAGREEING`. Rows `OUTSIDE` are far from the training data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from aios_workbench.explain import agreement, importances
from aios_workbench.explain.explanation import Arrays, Explanation
from aios_workbench.explain.models import (
    Check,
    Column,
    ExplanationData,
    LimeInfo,
    MethodInfo,
    ModelInfo,
    Task,
)
from aios_workbench.explain.names import CHECKS

EVIL = "<img src=x onerror=alert(1)>"
CITIES = ["Ghent", "a,b", "", " ", EVIL, "Łódź 🦊"]
#: What the columns are called with `evil=True`, one of each kind among them.
NAMES = [EVIL, "", " ", "a,b", "City", "city", 'a"b', "x" * 120]
PLAIN = ["income", "age", "claims", "city", "member", "since", "score", "noise"]
DISAGREEING = (3, 7, 11)
OUTSIDE = (5,)
CLASSES = ["pay", "review", EVIL, "refuse"]
_START = 1_577_836_800.0  # 2020-01-01


def table(rows: int = 200, *, seed: int = 0) -> pd.DataFrame:
    """Rows of each kind of column: numbers, whole numbers, categories, booleans, times, nulls."""
    g = np.random.default_rng(seed)
    income = g.lognormal(10, 0.5, rows)
    if rows > 5:
        income[5] = 2e6
    score = np.log(income) * 10 + g.normal(0, 1, rows)
    claims = g.poisson(1.2, rows).astype(float)
    claims[g.random(rows) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "income": income,
            "age": g.integers(18, 90, rows),
            "claims": claims,
            "city": g.choice(CITIES, rows, p=[0.4, 0.25, 0.15, 0.1, 0.05, 0.05]).astype(object),
            "member": g.random(rows) < 0.6,
            "since": pd.to_datetime(_START + 86_400 * g.integers(0, 2_000, rows), unit="s"),
            "score": score,
            "noise": g.normal(0, 1, rows),
        },
        index=[f"claim-{i}" for i in range(rows)],
    )


def _seconds(x: pd.Series) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(x):
        return np.asarray((x - pd.Timestamp(0)) / pd.Timedelta(seconds=1), float)
    return pd.to_numeric(x, errors="coerce").to_numpy(float)


#: What each column, by its place, adds to the first output.
EFFECTS: list[Callable[[pd.Series], np.ndarray]] = [
    lambda x: -1.2 * np.log(np.maximum(_seconds(x), 1.0) / 22_000),
    lambda x: 0.0006 * (_seconds(x) - 54) ** 2 - 0.25,
    lambda x: np.nan_to_num(0.7 * (_seconds(x) - 1.2)),
    lambda x: x.map(dict(zip(CITIES, (0.5, -0.6, 0.1, 0.2, 1.5, -1.0), strict=True))).fillna(0.0).to_numpy(float),
    lambda x: np.where(x.astype(bool).to_numpy(), -0.3, 0.45),
    lambda x: (_seconds(x) - _START - 86_400_000) / 86_400_000 * 0.4,
    lambda x: 0.05 * (_seconds(x) - 100),
    lambda x: np.zeros(len(x)),
]  # fmt: skip


def contributions(frame: pd.DataFrame, outputs: int = 1) -> np.ndarray:
    """Return what each column adds, (n, M, K): the k-th output takes the columns' functions k places further on."""
    own = np.stack([f(frame.iloc[:, j]) for j, f in enumerate(EFFECTS)], axis=1)
    return np.stack(
        [own * (0.3 + 0.7 * ((np.arange(8) + 3 * k) % 8 < 6)) * (-1) ** k for k in range(outputs)], 2
    )


class FakeExplainer:
    """The model behind the explanation; `calls` lists what was asked of it."""

    def __init__(self, background: pd.DataFrame, make: Callable[[pd.DataFrame], Explanation]) -> None:
        self.background, self._make = background, make
        self.calls: list[Any] = []
        self.outputs, self.base = 1, np.zeros(1)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        self.calls.append(("predict", len(rows)))
        return self.base + contributions(rows, self.outputs).sum(axis=1)

    def again(self, rows: pd.DataFrame, *, seconds: float | None = None, lime: bool = True) -> Explanation:
        self.calls.append(("again", len(rows), seconds, lime))
        return self._make(rows)


def explanation(
    rows: int = 200, outputs: int = 1, *, lime: bool = True, errors: bool = True, evil: bool = False,
    live: bool = True, raw: bool = True, task: Task | None = None, seed: int = 0, **changes: Any,
) -> Explanation:  # fmt: skip
    """Return a complete explanation of `rows` rows and eight columns.

    `outputs`: 1 (binary, in log-odds) to 4 classes. `lime`, `errors`: with LIME's side, with sampling errors.
    `evil`: hostile column names (values are hostile always). `live`: with a `FakeExplainer`. `raw`: with its rows.
    `changes` are fields of its data.
    """
    return of(
        table(rows, seed=seed), outputs, lime=lime, errors=errors, evil=evil, live=live, raw=raw, task=task,
        seed=seed, **changes,
    )  # fmt: skip


def of(
    frame: pd.DataFrame, outputs: int = 1, *, lime: bool = True, errors: bool = True, evil: bool = False,
    live: bool = True, raw: bool = True, task: Task | None = None, seed: int = 0, **changes: Any,
) -> Explanation:  # fmt: skip
    """Return the explanation of these rows; see `explanation`."""
    g = np.random.default_rng(seed + 1)
    n = len(frame)
    task = task or ("binary" if outputs == 1 else "multiclass")
    values = contributions(frame, outputs)
    base = np.linspace(-0.4, 0.4, outputs) if outputs > 1 else np.array([-0.4])
    predictions = base + values.sum(axis=1)
    spread = 0.02 * (1 + np.abs(values)) if errors else None
    arrays = Arrays(values=values, base=base, predictions=predictions, errors=spread)
    if task == "binary":
        arrays.probabilities = np.c_[1 / (1 + np.exp(predictions)), 1 / (1 + np.exp(-predictions))]
    elif task == "multiclass":
        e = np.exp(predictions - predictions.max(axis=1, keepdims=True))
        arrays.probabilities = e / e.sum(axis=1, keepdims=True)
    arrays.outside = g.random(n) * 0.9
    arrays.outside[[i for i in OUTSIDE if i < n]] = 0.998
    told = np.arange(min(n, 100))
    info = None
    if lime:
        arrays.lime_rows = told
        arrays.lime_errors = np.full((len(told), 8, outputs), 0.03)
        arrays.lime = values[told] * 0.9 + g.normal(0, 0.03, (len(told), 8, outputs))
        turned = [i for i in DISAGREEING if i < len(told)]
        arrays.lime[turned] *= -1
        arrays.lime_r2 = np.clip(g.normal(0.8, 0.1, (len(told), outputs)), 0.05, 0.99)
        arrays.lime_r2[turned] = 0.2
        arrays.lime_intercept = np.tile(base, (len(told), 1)) + 0.1
        arrays.stability = np.clip(g.normal(0.9, 0.05, len(told)), 0, 1)
        info = LimeInfo(
            rows=len(told), samples=5_000, seeds=[0, 1], discretized=False, kernel_width=2.12,
            r2=float(np.median(arrays.lime_r2)) if len(told) else None,
            stability=float(arrays.stability.mean()) if len(told) else None, evaluations=10_000, calls=2, seconds=0.8,
        )  # fmt: skip
    names = NAMES if evil else PLAIN
    columns = [_column(name, frame.iloc[:, j]) for j, name in enumerate(names)]
    columns[0].correlated, columns[6].correlated = [names[6]], [names[0]]
    outcome = ["claim"] if outputs == 1 else (CLASSES * 3)[:outputs]
    if task in ("regression", "anomaly"):
        outcome = ["prediction"]
    title = "sampled Shapley values" if errors else "SHAP Tree, path-dependent"
    data = ExplanationData(
        id="e1", name=EVIL if evil else "claims triage", created_at=1.8e9, task=task,
        scale={"regression": "value", "anomaly": "score"}.get(task, "log-odds"),
        outputs=outcome, rows=n, columns=columns,
        model=ModelInfo(type="sklearn.ensemble.GradientBoostingClassifier", title="gradient boosting, 500 trees",
                        uri="models:/claims/3", fingerprint="sha256:" + "ab" * 32, steps=["impute", "encode", "model"]),
        method=MethodInfo(
            name="sampling" if errors else "tree_path_dependent", title=title,
            why="The model is a function whose inside is not known, so its columns are sampled.", exact=not errors,
            background=100, summarised="100 of 5,000 rows, drawn at random", evaluations=48_000, calls=12, seconds=3.4,
            stopped="tolerance" if errors else "done", tolerance=0.02 if errors else None,
            versions={"shap": "0.51.0", "lime": "0.2.0.1"},
        ),
        lime=info, importance=importances.importance(arrays, names),
        agreement=agreement.agreement(arrays), notes=["income and score tell the same story."],
        seconds=4.2, data_hash="sha256:" + "cd" * 32, background_hash="sha256:" + "ef" * 32,
    )  # fmt: skip
    data.checks = checks(names, lime=lime)
    data = data.model_copy(update=changes)
    shown = frame.set_axis(names, axis=1)
    made = Explanation(data, arrays, shown if raw else None)
    if live:
        made.live = FakeExplainer(
            table(300, seed=99).set_axis(names, axis=1),
            lambda rows: of(
                rows[names], outputs, lime=lime, errors=errors, evil=evil, live=False, task=task, seed=seed
            ),
        )
        made.live.outputs, made.live.base = outputs, base
    return made


def checks(names: list[str], *, lime: bool = True) -> list[Check]:
    """A check of each level; the red one is LIME's fit."""

    def check(name: Any, level: Any, words: str, **more: Any) -> Check:
        return Check(name=name, title=CHECKS[name], level=level, words=words, **more)

    found = [
        check("additivity", "ok", "Base and contributions add up to the prediction.", value=1e-9, threshold=1e-5),
        check("precision", "ok", "The typical 95 % interval is 1 % of the spread of the predictions.", value=0.01,
              threshold=0.1),
        check("correlation", "warn", f"{names[0]!r} and {names[6]!r} carry the same information: credit between them "
              "is arbitrary.", value=0.93, threshold=0.7, columns=[names[0], names[6]]),
        check("outside", "warn", "1 row is unlike the training data.", value=0.005, threshold=0.01, rows=[5]),
        check("background", "skipped", "The model would have to be asked again; there was no time."),
    ]  # fmt: skip
    if lime:
        found += [
            check("local_fit", "fail", "LIME's plane explains 20 % of what the model does around 3 rows.", value=0.2,
                  threshold=0.5, rows=list(DISAGREEING)),
            check("stability", "ok", "The top columns are the same over seeds.", value=0.9, threshold=0.8),
            check("agreement", "ok", "SHAP and LIME tell the same story.", value=0.95, threshold=0.5),
        ]  # fmt: skip
    return found


def _column(name: str, x: pd.Series) -> Column:
    nulls = float(x.isna().mean()) if len(x) else 0.0
    if x.dtype == bool:
        return Column(name=name, kind="boolean", values=["False", "True"], nulls=nulls)
    if x.dtype == object or pd.api.types.is_string_dtype(x.dtype):
        return Column(
            name=name, kind="categorical", values=[str(v) for v in x.value_counts().index], nulls=nulls
        )
    seconds = _seconds(x)
    there = seconds[~np.isnan(seconds)]
    if not len(there):
        return Column(name=name, kind="numeric", nulls=nulls)
    return Column(
        name=name, kind="datetime" if pd.api.types.is_datetime64_any_dtype(x) else "numeric",
        low=float(there.min()), high=float(there.max()), nulls=nulls,
        quantiles=[float(q) for q in np.quantile(there, [0.05, 0.25, 0.5, 0.75, 0.95])],
        whole=bool((there == np.round(there)).all()),
    )  # fmt: skip


#: States a screen must stand: name -> how to make it.
STATES: dict[str, Callable[[], Explanation]] = {
    "full": explanation,
    "exact": lambda: explanation(errors=False),
    "classes": lambda: explanation(outputs=4),
    "regression": lambda: explanation(task="regression"),
    "without lime": lambda: explanation(lime=False),
    "stored": lambda: explanation(live=False, raw=False),
    "hostile": lambda: explanation(evil=True),
    "one row": lambda: explanation(rows=1),
    "empty": lambda: explanation(rows=0),
}
