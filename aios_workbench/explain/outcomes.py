"""What really was: a person's labels beside a model's outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.names import value_text

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.tabular import Floats, Ints, Mask


@dataclass(frozen=True)
class Outcomes:
    """Labels beside predictions, of the rows whose label is known.

    Attributes
    ----------
    rows : (m,) int64
        Their positions among the explained rows.
    label : (m,) float64
        Classes from 0 on (of two, 1 is the positive one), or values.
    probability : (m, C) float64 or None
        Of each class; None where the model gives none.
    guess : (m,) float64
        The class with the largest prediction, or the predicted value.
    classes : list of str
        Empty of values.
    left_out : int
        Rows without a label.
    """

    rows: Ints
    label: Floats
    probability: Floats | None
    guess: Floats
    classes: list[str]
    left_out: int
    notes: list[str]


def labels(given: Any, n: int, what: str) -> tuple[list[Any], Mask]:
    """Return labels, one a row, and which of them are known.

    Raises
    ------
    ExplainInputError
        When there are not `n`.
    """
    import pandas as pd

    if given is None or isinstance(given, (str, bytes)):
        raise ExplainInputError(f"{what} needs what really was: give y, one label for each of the {n:,} rows")
    values = given.to_pylist() if hasattr(given, "to_pylist") else list(given)
    if len(values) != n:
        raise ExplainInputError(
            f"{what}: y has {len(values):,} labels, and {n:,} rows were explained; give one for each"
        )
    return values, np.array([not (pd.api.types.is_scalar(v) and pd.isna(v)) for v in values], bool)


def outcomes(explanation: Explanation, y: Any, what: str) -> Outcomes:
    """Bring labels and predictions together.

    Parameters
    ----------
    y : array_like
        (n,): values, or classes as the outputs are called (1, "1", 1.0 and True are the same); missing ones are left
        out.

    Raises
    ------
    ExplainInputError
        When labels are no values, or none of the model's classes.
    """
    data, arrays = explanation.data, explanation.arrays
    values, known = labels(y, len(arrays.predictions), what)
    rows = np.flatnonzero(known)
    if not len(rows):
        raise ExplainInputError(f"{what}: no label in y is known")
    there = [values[i] for i in rows]
    left = len(values) - len(rows)
    if data.task in ("regression", "anomaly"):
        try:
            label = np.array([float(v) for v in there])
        except (TypeError, ValueError) as e:
            raise ExplainInputError(f"{what}: y has to be numbers for a {data.task} ({e})") from None
        if not np.isfinite(label).all():
            raise ExplainInputError(f"{what}: y is infinite in row {int(rows[~np.isfinite(label)][0])}")
        return Outcomes(rows, label, None, arrays.predictions[rows, data.output], [], left, [])
    if len(data.outputs) == 1:
        label, notes = _positive(data.outputs[0], there, what)
        probability = _of_two(explanation)
        guess = (arrays.predictions[:, 0] > (0.5 if data.scale == "probability" else 0.0)).astype(np.float64)
        if probability is not None:
            guess = (probability > 0.5).astype(np.float64)
        both = None if probability is None else np.stack([1 - probability, probability], axis=1)[rows]
        classes = [f"not {data.outputs[0]}", data.outputs[0]]
        return Outcomes(rows, label, both, guess[rows], classes, left, notes)
    keys = [_key(o) for o in data.outputs]
    found = [_key(v) for v in there]
    strange = sorted({value_text(v) for v, k in zip(there, found, strict=True) if k not in keys})
    if strange:
        raise ExplainInputError(
            f"{what}: y has {strange[0]!r}, which is none of the model's classes {', '.join(data.outputs[:10])}"
        )
    probability = _of_many(explanation)
    return Outcomes(
        rows, np.array([float(keys.index(k)) for k in found]), None if probability is None else probability[rows],
        arrays.predictions[rows].argmax(axis=1).astype(np.float64), list(data.outputs), left, [],
    )  # fmt: skip


def _key(value: Any) -> Any:
    """Return what labels are compared by: 1, "1", 1.0 and True are one, all else is its text."""
    text = str(value)
    if text in ("True", "False"):
        return float(text == "True")
    try:
        return float(text)
    except ValueError:
        return text


def _positive(name: str, there: list[Any], what: str) -> tuple[Floats, list[str]]:
    keys = [_key(v) for v in there]
    positive = _key(name)
    different = set(keys)
    if positive in different or different <= {0.0} or len(different) > 2:
        if len(different) > 2:
            shown = ", ".join(sorted({value_text(v) for v in there})[:4])
            raise ExplainInputError(
                f"{what}: y has {len(different)} different labels ({shown}, …) for a model of two classes"
            )
        return np.array([float(k == positive) for k in keys]), []
    if different <= {0.0, 1.0}:
        return np.array([float(k == 1.0) for k in keys]), [f"Labels of 1 are taken for {name!r}."]
    if len(different) == 1:
        return np.zeros(len(keys)), [f"No label is {name!r}."]
    shown = ", ".join(sorted({repr(value_text(v)) for v in there}))
    raise ExplainInputError(
        f"{what}: y has {shown}, and the model predicts {name!r}; give labels of which one is that"
    )


def probability_of(explanation: Explanation, predictions: Floats) -> Floats | None:
    """Return predictions on the explained scale as probabilities, (n, K); None where that cannot be told."""
    data = explanation.data
    if data.scale == "probability":
        return predictions
    if data.scale == "log-odds" and len(data.outputs) == 1:
        from scipy import special

        p: Floats = special.expit(predictions)
        return p
    return None


def with_predictions(explanation: Explanation, found: Outcomes, predictions: Floats, kept: Ints) -> Outcomes:
    """Return the labels `kept` of `found` beside other predictions, (len(kept), K) on the explained scale."""
    label, data = found.label[kept], explanation.data
    if not found.classes:
        guess = predictions[:, data.output]
        return Outcomes(found.rows[kept], label, None, guess, [], found.left_out, [])
    p = probability_of(explanation, predictions)
    if len(data.outputs) > 1:
        guess = predictions.argmax(axis=1).astype(np.float64)
        return Outcomes(found.rows[kept], label, p, guess, found.classes, found.left_out, [])
    guess = ((predictions if p is None else p)[:, 0] > (0.0 if p is None else 0.5)).astype(np.float64)
    both = None if p is None else np.column_stack([1 - p[:, 0], p[:, 0]])
    return Outcomes(found.rows[kept], label, both, guess, found.classes, found.left_out, [])


def _of_two(explanation: Explanation) -> Floats | None:
    """Return the probability of the positive class, (n,)."""
    arrays = explanation.arrays
    if arrays.probabilities is not None:
        return arrays.probabilities[:, -1]
    found = probability_of(explanation, arrays.predictions)
    return None if found is None else found[:, 0]


def _of_many(explanation: Explanation) -> Floats | None:
    arrays = explanation.arrays
    if arrays.probabilities is not None and arrays.probabilities.shape == arrays.predictions.shape:
        return arrays.probabilities
    return arrays.predictions if explanation.data.scale == "probability" else None
