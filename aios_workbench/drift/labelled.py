"""What a model said and what was true, as arrays: which task it is, which class is which, which rows have labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.ranking import area
from aios_workbench.errors import DriftInputError, hint

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.drift.tables import Floats

Task = Literal["classification", "regression"]
#: A target with more different whole numbers than this is taken for an amount.
_MOST_CLASSES = 20
#: With more classes than this nothing can be said by class.
MOST_CLASSES = 50
_YES = ("1", "true", "yes", "y", "t", "positive", "pos")


@dataclass(frozen=True)
class Labelled:
    """One side: `label` as classes 0, 1, … or amounts, `known` where there is one; `score` (n, 1) or (n, classes)."""

    label: Floats
    known: npt.NDArray[np.bool_]
    guess: Floats | None
    score: Floats | None

    def __len__(self) -> int:
        return len(self.label)

    def rows(self, which: npt.NDArray[Any]) -> Labelled:
        """Return some of the rows."""
        return Labelled(
            self.label[which], self.known[which],
            None if self.guess is None else self.guess[which], None if self.score is None else self.score[which],
        )  # fmt: skip


@dataclass(frozen=True)
class Sides:
    """Both sides, read alike."""

    task: Task
    classes: int
    positive: str | None
    reference: Labelled
    current: Labelled


def read(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    target: str,
    prediction: str | None,
    score: str | Sequence[str] | Mapping[Any, str] | None,
    task: Task | None,
) -> Sides | None:
    """Read labels, predictions and scores of both sides; None where the reference has no label or nothing is predicted.

    Raises
    ------
    DriftInputError
        When a column is not there, or says nothing that fits the task.
    """
    scores = _score_columns(score)
    _present(reference, "reference", [target, prediction, *scores])
    _present(current, "current data", [prediction, *scores])
    first: pd.Series = reference[target]
    labels: list[pd.Series | None] = [first, current[target] if target in current.columns else None]
    if (prediction is None and not scores) or not bool(first.notna().any()):
        return None
    task = task or _task(first, None if prediction is None else reference[prediction], scored=bool(scores))
    if task == "classification":
        return _classes([reference, current], labels, prediction, scores, score)
    if prediction is None:
        raise DriftInputError(f"{target!r} is an amount, and no prediction of it is named; give prediction=")
    one, two = (
        _side(_amounts(t, target, len(f)), _amounts(f[prediction], prediction, len(f)), None)
        for t, f in zip(labels, (reference, current), strict=True)
    )
    return Sides(task, 0, None, one, two)


def _classes(
    frames: Sequence[pd.DataFrame],
    truth: Sequence[pd.Series | None],
    prediction: str | None,
    scores: list[str],
    score: Any,
) -> Sides | None:
    """Read both sides of a classifier."""
    names = sorted({str(v) for t in truth if t is not None for v in texts(t).dropna()})
    if len(names) <= 2 and prediction is not None and not scores and _is_score(frames[0][prediction], names):
        scores, prediction = [prediction], None
    if prediction is not None:
        names = sorted({*names, *(str(v) for f in frames for v in texts(f[prediction]).dropna())})
    if len(scores) > 1:
        names, scores = _by_class(score, scores, names)
    if len(names) > MOST_CLASSES:
        raise DriftInputError(
            f"there are {len(names)} classes, more than {MOST_CLASSES}; give task='regression' if they are amounts"
        )
    if len(names) < 2:
        names = sorted([*names, "0" if names == ["1"] else "1"])
    if len(names) == 2:
        scores = scores[-1:]
    elif len(scores) == 1:
        scores = []  # of one column nobody knows which class it is for
    if prediction is None and not scores:
        return None
    tables = [
        np.column_stack([_amounts(f[s], s, len(f)) for s in scores]) if scores else None for f in frames
    ]
    if len(names) == 2 and not _last_is_positive(names, _coded(truth[0], names, 0), tables[0]):
        names = names[::-1]
    labels = [_coded(t, names, len(f)) for t, f in zip(truth, frames, strict=True)]
    guesses = [
        _coded(f[prediction], names, len(f)) if prediction is not None else None if s is None else _said(s)
        for f, s in zip(frames, tables, strict=True)
    ]
    one, two = (_side(y, g, s) for y, g, s in zip(labels, guesses, tables, strict=True))
    return Sides("classification", len(names), names[1] if len(names) == 2 else None, one, two)


def _coded(column: pd.Series | None, names: Sequence[str], rows: int) -> Floats:
    """Return classes as 0, 1, … in the order of their names; NaN where null."""
    import pandas as pd

    if column is None:
        return np.full(rows, np.nan)
    found = pd.Index(names).get_indexer(pd.Index(texts(column))).astype(np.float64)
    codes: Floats = np.where(found < 0, np.nan, found)
    return codes


def _present(frame: pd.DataFrame, side: str, names: Sequence[str | None]) -> None:
    for name in names:
        if name is not None and name not in frame.columns:
            raise DriftInputError(
                f"there is no column {name!r} in the {side}{hint(name, map(str, frame.columns))}; "
                "name the target, the prediction and the score as they are called there"
            )


def _side(label: Floats, guess: Floats | None, score: Floats | None) -> Labelled:
    """Leave out rows of which nothing is predicted, and say which have a label."""
    there = np.ones(len(label), bool)
    if guess is not None:
        there &= np.isfinite(guess)
    if score is not None:
        there &= np.isfinite(score).all(axis=1)
    # rows stay in their places: a caller's windows are by place
    known = np.isfinite(label) & there
    return Labelled(np.where(there, label, np.nan), known, guess, score)


def _score_columns(score: str | Sequence[str] | Mapping[Any, str] | None) -> list[str]:
    if score is None:
        return []
    if isinstance(score, str):
        return [score]
    return list(score.values()) if isinstance(score, Mapping) else list(score)


def _by_class(score: Any, scores: list[str], names: list[str]) -> tuple[list[str], list[str]]:
    """Return classes and score columns in one order: as a mapping says, else by what the columns' names end with."""
    if isinstance(score, Mapping):
        of = {_text(c): column for c, column in score.items()}
        for name in names:
            if name not in of:
                raise DriftInputError(
                    f"no score is named for the class {name!r}; name one for each: {', '.join(of)}"
                )
        return sorted(of), [of[name] for name in sorted(of)]
    found: dict[str, str] = {}
    for name in sorted(names, key=len, reverse=True):  # "not ok" before "ok"
        fits = [s for s in scores if s.endswith(name) and s not in found.values()]
        if len(fits) == 1:
            found[name] = fits[0]
    if len(found) != len(names) or len(scores) != len(names):
        raise DriftInputError(
            f"which of the scores {', '.join(scores)} is for which of the classes {', '.join(names)} cannot be told; "
            "give score={class: column, …}"
        )
    return names, [found[name] for name in names]


