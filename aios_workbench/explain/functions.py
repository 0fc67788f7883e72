"""Functions, networks of torch and keras, and other things that are only asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError, ModelFailed
from aios_workbench.explain.models import Scale, Task
from aios_workbench.explain.opened import Opened, logit, unlabelled

if TYPE_CHECKING:
    import pandas as pd

#: Rows on which a function shows what it returns.
_TRIED = 50


def network(model: Any) -> Callable[[Any], Any] | None:
    """Return a function of arrays that asks a torch or keras network; None of anything else."""
    kinds = {(k.__module__.partition(".")[0], k.__name__) for k in type(model).__mro__}
    if ("torch", "Module") in kinds:
        return lambda x: _torch(model, x)
    if {("keras", "Model"), ("tf_keras", "Model")} & kinds or ("keras", "Layer") in kinds:
        return lambda x: model.predict(_floats(x), verbose=0)
    return None


def _torch(model: Any, x: Any) -> Any:
    import importlib

    torch: Any = importlib.import_module("torch")

    training = model.training
    model.eval()  # dropout would answer the same row differently each time
    try:
        with torch.no_grad():
            first = next(model.parameters(), None)
            given = torch.as_tensor(_floats(x), dtype=torch.float32 if first is None else first.dtype)
            answer = model(given if first is None else given.to(first.device))
        return answer.detach().cpu().numpy()
    finally:
        model.train(training)


def _floats(x: Any) -> Any:
    return np.asarray(x, dtype=np.float32)


def open_function(
    model: Any, background: pd.DataFrame, *, task: Task | None, scale: Scale | None, outputs: list[str] | None,
    arrays: bool = False, title: str | None = None,
) -> Opened:  # fmt: skip
    """Open a function; what it returns for some rows of the background tells its task and outputs."""
    ask = network(model)
    name = title or getattr(model, "__name__", None) or type(model).__name__
    ways: list[Callable[[Any], Any]] = [lambda f: f, lambda f: f.to_numpy()]
    if arrays or ask is not None:
        ways.reverse()
    question = ask or model
    some = background.head(_TRIED)
    form, answer = _tried(question, ways, some, name)
    labels = _labels(answer)
    made = Opened(
        type=type(model).__name__ if ask is not None else "function", title=str(name), task="regression", scale="value",
        outputs=[], ask=lambda f: np.asarray(question(form(f))),
    )  # fmt: skip
    if labels is not None:
        if task == "regression":
            raise ModelFailed(f"{name} answers names of classes ({labels[0]!r}), so it is no regression")
        known = list(outputs) if outputs is not None else labels
        made.ask = lambda f: unlabelled(question(form(f)), known)[:, 1:] if len(known) == 2 else unlabelled(
            question(form(f)), known
        )  # fmt: skip
        made.classes = [str(c) for c in known]
        made.task, made.scale = ("binary" if len(known) == 2 else "multiclass"), "probability"
        made.outputs = made.classes[1:] if len(known) == 2 else made.classes
        made.notes.append(f"{name} says which class and not how probable it is: attributions are of 0 and 1")
        return made
    found = np.asarray(answer, dtype=np.float64)
    if found.ndim not in (1, 2) or len(found) != len(some):
        raise ModelFailed(
            f"{name} was asked about {len(some)} rows and answered an array of shape {found.shape}; a row each, of one "
            "number or one for each class, is expected"
        )
    _numbers(made, found, task, scale)
    if outputs is not None:
        made.rename(outputs)
    return made


def _tried(question: Any, ways: list[Callable[[Any], Any]], some: pd.DataFrame, name: Any) -> tuple[Any, Any]:
    first: Exception | None = None
    for way in ways:
        try:
            return way, question(way(some))
        except Exception as e:  # noqa: BLE001 - whatever a model may raise: the other form is tried, then it is told
            first = first or e
    raise ModelFailed(
        f"{name} raised {type(first).__name__} when asked about {len(some)} rows of the background: {first}; it is "
        "given a data frame, and if it does not take that, an array"
    ) from first


def _labels(answer: Any) -> list[Any] | None:
    """Return the classes that were answered, where they are names and no numbers."""
    found = np.asarray(answer)
    if found.dtype.kind not in "OUS" or found.ndim != 1:
        return None
    if all(isinstance(v, (int, float, np.number)) for v in found):
        return None
    return sorted(set(found.tolist()), key=str)


def _numbers(made: Opened, found: Any, task: Task | None, scale: Scale | None) -> None:
    flat = found.reshape(len(found), -1)
    inside = bool((flat >= 0).all() and (flat <= 1).all())
    sums = inside and flat.shape[1] > 1 and bool(np.allclose(flat.sum(axis=1), 1.0, atol=1e-4))
    ask = made.ask
    if flat.shape[1] == 2 and task in (None, "binary") and sums:
        made.task, made.classes, made.outputs = "binary", ["0", "1"], ["1"]
        made.ask = lambda f: np.asarray(ask(f))[:, 1]
    elif flat.shape[1] > 1:
        made.outputs = [str(i) for i in range(flat.shape[1])]
        made.task = task or ("multiclass" if sums else "regression")
        made.classes = made.outputs if made.task == "multiclass" else []
    else:
        made.ask = lambda f: np.asarray(ask(f), dtype=np.float64).reshape(len(f), -1)
        probable = inside and task is None and not bool((flat == np.round(flat)).all())
        made.task = task or ("binary" if probable else "regression")
        made.outputs = ["1"] if made.task == "binary" else ["score" if made.task == "anomaly" else "value"]
        made.classes = ["0", "1"] if made.task == "binary" else []
        if probable:
            made.notes.append(
                f"{made.title} answers one number from 0 to 1 and is taken for a probability; if it is an amount, say "
                "task='regression'"
            )
    _scaled(made, scale, probable=sums or (inside and made.task == "binary"))


def _scaled(made: Opened, scale: Scale | None, *, probable: bool) -> None:
    classes = made.task in ("binary", "multiclass")
    natural: Scale = "score" if made.task == "anomaly" else "value"
    if classes:
        natural = "probability" if probable else "score"
    if scale == "log-odds" and natural == "probability":
        ask, positive = made.ask, made.task == "binary"
        made.probabilities = lambda f: _both(ask(f)) if positive else ask(f)
        made.ask = lambda f: logit(_both(ask(f)) if positive else ask(f), positive=positive)
        made.scale = "log-odds"
        return
    if scale == "log-odds" and classes and made.task == "binary":
        made.scale = "log-odds"  # its own word: a network's last layer without a sigmoid
        return
    if scale is not None and scale not in (natural, "score"):
        raise ExplainInputError(
            f"{made.title} answers on the scale {natural!r}; it cannot be explained on {scale!r}"
        )
    made.scale = scale or natural


def _both(p: Any) -> Any:
    flat = np.asarray(p, dtype=np.float64).reshape(-1)
    return np.column_stack([1 - flat, flat])
