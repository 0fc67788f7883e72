"""Models by their MLflow address: ``models:/fraud/3``, ``models:/fraud@champion``, ``runs:/<run>/model``."""

from __future__ import annotations

from typing import Any

from aios_workbench.errors import ExplainInputError, ModelFailed

#: MLflow's flavours that are read by their own library, so that their trees and coefficients can be.
_OWN = ("sklearn", "xgboost", "lightgbm", "catboost")


def is_uri(model: Any) -> bool:
    """True of an address that MLflow opens.

    Examples
    --------
    >>> is_uri("models:/fraud/3"), is_uri("https://host/invocations")
    (True, False)
    """
    return isinstance(model, str) and model.startswith(("models:/", "runs:/", "mlflow-artifacts:/", "file:/"))


def load(uri: str) -> tuple[Any, str | None]:
    """Load a model; return it and what changes when the model does.

    Returns
    -------
    model, fingerprint
        The library's own object where it is one of scikit-learn, xgboost, lightgbm and catboost, else a function.

    Raises
    ------
    ExplainInputError
        When there is no such model, or mlflow is not installed.
    """
    try:
        import mlflow
        import mlflow.pyfunc
    except ImportError as e:
        raise ExplainInputError(
            f"{uri} is opened by mlflow, which is not installed; run: pip install 'aios-workbench[analysis]'"
        ) from e
    try:
        held = mlflow.models.get_model_info(uri)
        flavor = next((f for f in _OWN if f in held.flavors), None)
        if flavor is not None:
            import importlib

            return importlib.import_module(f"mlflow.{flavor}").load_model(uri), held.model_uuid
        loaded = mlflow.pyfunc.load_model(uri)
    except Exception as e:  # MLflow raises as its store does: over HTTP, in SQL, on a disk
        raise ExplainInputError(
            f"MLflow cannot load {uri} ({type(e).__name__}: {e}); check the name, the version and "
            "mlflow.set_tracking_uri"
        ) from e
    return pyfunc(loaded), held.model_uuid


def is_pyfunc(model: Any) -> bool:
    """True of what ``mlflow.pyfunc.load_model`` returns."""
    return any(k.__name__ == "PyFuncModel" and k.__module__.startswith("mlflow") for k in type(model).__mro__)


def pyfunc(loaded: Any) -> Any:
    """Return a loaded model as a function of a frame: the library's own object where there is one."""

    def predict(frame: Any) -> Any:
        answer = loaded.predict(fitted(frame, loaded))
        return answer.to_numpy().squeeze() if hasattr(answer, "to_numpy") else answer

    return predict


def fitted(frame: Any, loaded: Any) -> Any:
    """Return a frame with the types of a model's signature: MLflow refuses a float where a whole number is asked."""
    schema = loaded.metadata.get_input_schema()
    if schema is None or not schema.has_input_names():
        return frame
    out = frame.copy()
    for column in schema.inputs:
        wanted = str(getattr(column.type, "name", ""))
        if column.name in out and wanted in ("integer", "long") and out[column.name].dtype.kind == "f":
            if out[column.name].isna().any():
                raise ModelFailed(
                    f"column {column.name!r} must be a whole number, says the model's signature, and some are missing"
                )
            out[column.name] = out[column.name].round().astype("int32" if wanted == "integer" else "int64")
    return out
