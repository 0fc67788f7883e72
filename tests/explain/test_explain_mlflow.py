"""Explanations and model cards in MLflow: figures, tags and files in a store on this disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fake_explain import EVIL, explanation

import aios_workbench as aios
from aios_workbench import explain
from aios_workbench.errors import ExplainError, ExplainInputError
from aios_workbench.explain.cards import load_card

mlflow = pytest.importorskip("mlflow")

# of MLflow's own use of SQLAlchemy
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("mlflow")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/m.db")
    mlflow.create_experiment("explain", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("explain")
    yield mlflow
    mlflow.set_tracking_uri(before)


def test_an_explanation_is_logged_and_read_back(store: Any) -> None:
    ex = explanation(evil=True)
    run = store.get_run(ex.log_to_mlflow())
    assert run.info.status == "FINISHED"
    assert store.active_run() is None
    metrics = run.data.metrics
    assert sum(k.startswith("explain/importance/") for k in metrics) == 8
    assert metrics["explain/check/local_fit"] == pytest.approx(0.2)
    assert run.data.tags["explain.failed"] == "local_fit"
    assert run.data.tags["explain.summary"].startswith("FAILED: LIME's local fit")
    path = store.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="explain/explanation.zip")
    again = explain.load(path)
    assert again.data.importance == ex.data.importance
    assert again.frame is None
    page = store.artifacts.load_text(f"{run.info.artifact_uri}/explain/explanation.html")
    assert EVIL not in page
    assert "Ghent" not in page


def test_a_card_is_logged_to_the_run_that_is_open(store: Any) -> None:
    card = aios.model_card(name="m", metrics={"auc": (0.9, 0.8, 0.95), "f/1": 0.5}, explanation=explanation())
    with store.start_run() as run:
        assert card.log() == run.info.run_id
        assert store.active_run() is not None
    found = store.get_run(run.info.run_id).data
    assert found.metrics == {"card/auc": 0.9, "card/auc/low": 0.8, "card/auc/high": 0.95, "card/f_1": 0.5}
    assert found.tags["card.missing"] == "purpose, data, slices, drift, limits"
    assert found.tags["card.failed"] == "FAILED: LIME's local fit"
    folder = store.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="card")
    assert load_card(f"{folder}/card.md").data == card.data


def test_what_mlflow_does_not_take_is_told(store: Any) -> None:
    with pytest.raises(ExplainInputError, match="prefix is '/x'"):
        explanation().log_to_mlflow(prefix="/x")
    with pytest.raises(ExplainError, match="took nothing"):
        explanation().log_to_mlflow("no such run")
