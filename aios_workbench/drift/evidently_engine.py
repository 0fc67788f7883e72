"""evidently itself: its report on whole frames in memory, its presets and tests by name. `engine="evidently"`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from aios_workbench.drift.kinds import ColumnRole, infer
from aios_workbench.drift.models import ColumnDrift, Kind, Rules, Statistic, StatisticName
from aios_workbench.drift.sources import open_source
from aios_workbench.errors import DriftError, DriftInputError, hint

if TYPE_CHECKING:
    import pandas as pd

#: A preset or metric: its name, with arguments, with conditions it must meet; or evidently's own object.
Asked = str | tuple[str, Mapping[str, Any]] | tuple[str, Mapping[str, Any], Mapping[str, Any]] | Any

#: What evidently's methods are called in its results: our name, and whether its figure is a p-value.
_METHODS: dict[str, tuple[StatisticName, bool]] = {
    "K-S p_value": ("ks", True),
    "chi-square p_value": ("chisquare_one_sample", True),
    "Z-test p_value": ("z", True),
    "Wasserstein distance (normed)": ("wasserstein", False),
    "Jensen-Shannon distance": ("jensenshannon", False),
    "PSI": ("psi", False),
    "Kullback-Leibler divergence": ("kl_div", False),
    "Hellinger distance": ("hellinger", False),
    "Absolute text content drift": ("domain_auc", False),
    "Percentile text content drift": ("domain_auc", False),
}
#: Kinds of columns that it knows; it has no ids, and of embeddings it draws pictures only.
_COMPARED = ("numeric", "categorical", "boolean", "text", "datetime")
_CONDITIONS = ("eq", "not_eq", "lt", "lte", "gt", "gte", "is_in", "not_in")


class Overruled(NamedTuple):
    """A comparison as evidently sees it."""

    snapshot: Any
    columns: list[ColumnDrift]
    drifted: bool | None
    reasons: list[str]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep evidently from reporting home and from warning of its own code."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def report(
    reference: Any,
    current: Any,
    *,
    presets: Sequence[Asked] = ("DataDriftPreset",),
    metrics: Sequence[Asked] = (),
    tests: bool = False,
    kinds: Mapping[str, Kind] | None = None,
    target: str | None = None,
    prediction: str | None = None,
    score: str | None = None,
) -> Any:
    """Run evidently's own report and return its `Snapshot`: ``.dict()``, ``.json()``, ``.save_html(path)``.

    All rows are read into memory, of both sides. Importing evidently takes 4 to 12 seconds, once. Nothing is sent
    anywhere (but its Sentiment descriptor would download words).

    Parameters
    ----------
    reference, current
        Whatever `open_source` takes.
    presets, metrics
        Names of evidently's; or ``(name, arguments)``; or ``(name, arguments, conditions)`` such as
        ``("MissingValueCount", {"column": "age"}, {"lte": 5})``, with ``share_lte`` for its share, and
        ``{"lte": {"relative": 0.1}}`` for a tenth more than in the reference; or evidently's own objects.
    tests
        Whether presets and metrics bring the tests that evidently makes up for them.
    kinds
        Corrections of what columns hold.
    target, prediction, score
        Columns of a model, for `ClassificationPreset` and `RegressionPreset`.

    Raises
    ------
    DriftInputError
        For a preset, metric, argument, condition or column that does not exist, with the nearest name.
    DriftError
        When evidently fails; with what it said.

    Examples
    --------
    >>> import pandas as pd
    >>> before, after = pd.DataFrame({"age": [20, 31.5] * 50}), pd.DataFrame({"age": [31.5] * 90})
    >>> report(before, after).dict()["metrics"][0]["value"]
    {'count': 1.0, 'share': 1.0}
    """
    one, two = _frame(reference), _frame(current)
    source = open_source(one)
    roles = infer(source, kinds, target=target, prediction=prediction, score=score)
    return run(one, two, roles, presets=presets, metrics=metrics, tests=tests)


def run(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    roles: Mapping[str, ColumnRole],
    *,
    presets: Sequence[Asked] = ("DataDriftPreset",),
    metrics: Sequence[Asked] = (),
    tests: bool = False,
) -> Any:
    """Run evidently's report on frames whose columns are known; see `report`.

    Examples
    --------
    >>> import pandas as pd
    >>> before, after = pd.DataFrame({"age": [20, 31] * 50}), pd.DataFrame({"age": [20, 31] * 40})
    >>> run(before, after, {"age": ColumnRole("numeric")}).dict()["metrics"][0]["value"]["count"]
    0.0
    """
    shared = {
        c: r
        for c, r in roles.items()
        if r.kind in _COMPARED
        and c in reference
        and c in current
        and reference[c].notna().any()
        and current[c].notna().any()
    }
    if not shared:
        raise DriftInputError(
            "the two sides have no column in common that evidently compares and that has values; see kinds="
        )
    one, two = _prepared(reference, shared), _prepared(current, shared)
    with _quiet():
        import evidently
        import evidently.metrics
        import evidently.presets

        asked = [_made(evidently.presets, p, "preset") for p in presets]
        asked += [_made(evidently.metrics, m, "metric") for m in metrics]
        said = _definition(evidently, one, shared)
        try:
            return evidently.Report(asked, include_tests=tests).run(
                evidently.Dataset.from_pandas(two, data_definition=said),
                evidently.Dataset.from_pandas(one, data_definition=said),
            )
        except Exception as e:
            raise DriftError(
                f"evidently could not make its report: {type(e).__name__}: {e}; engine='duckdb' compares the same data"
            ) from e


def _frame(data: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data
    source = open_source(data)
    return source.sample(source.rows, 0)


def _prepared(frame: pd.DataFrame, roles: Mapping[str, ColumnRole]) -> pd.DataFrame:
    """Return columns of the types evidently knows: plain floats and texts, nulls as it looks for them."""
    import pandas as pd

    made: dict[str, Any] = {}
    for name, (kind, _) in roles.items():
        column = frame[name]
        if kind == "numeric":
            made[name] = pd.to_numeric(column.astype(object), errors="coerce").astype("float64")
        elif kind in ("categorical", "boolean", "text"):
            made[name] = column.astype(object).where(column.notna(), None).map(str, na_action="ignore")
        elif kind == "datetime":
            made[name] = pd.to_datetime(column, errors="coerce")
    return pd.DataFrame(made)


def _definition(evidently: Any, frame: pd.DataFrame, roles: Mapping[str, ColumnRole]) -> Any:
    def of(*kinds: str) -> list[str]:
        return [c for c, r in roles.items() if r.kind in kinds]

    def role(name: str) -> str | None:
        return next((c for c, r in roles.items() if r.role == name), None)

    given: dict[str, Any] = {
        "numerical_columns": of("numeric"), "categorical_columns": of("categorical", "boolean"),
        "text_columns": of("text"), "datetime_columns": of("datetime"),
    }  # fmt: skip
    target, prediction, score = role("target"), role("prediction"), role("score")
    if target is not None and (prediction is not None or score is not None):
        if roles[target].kind == "numeric":
            given["regression"] = [evidently.Regression(target=target, prediction=prediction or score)]
        elif frame[target].nunique() <= 2:
            positive = frame[target].dropna().max()
            given["classification"] = [
                evidently.BinaryClassification(
                    target=target, prediction_labels=prediction, prediction_probas=score, pos_label=positive
                )
            ]
        elif prediction is not None:
            given["classification"] = [
                evidently.MulticlassClassification(target=target, prediction_labels=prediction)
            ]
    return evidently.DataDefinition(**given)


def _made(library: Any, asked: Asked, what: str) -> Any:
    """Return evidently's object for what was asked by name."""
    if isinstance(asked, str):
        asked = (asked, {})
    if not isinstance(asked, tuple):
        return asked
    name, arguments = asked[0], dict(asked[1])
    known = [n for n in dir(library) if n[0].isupper() and isinstance(getattr(library, n), type)]
    if name not in known:
        raise DriftInputError(f"evidently has no {what} {name!r}{hint(str(name), known)}")
    for condition, value in (asked[2] if len(asked) > 2 else {}).items():
        on, made = _condition(condition, value)
        arguments.setdefault(on, []).append(made)
    try:
        return getattr(library, name)(**arguments)
    except (TypeError, ValueError) as e:
        raise DriftInputError(f"evidently's {what} {name} does not take {asked[1]!r}: {e}") from e


