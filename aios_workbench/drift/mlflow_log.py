"""Reports in MLflow: figures to plot over runs, the report to read back, its page to look at."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aios_workbench._mlflow import fitting, record, running
from aios_workbench.drift import summary
from aios_workbench.errors import DriftError, DriftInputError

if TYPE_CHECKING:
    from aios_workbench.drift.report import DriftReport


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
    with running(
        run_id, prefix, f"drift: {report.name}", "no drift report", refused=DriftError, wrong=DriftInputError
    ) as (client, run):
        tags = {
            "drifted": {True: "yes", False: "no", None: "unknown"}[report.drifted],
            "summary": report.summary,
            "reference": report.data.reference.name[:500],
            "current": report.data.current.name[:500],
            "report": report.data.id,
        }
        record(client, run, prefix, figures(report), tags, report.data.created_at)
        with tempfile.TemporaryDirectory() as folder:
            report.save(Path(folder) / "report.json", raw=raw)
            client.log_artifact(run, str(Path(folder) / "report.json"), prefix)
            report.to_html(Path(folder) / "report.html", raw=raw)
            client.log_artifact(run, str(Path(folder) / "report.html"), prefix)
        return run


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