def _task(label: pd.Series, guess: pd.Series | None, *, scored: bool) -> Task:
    from pandas.api import types

    if not types.is_numeric_dtype(label.dtype) or types.is_bool_dtype(label.dtype):
        return "classification"
    values = label.dropna().unique()
    whole = all(float(v).is_integer() for v in values[: 10 * _MOST_CLASSES])
    if len(values) <= 2 and whole:
        return "classification"
    if (
        whole
        and len(values) <= _MOST_CLASSES
        and (scored or (guess is not None and set(guess.dropna().unique()) <= set(values)))
    ):
        return "classification"
    return "regression"


def _is_score(guess: pd.Series, names: Sequence[str]) -> bool:
    """Return whether what is called a prediction is a score: numbers, not all of them classes."""
    from pandas.api import types

    return bool(types.is_float_dtype(guess.dtype)) and not set(texts(guess.dropna())) <= set(names)


def _last_is_positive(names: Sequence[str], label: Floats, score: Floats | None) -> bool:
    """Return whether the second class is the positive one: by its name, else by which one high scores go with."""
    yes = [name.lower() in _YES for name in names]
    if any(yes):
        return yes[1]
    if score is None:
        return True
    ok = np.isfinite(label) & np.isfinite(score[:, 0])
    found = area(label[ok] == 1, score[ok, 0]).value if ok.any() else 1.0
    return not found < 0.5


def texts(column: pd.Series) -> pd.Series:
    """Return classes as text, alike for 1, 1.0 and True."""
    return column.astype(object).map(_text, na_action="ignore").where(column.notna().to_numpy(), None)


def _text(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _amounts(column: pd.Series | None, name: str, rows: int) -> Floats:
    if column is None:
        return np.full(rows, np.nan)
    try:
        x = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise DriftInputError(f"{name!r} is not of numbers ({error}); name a column of numbers") from None
    return np.where(np.isfinite(x), x, np.nan)


def _said(score: Floats) -> Floats:
    from aios_workbench.drift.cbpe import predicted

    return np.where(
        np.isfinite(score).all(axis=1), predicted(np.nan_to_num(score)).astype(np.float64), np.nan
    )