def _condition(name: str, value: Any) -> tuple[str, Any]:
    import evidently.tests

    on, plain = ("share_tests", name[6:]) if name.startswith("share_") else ("tests", name)
    if plain not in _CONDITIONS:
        raise DriftInputError(
            f"evidently has no condition {name!r}{hint(plain, _CONDITIONS)}; there are {', '.join(_CONDITIONS)}"
        )
    if isinstance(value, Mapping):
        value = evidently.tests.Reference(**value)
    return on, getattr(evidently.tests, plain)(value)


def verdicts(snapshot: Any) -> dict[str, tuple[str, float, float, bool]]:
    """Return by column what evidently found: its method, its figure, the threshold, and whether it is drift.

    Examples
    --------
    >>> import pandas as pd
    >>> before, after = pd.DataFrame({"age": [20, 31.5] * 50}), pd.DataFrame({"age": [31.5] * 90})
    >>> method, p_value, threshold, drifted = verdicts(report(before, after))["age"]
    >>> method, p_value < 1e-9, threshold, drifted
    ('Z-test p_value', True, 0.05, True)
    """
    found = {}
    for metric in snapshot.dict()["metrics"]:
        config = metric.get("config", {})
        if config.get("type", "").endswith(":ValueDrift"):
            method, threshold, value = config["method"], float(config["threshold"]), float(metric["value"])
            if method.endswith("p_value"):
                drift = value <= threshold if method == "K-S p_value" else value < threshold
            else:
                drift = value >= threshold
            found[config["column"]] = (method, value, threshold, drift)
    return found


