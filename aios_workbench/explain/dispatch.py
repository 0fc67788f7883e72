"""Texts and images given to `aios.explain`, which are no table: handed to those who hide their parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ExplainInputError

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.options import Options
    from aios_workbench.explain.telling import Told

#: Options that mean something for tables only.
_TABLES = (
    "background",
    "scale",
    "task",
    "method",
    "lime_rows",
    "columns",
    "kinds",
    "accelerator",
    "workspace",
)


def sort_of(rows: Any) -> str | None:
    """Return "text" or "image" of what is no table; None of anything else.

    Examples
    --------
    >>> import numpy as np
    >>> sort_of(["good", "not bad"]), sort_of(np.zeros((2, 8, 8))), sort_of([{"age": 3}])
    ('text', 'image', None)
    """
    if isinstance(rows, list | tuple) and rows and all(isinstance(r, str) for r in rows):
        return "text"
    shape: tuple[int, ...] = getattr(rows, "shape", ())
    if hasattr(rows, "columns") or hasattr(rows, "iloc"):
        return None
    if len(shape) == 1 and shape[0] and all(isinstance(r, str) for r in rows):
        return "text"
    return "image" if len(shape) in (3, 4) else None


def explain_parts(
    sort: str, model: Any, rows: Any, options: Options, given: Mapping[str, Any], told: Told
) -> Explanation:
    """Explain texts by their words or images by their pieces, with the options that both have.

    Raises
    ------
    ExplainInputError
        When the model cannot be asked, or an option is for tables.
    """
    own = f"aios.explain.explain_{sort}"
    for name in _TABLES:
        if given[name] is not None:
            raise ExplainInputError(
                f"{name}= is for tables, and the rows are {sort}s; leave it out. {own} has the options that these take"
            )
    predict, outputs = _asked(model, given["outputs"])
    shared: dict[str, Any] = {
        "outputs": outputs, "lime": options.lime, "top": options.top, "seconds": options.seconds,
        "tolerance": options.tolerance, "seed": options.seed, "cancelled": told.cancelled,
        "progress": told.part(0.0, 1.0), "name": given["name"] or "",
    }  # fmt: skip
    if sort == "text":
        from aios_workbench.explain.text import explain_text

        found = explain_text(predict, list(rows), **shared)
    else:
        from aios_workbench.explain.image import explain_image

        found = explain_image(predict, rows, **shared)
    return found


def _asked(model: Any, outputs: Any) -> tuple[Callable[[Any], Any], list[str] | None]:
    """Return what is asked, and the names of its answers where they are known."""
    names = None if outputs is None else list(outputs)
    for way in ("predict_proba", "decision_function", "predict"):
        if hasattr(model, way):
            if names is None and way == "predict_proba" and hasattr(model, "classes_"):
                names = [str(c) for c in model.classes_]
            return getattr(model, way), names
    if not callable(model):
        raise ExplainInputError(
            f"a {type(model).__name__} cannot be asked: give a function, or a model with predict_proba or predict"
        )
    return model, names
