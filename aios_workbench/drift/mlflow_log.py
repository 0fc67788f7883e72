"""Reports in MLflow: figures to plot over runs, the report to read back, its page to look at."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.drift import summary
from aios_workbench.errors import DriftError, DriftInputError

if TYPE_CHECKING:
    from aios_workbench.drift.report import DriftReport

#: What MLflow takes in the name of a metric; a name holds at most 250 characters.
_UNFIT = re.compile(r"[^\w\-. /:]")
_LONG = 200
#: Metrics of one call of MLflow.
_BATCH = 500


def is_prefix(prefix: str) -> bool:
    """Say whether MLflow takes this before the name of a metric, and as a folder."""
    return bool(prefix) and not _UNFIT.search(prefix) and not prefix.startswith(("/", "."))


def log(report: DriftReport, run_id: str | None = None, *, prefix: str = "drift", raw: bool = False) -> str:
    """Log a report to an MLflow run: metrics for each column, tags, `report.json` and `report.html`.

    Parameters
    ----------
    run_id : str, optional
        None: the active run, or a new one that is ended here.
    prefix : str
        Of metrics and tags, and the folder of the artifacts.
    raw : bool
        As in `DriftReport.save`.

    Returns
    -------
    str
        The run's id. ``aios.drift.load_report(mlflow.artifacts.download_artifacts(…))`` reads the report back.

    Raises
    ------
    DriftError
        When mlflow is not installed, or the tracking server refused.
    DriftInputError
        When the prefix is none MLflow takes.
    """
    if not is_prefix(prefix):
        raise DriftInputError(f"prefix is {prefix!r}; use letters, digits, '_', '-', '.' and '/'")
    try:
        import mlflow
    except ImportError as e:
        raise DriftError("mlflow is not installed; pip install aios-workbench[analysis]") from e
    own = run_id is None and mlflow.active_run() is None
    try:
        client = mlflow.MlflowClient()
        if run_id is None:
            active = mlflow.active_run() or mlflow.start_run(run_name=f"drift: {report.name}"[:_LONG])
            run_id = str(active.info.run_id)
        _figures(client, run_id, report, prefix)
        with tempfile.TemporaryDirectory() as folder:
            report.save(Path(folder) / "report.json", raw=raw)
            client.log_artifact(run_id, str(Path(folder) / "report.json"), prefix)
            report.to_html(Path(folder) / "report.html", raw=raw)
            client.log_artifact(run_id, str(Path(folder) / "report.html"), prefix)
    except mlflow.exceptions.MlflowException as e:
        raise DriftError(f"MLflow ({mlflow.get_tracking_uri()}) took no drift report: {e}") from e
    finally:
        if own and mlflow.active_run() is not None:
            mlflow.end_run()
    return run_id


def _figures(client: Any, run_id: str, report: DriftReport, prefix: str) -> None:
    from mlflow.entities import Metric, RunTag

    at = int(report.data.created_at * 1000)
    metrics = [Metric(f"{prefix}/{name}", value, at, 0) for name, value in figures(report).items()]
    tags = {
        f"{prefix}.drifted": {True: "yes", False: "no", None: "unknown"}[report.drifted],
        f"{prefix}.summary": report.summary[:5000],
        f"{prefix}.reference": report.data.reference.name[:500],
        f"{prefix}.current": report.data.current.name[:500],
        f"{prefix}.report": report.data.id,
    }
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + _BATCH])
    client.log_batch(run_id, tags=[RunTag(k, v) for k, v in tags.items()])


def figures(report: DriftReport) -> dict[str, float]:
    """Return the figures of a report by the name they are logged under; two names never fall together.

    Only finite ones: not every store of MLflow takes the others.
    """
    told = summary.compared(report.data.columns)
    found: dict[str, float] = {
        "share": report.share, "columns": float(sum(c.verdict == "drifted" for c in told)),
        "compared": float(len(told)),
    }  # fmt: skip
    used: set[str] = set()
    for c in report.data.columns:
        name = fitting(c.name, used)
        given: dict[str, float | None] = {
            "effect": c.effect, "p_adjusted": c.p_adjusted, "drifted": float(c.verdict == "drifted"),
            **{s: v.value for s, v in c.statistics.items()},
        }  # fmt: skip
        for key, value in given.items():
            if value is not None and abs(value) < float("inf"):
                found[f"{name}/{key}"] = float(value)
    return found


def fitting(name: str, used: set[str]) -> str:
    """Return a column's name as MLflow takes it in a path of a file store, unlike all others whatever their case."""
    fit = _UNFIT.sub("_", name).replace("/", "_").replace(":", "_").strip(" .")[:_LONG] or "_"
    made, n = fit, 1
    while made.casefold() in used:
        n += 1
        made = f"{fit[:190]}~{n}".replace("~", "_")
    used.add(made.casefold())
    return made