def taken_over(columns: Sequence[ColumnDrift], snapshot: Any) -> list[ColumnDrift]:
    """Return our columns with evidently's verdicts and figures in place of ours; what it left out is `skipped`.

    Examples
    --------
    >>> import pandas as pd
    >>> before, after = pd.DataFrame({"age": [20, 31.5] * 50}), pd.DataFrame({"age": [31.5] * 90})
    >>> made = taken_over([ColumnDrift(name="age", kind="numeric")], report(before, after))
    >>> made[0].verdict, made[0].test, made[0].reasons
    ('drifted', 'z', ['evidently: Z-test p_value < 0.001, threshold 0.05'])
    """
    theirs = verdicts(snapshot)
    made = []
    for column in columns:
        if column.name not in theirs:
            why = column.reasons if column.verdict == "skipped" else ["evidently does not compare it"]
            made.append(column.model_copy(update={"verdict": "skipped", "reasons": why}))
            continue
        method, value, threshold, drift = theirs[column.name]
        name, is_p = _METHODS.get(method, (None, method.endswith("p_value")))
        figure = "< 0.001" if is_p and value < 0.001 else f"= {value:.3f}" if is_p else f"{value:.2f}"
        update: dict[str, Any] = {
            "verdict": "drifted" if drift else "stable", "threshold": threshold, "test": name,
            "reasons": [f"evidently: {method} {figure}, threshold {threshold:g}"] if drift else [],
        }  # fmt: skip
        if name is not None:
            ours = column.statistics.get(name) or Statistic(value=value)
            said = {"p_value": value} if is_p else {"value": value}
            update["statistics"] = {**column.statistics, name: ours.model_copy(update=said)}
        made.append(column.model_copy(update=update))
    return made


def drifted(snapshot: Any) -> tuple[bool | None, list[str]]:
    """Return whether evidently calls the data drifted: at least its `drift_share` of the columns; and why.

    Examples
    --------
    >>> import pandas as pd
    >>> before, after = pd.DataFrame({"age": [20, 31.5] * 50}), pd.DataFrame({"age": [31.5] * 90})
    >>> drifted(report(before, after))
    (True, ['evidently: 1 of 1 columns drifted, 50% are enough'])
    """
    for metric in snapshot.dict()["metrics"]:
        if metric.get("config", {}).get("type", "").endswith(":DriftedColumnsCount"):
            count, share = metric["value"]["count"], metric["value"]["share"]
            limit = float(metric["config"].get("drift_share", 0.5))
            of = len(verdicts(snapshot)) or round(count / share if share else 0)
            yes = share >= limit
            said = f"evidently: {count:.0f} of {of} columns drifted, {limit:.0%} are enough"
            return yes, [said] if yes else []
    return None, []


def overruled(columns: Sequence[ColumnDrift], sides: Any, rules: Rules, seed: int) -> Overruled:
    """Run evidently on all rows of both sides of a comparison and put its verdicts in place of ours.

    Raises
    ------
    DriftInputError
        When a side is a stored profile, or thresholds for columns are given: evidently has its own.
    """
    if rules.columns:
        raise DriftInputError(
            "engine='evidently' judges by evidently's own thresholds; leave those of the rules' columns out, or "
            "compare with rules='evidently' and the default engine, which take them"
        )
    frames = []
    for side, source in zip(("reference", "current"), sides.sources, strict=True):
        if source is None:
            raise DriftInputError(
                f"engine='evidently' reads all rows, and the {side} side is a stored profile; give the data itself"
            )
        frames.append(source.sample(max(source.rows, 1), seed))
    roles = {name: ColumnRole(how.kind, how.role) for name, how in sides.plan.columns.items()}
    snapshot = run(frames[0], frames[1], roles)
    return Overruled(snapshot, taken_over(columns, snapshot), *drifted(snapshot))


def html(snapshot: Any) -> str:
    """Return evidently's own page, whole: 4 MB, with all it needs inside."""
    page: str = snapshot.get_html_str(as_iframe=False)
    return page
