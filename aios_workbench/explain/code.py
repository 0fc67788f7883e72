"""The Python that makes an explanation again."""

from __future__ import annotations

from aios_workbench.explain.models import ExplanationData


def explain_code(data: ExplanationData) -> str:
    """Return the call of `aios.explain` that makes an explanation; a model without an address is called `model`.

    Examples
    --------
    >>> from aios_workbench.explain.models import MethodInfo, ModelInfo
    >>> print(explain_code(ExplanationData(
    ...     id="e", name="m", created_at=0.0, task="binary", scale="log-odds", outputs=["yes"], rows=1, columns=[],
    ...     model=ModelInfo(type="t", title="m", uri="models:/m/1"),
    ...     method=MethodInfo(name="linear", title="", why="", exact=True))).splitlines()[-1])
    ex = aios.explain('models:/m/1', X, background=X_train, scale='log-odds', method='linear', lime=False)
    """
    if data.subject != "tabular":
        return _other(data)
    said = [_model(data), "X", "background=X_train", f"scale={data.scale!r}", f"method={data.method.name!r}"]
    if len(data.outputs) > 1:
        said.append(f"output={data.outputs[data.output]!r}")
    if data.lime is None:
        said.append("lime=False")
    elif data.lime.top != 5:
        said.append(f"top={data.lime.top}")
    if data.method.tolerance is not None and data.method.tolerance != 0.02:
        said.append(f"tolerance={data.method.tolerance:g}")
    if data.method.stopped == "budget":
        said.append("budget=None")
    return f"import aios_workbench as aios\n\nex = aios.explain({', '.join(said)})\n"


def _model(data: ExplanationData) -> str:
    return repr(data.model.uri) if data.model.uri else "model"


def _other(data: ExplanationData) -> str:
    function = f"explain_{data.subject}"
    given = {"text": "texts", "image": "images"}[data.subject]
    return f"import aios_workbench as aios\n\nex = aios.explain.{function}(predict, {given})\n"
