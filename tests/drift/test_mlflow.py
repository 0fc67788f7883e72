"""Reports in MLflow: figures, tags and files in a store on this disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reports import HOSTILE, made, number, words

from aios_workbench import _hooks
from aios_workbench.drift import mlflow_log
from aios_workbench.drift.models import Statistic
from aios_workbench.drift.report import DriftReport, load_report
from aios_workbench.errors import DriftError, DriftInputError

mlflow = pytest.importorskip("mlflow")

# of MLflow's own use of SQLAlchemy
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A tracking store in one SQLite file; made once, it takes seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    mlflow.create_experiment("drift", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("drift")
    yield mlflow.MlflowClient()
    mlflow.set_tracking_uri(before)


@pytest.fixture(autouse=True)
def _page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hooks, "_html", lambda _, report: f"<p>{report.data.summary}</p>")


def test_figures_files_and_tags_are_logged(store: Any, tmp_path: Path) -> None:
    report = made(
        number("income"), number("age", 0.0), words("city", {"Ghent": (500, 400), "Only Me": (1, 0)})
    )
    run_id = report.log_to_mlflow()
    run = store.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["drift/share"] == pytest.approx(1 / 3)
    assert run.data.metrics["drift/income/psi"] == pytest.approx(0.41)
    assert run.data.metrics["drift/income/drifted"] == 1
    assert run.data.metrics["drift/age/drifted"] == 0
    assert run.data.tags["drift.drifted"] == "yes"
    assert run.data.tags["drift.summary"] == report.summary
    path = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="drift", dst_path=str(tmp_path))
    again = load_report(Path(path) / "report.json")
    assert again.data == report.stored()
    assert (Path(path) / "report.html").read_text() == f"<p>{report.summary}</p>"
    assert "Only Me" not in (Path(path) / "report.json").read_text()


def test_an_active_run_is_used_and_left_open(store: Any) -> None:
    with mlflow.start_run() as run:
        assert made(number("income")).log_to_mlflow(prefix="weekly") == run.info.run_id
        assert mlflow.active_run() is not None
    assert "weekly/income/psi" in store.get_run(run.info.run_id).data.metrics
    other = store.create_run(store.get_experiment_by_name("drift").experiment_id)
    assert made(number("age")).log_to_mlflow(other.info.run_id) == other.info.run_id
    assert mlflow.active_run() is None


def test_hostile_names_are_logged_and_none_falls_on_another(store: Any) -> None:
    report = made(*(number(n, statistics={"psi": Statistic(value=i)}) for i, n in enumerate(HOSTILE)))
    found = mlflow_log.figures(report)
    assert len([n for n in found if n.endswith("/psi")]) == len(HOSTILE)
    assert len({n.casefold() for n in found}) == len(found)
    metrics = store.get_run(report.log_to_mlflow()).data.metrics
    assert sorted(v for n, v in metrics.items() if n.endswith("/psi")) == list(range(len(HOSTILE)))


def test_figures_no_store_takes_are_left_out() -> None:
    endless = {"kl_div": Statistic(value=float("inf")), "psi": Statistic(value=float("nan"))}
    found = mlflow_log.figures(made(number("income", statistics=endless)))
    assert not [n for n in found if n.endswith(("kl_div", "psi"))]


def test_what_mlflow_refuses_is_told_as_an_error_of_ours(store: Any) -> None:
    with pytest.raises(DriftError, match="took no drift report"):
        made(number("income")).log_to_mlflow("0123456789abcdef0123456789abcdef")
    assert mlflow.active_run() is None


@pytest.mark.parametrize("prefix", ["", "../up", "a\nb", "/root"])
def test_a_wrong_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(DriftInputError, match="prefix is"):
        mlflow_log.log(DriftReport(made().data), prefix=prefix)
