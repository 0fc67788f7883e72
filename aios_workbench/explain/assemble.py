"""From arrays to an `Explanation`: importance, agreement and checks are worked out here, for every explainer alike."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import numpy as np

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import agreement, checks, correlated, importances
from aios_workbench.explain import outside as outsides
from aios_workbench.explain.arrays import Arrays, fit, kept
from aios_workbench.explain.explanation import Explainer, Explanation
from aios_workbench.explain.models import (
    Check,
    CheckName,
    Column,
    ExplanationData,
    LimeInfo,
    MethodInfo,
    ModelInfo,
    Scale,
    Subject,
    Task,
)

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]


def assemble(
    arrays: Arrays, *, columns: Sequence[Column], outputs: Sequence[str], task: Task, scale: Scale, model: ModelInfo,
    method: MethodInfo, lime: LimeInfo | None = None, frame: pd.DataFrame | None = None, live: Explainer | None = None,
    matrix: Floats | None = None, background: Floats | None = None, asked: Sequence[Check] = (), name: str = "",
    subject: Subject = "tabular", output: int | None = None, notes: Sequence[str] = (), data_hash: str | None = None,
    background_hash: str | None = None, seconds: float = 0.0, cached: bool = False, seed: int = 0,
) -> Explanation:  # fmt: skip
    """Make an explanation of what an explainer found.

    Rows that were not reached (any of their values is NaN) are left out, and a note says how many.

    Parameters
    ----------
    arrays : Arrays
        n rows, M columns, K outputs; `outside` may be missing, it is worked out from `matrix` and `background`.
    columns, outputs : sequence
        M columns, in the order of `frame`'s; K names.
    matrix, background : (n, M) and (b, M) float64, optional
        The explained rows and the background, categories as codes, missing values NaN: `Space.encode`. Without them
        nobody checks for rows unlike the training data and for columns that carry the same information.
    asked : sequence of Check
        What the model was asked for: `checks_asked.background`, `.accelerator`, `.grouping`.
    output : int, optional
        Which output is shown first; if None the class that is predicted most often.

    Returns
    -------
    Explanation

    Raises
    ------
    ExplainInputError
        When arrays and names do not fit.
    """
    fit(arrays, len(columns), len(outputs))
    if frame is not None and frame.shape != arrays.values.shape[:2]:
        n, m = arrays.values.shape[:2]
        raise ExplainInputError(
            f"the rows have the shape {frame.shape}, their contributions are of {n} rows and {m} columns"
        )
    columns = [c.model_copy() for c in columns]
    said = list(notes)
    reached = np.flatnonzero(
        np.isfinite(arrays.values).all(axis=(1, 2)) & np.isfinite(arrays.predictions).all(axis=1)
    )
    n = len(arrays.values)
    if len(reached) < n:
        arrays, frame = kept(arrays, reached), None if frame is None else frame.iloc[reached]
        matrix = None if matrix is None else matrix[reached]
        said.insert(
            0, f"{len(reached):,} of {n:,} rows were explained before the end; the others are left out."
        )
    if output is None:
        output = most_frequent(arrays.predictions) if task == "multiclass" else 0
    far, pairs = None, None
    if subject == "tabular" and background is not None and len(background):
        kinds = [c.kind for c in columns]
        if matrix is not None:
            far = outsides.outside(matrix, background, kinds, seed=seed)
            arrays = replace(arrays, outside=far.share)
        pairs = correlated.mark(columns, correlated.association(background, kinds, seed=seed))
    if lime is not None and arrays.lime_rows is not None:
        lime = lime.model_copy(update=_lime_figures(arrays, output) | {"rows": len(arrays.lime_rows)})
    importance = importances.importance(arrays, [c.name for c in columns], output=output)
    agreed = agreement.agreement(arrays, output=output, wanted=lime.top if lime else 5)
    made = [
        checks.additivity(arrays, exact=method.exact),
        checks.precision(arrays, method, output=output),
        *asked,
        checks.agreement(agreed),
    ]  # fmt: skip
    if lime is not None:
        made += [checks.local_fit(arrays, output=output),
                 checks.stability(arrays, top=lime.top, seeds=len(lime.seeds))]  # fmt: skip
    if subject == "tabular":
        made.append(
            checks.correlation(pairs, importance, columns)
            if pairs is not None
            else checks.make("correlation", "skipped", "There is no background to look for such columns in.")
        )
        made.append(checks.outside(far))
    order = get_args(CheckName)
    data = ExplanationData(
        id=uuid.uuid4().hex[:12], name=name or model.title, created_at=time.time(), subject=subject, task=task,
        scale=scale, outputs=list(outputs), output=output, rows=len(arrays.values), columns=list(columns), model=model,
        method=method, lime=lime, importance=importance, agreement=agreed,
        checks=sorted(made, key=lambda c: order.index(c.name)), notes=said, seconds=seconds, data_hash=data_hash,
        background_hash=background_hash, cached=cached,
    )  # fmt: skip
    return Explanation(data, arrays, frame, live)


def most_frequent(predictions: Floats) -> int:
    """Return the output that is the largest in most rows, of equals the first.

    Examples
    --------
    >>> most_frequent(np.array([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3]]))
    1
    """
    if not len(predictions):
        return 0
    return int(np.bincount(predictions.argmax(axis=1), minlength=predictions.shape[1]).argmax())


def _lime_figures(arrays: Arrays, output: int) -> dict[str, float | None]:
    r2 = None if arrays.lime_r2 is None else arrays.lime_r2[:, output]
    stable = arrays.stability
    return {
        "r2": float(np.median(r2)) if r2 is not None and len(r2) else None,
        "stability": float(np.nanmean(stable)) if stable is not None and np.isfinite(stable).any() else None,
    }
