"""An explanation where it lives: of a model in a registry, as a step of a run, with no network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import aios_workbench as aios
from aios_workbench.engine import runtime
from aios_workbench.errors import ExplainInputError
from aios_workbench.workspace import workspace

mlflow = pytest.importorskip("mlflow")

# of MLflow's own use of SQLAlchemy, and of what it thinks of pickles, whole numbers and its own type hints
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    g = np.random.default_rng(0)
    return pd.DataFrame(
        {"age": g.normal(45, 15, 400), "city": g.choice(["Bonn", "Ulm"], 400), "noise": g.normal(size=400)}
    )


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame) -> Any:
    y = (frame["age"] > 45) ^ (frame["city"] == "Ulm")
    encode = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
    return make_pipeline(encode, GradientBoostingClassifier(n_estimators=20, random_state=0)).fit(frame, y)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, model: Any) -> Iterator[str]:
    """The address of the model in a registry on this disk."""
    folder = tmp_path_factory.mktemp("mlflow")
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/m.db")
    mlflow.set_registry_uri(f"sqlite:///{folder}/m.db")
    mlflow.create_experiment("models", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("models")
    with mlflow.start_run():
        mlflow.sklearn.log_model(
            model, name="model", registered_model_name="claims", serialization_format="cloudpickle"
        )
    yield "models:/claims/1"
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


def test_a_model_of_a_registry_is_explained_as_the_model_itself(
    registry: str, model: Any, frame: pd.DataFrame
) -> None:
    rows = frame.head(10)
    ours = aios.explain(model, rows, background=frame, lime=False, cache=False)
    theirs = aios.explain(registry, rows, background=frame, lime=False, cache=False)
    assert theirs.data.model.uri == registry
    assert theirs.data.method.name == ours.data.method.name
    np.testing.assert_allclose(theirs.values, ours.values, atol=1e-9)


def test_a_model_that_is_not_there_is_said(registry: str, frame: pd.DataFrame) -> None:
    with pytest.raises(ExplainInputError, match="MLflow cannot load models:/claims/7"):
        aios.explain("models:/claims/7", frame.head(2))


def test_nobody_is_phoned(monkeypatch: pytest.MonkeyPatch, model: Any, frame: pd.DataFrame) -> None:
    asked: list[Any] = []

    def refuse(*address: Any, **_: Any) -> Any:
        asked.append(address[-1])
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    ex = aios.explain(model, frame.head(20), background=frame, budget="10s", lime_rows=5, cache=False)
    ex.what_if(0, {"age": 60.0})
    ex.to_html()
    aios.model_card(model, name="claims", purpose="Sorts.", explanation=ex).to_markdown()
    assert asked == []


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))
    for name in ("AIOS_JOB_RUN", "AIOS_GATES"):
        monkeypatch.delenv(name, raising=False)
    runtime.start(workspace())
    yield
    if (running := runtime.running()) is not None:
        running.stop()


@pytest.mark.usefixtures("engine")
def test_a_step_explains_and_the_run_keeps_it(model: Any, frame: pd.DataFrame) -> None:
    wf = aios.Workflow("explained")

    @wf.step
    def rows() -> pd.DataFrame:
        return frame.head(20)

    @wf.step
    def why(rows: pd.DataFrame) -> Any:
        return aios.explain(model, rows, background=frame, lime_rows=5, name="why", cache=False)

    run = wf.run()
    kept = run.result(timeout=120)
    assert kept.data.name == "why"
    assert kept.importance.index[0] in ("age", "city")
    assert kept.frame is None  # rows do not travel
    np.testing.assert_allclose(kept.values.sum(axis=1) + kept.base, kept.arrays.predictions[:, 0], atol=1e-6)
