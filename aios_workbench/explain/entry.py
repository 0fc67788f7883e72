"""`aios.explain`: a model and rows in, an `Explanation` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError, hint
from aios_workbench.explain import dispatch, keeping
from aios_workbench.explain import options as choices
from aios_workbench.explain.explanation import Explanation
from aios_workbench.explain.live import Live, drawn
from aios_workbench.explain.model import names_of, open_model
from aios_workbench.explain.models import ColumnKind, MethodName, Scale, Task
from aios_workbench.explain.space import Space, as_frame
from aios_workbench.explain.telling import Cancelled, Progress, Told

if TYPE_CHECKING:
    import pandas as pd

#: Rows of a background that are looked at; of more, so many are drawn, and a note says it.
_LOOKED_AT = 50_000


def explain(
    model: Any, rows: Any, *, background: Any = None, output: int | str | None = None, scale: Scale | None = None,
    task: Task | None = None, method: MethodName | None = None, lime: bool = True, lime_rows: int | None = None,
    budget: float | str | None = "30s", tolerance: float = 0.02, top: int = 5,
    columns: Sequence[str] | None = None, kinds: Mapping[str, ColumnKind] | None = None, name: str | None = None,
    outputs: Sequence[str] | None = None, background_rows: int = 100, accelerator: bool | None = None, seed: int = 0,
    cache: bool = True, progress: Progress | bool | None = None, cancelled: Cancelled | None = None,
    workspace: Any = None, **unknown: Any,
) -> Explanation:  # fmt: skip
    """Explain a model: which columns made it say what it says of these rows, by SHAP and by LIME.

    The explainer is chosen for the model: trees and linear models are read, anything else is asked, in batches, until
    values are precise or the budget is spent. ``explanation.data.method.why`` says which it was and why.

    Parameters
    ----------
    model
        What `open_model` takes: an estimator or pipeline, a booster, an MLflow address, a network, a function of rows,
        an `Endpoint` or its address. A pipeline is explained in the columns it is given, before any encoding.
    rows
        n rows to explain; a frame, an array, polars, Arrow, a Series, dicts, or a Parquet or CSV file. A list of texts
        is explained by their words, an array of images (n, height, width[, channels]) by their pieces; `explain_text`
        and `explain_image` have the options for those.
    background
        Rows the model was trained on, or like those: what a column is compared with. Without it the rows themselves.
    output : int or str, optional
        The class or output to show first.
    scale : "probability", "log-odds", "value" or "score", optional
        The unit of contributions. By default the one in which the model's trees or coefficients add up; else
        probabilities or values.
    task : "binary", "multiclass", "regression" or "anomaly", optional
        Where it cannot be told from the model.
    method : str, optional
        How Shapley values are to be reached; ``"tree_interventional"``, ``"exact"``, ``"sampling"`` and so on.
    lime : bool
        Explain up to `lime_rows` of the rows with LIME as well, 50 by default.
    budget : float or str, optional
        Seconds, or a text such as ``"30s"``; None for no limit. What is there by then is returned.
    tolerance : float
        Half the 95 % interval of a value, as a share of the row's contributions, at which sampling stops.
    top : int
        Columns that a row's explanation is judged by: LIME's stability, agreement.
    columns : sequence of str, optional
        The columns the model is given, where the rows have more.
    kinds : mapping of str to str, optional
        Corrections of what columns hold.
    outputs : sequence of str, optional
        Names of the classes or outputs, where the model does not know them.
    background_rows : int
        So many rows of the background are drawn for explainers that try all of them; `method.summarised` says it.
    accelerator : bool, optional
        None: woodelf where it is installed and pays; it is always checked against shap.
    cache : bool
        Keep the explanation in the workspace, and use one that is there for the same model, data and options.
    progress, cancelled
        Functions: told how far it is; asked whether to stop. In a step of a workflow the step does both. Interrupting
        the kernel stops, and what was reached is returned.
    workspace : Workspace or path, optional

    Raises
    ------
    ExplainInputError
        When model, rows or options do not fit.
    ModelFailed
        When the model raises, or answers something that is no prediction.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame(rng.normal(size=(200, 2)), columns=["age", "income"])
    >>> model = LinearRegression().fit(X, 3 * X.age + X.income)
    >>> explanation = explain(model, X.head(5), background=X, lime=False, cache=False)
    >>> explanation.data.method.name, explanation.importance.index[0]
    ('linear', 'age')
    """
    given = dict(locals())
    asked = choices.checked(given, unknown, [n for n in given if n not in ("model", "rows", "unknown")])
    told = Told(progress, cancelled)
    try:
        sort = dispatch.sort_of(rows)
        if sort is not None:
            return dispatch.explain_parts(sort, model, rows, asked, given, told)
        frame, against, notes = _tables(model, rows, background, columns)
        space = Space.of(against, kinds)
        arrays = not hasattr(rows, "columns")
        opened = open_model(
            model, against.head(500), task=task, scale=scale, outputs=None if outputs is None else list(outputs),
            arrays=arrays,
        )  # fmt: skip
        live = Live(opened, space, against, asked, drawn(len(against), asked))
        shown = _output(output, opened.outputs, opened.classes)
        shelf = keeping.shelf(live, frame, asked, workspace) if cache else None
        kept = shelf.find(frame, live, name=name, output=shown) if shelf is not None else None
        if kept is not None:
            return kept
        made = live.explain(frame, told, name=name, output=shown, notes=notes, lime=asked.lime)
        if shelf is not None:
            made.data.data_hash, made.data.background_hash = shelf.data_hash, shelf.background_hash
            shelf.put(made)
        return made
    finally:
        told.close()


def _tables(
    model: Any, rows: Any, background: Any, columns: Sequence[str] | None
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return rows and background as frames of the columns the model is given, and what was done to them."""
    known = names_of(model)
    frame = as_frame(rows, known)
    notes = []
    if not len(frame):
        raise ExplainInputError("there are no rows to explain; give one at least")
    against = (
        as_frame(background, list(frame.columns), what="background rows") if background is not None else frame
    )
    if background is None:
        notes.append("No background was given: rows are compared with each other. Give background=X_train.")
    wanted = list(columns) if columns is not None else known
    if wanted is None:
        wanted = list(frame.columns)
    else:
        for table, what in ((frame, "rows"), (against, "background rows")):
            for label in wanted:
                if label not in table.columns:
                    near = hint(str(label), [str(c) for c in table.columns])
                    raise ExplainInputError(
                        f"the {what} have no column {str(label)!r}{near}; the model takes it"
                    )
        left = [str(c) for c in frame.columns if c not in wanted]
        if left:
            notes.append(f"Columns the model is not given were left out: {', '.join(left[:10])}.")
    if len(against) > _LOOKED_AT:
        notes.append(
            f"Of {len(against):,} background rows {_LOOKED_AT:,} were drawn at random (seed 0) and looked at."
        )
        places = np.sort(np.random.default_rng(0).choice(len(against), _LOOKED_AT, replace=False))
        against = against.iloc[places]
    missing = [c for c in wanted if c not in against.columns]
    if missing:
        raise ExplainInputError(
            f"the background rows have no column {str(missing[0])!r}, which the rows have"
        )
    return frame[wanted], against[wanted], notes


def _output(output: int | str | None, outputs: list[str], classes: list[str]) -> int | None:
    if output is None:
        return None
    if isinstance(output, int) and not isinstance(output, bool) and 0 <= output < len(outputs):
        return output
    if str(output) in outputs:
        return outputs.index(str(output))
    if len(outputs) == 1 and str(output) in classes:
        raise ExplainInputError(
            f"of two classes {outputs[0]!r} is explained: contributions to {str(output)!r} are the same with the sign "
            "turned"
        )
    raise ExplainInputError(
        f"there is no output {output!r}{hint(str(output), outputs)}; there are: {', '.join(outputs[:20])}"
    )
