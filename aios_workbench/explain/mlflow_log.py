"""Explanations and model cards in MLflow: figures to plot over runs, files to read back, pages to look at."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aios_workbench._mlflow import fitting, record, running
from aios_workbench.errors import ExplainError, ExplainInputError
from aios_workbench.explain.names import SCALES
from aios_workbench.explain.summary import line

if TYPE_CHECKING:
    from aios_workbench.explain.cards import ModelCard
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.files import Redact


def log_to_mlflow(
    explanation: Explanation, run_id: str | None = None, *, prefix: str = "explain", raw: bool = False,
    redact: Redact = None,
) -> str:  # fmt: skip
    """Log an explanation to an MLflow run: importance and checks as metrics, tags, `explanation.zip` and its page.

    Parameters
    ----------
    run_id : str, optional
        None: the active run, or a new one that is ended here.
    prefix : str
        Of metrics and tags, and the folder of the artifacts.
    raw, redact
        As of `Explanation.save`.

    Returns
    -------
    str
        The run's id. ``aios.explain.load(mlflow.artifacts.download_artifacts(…))`` reads the explanation back.

    Raises
    ------
    ExplainError
        When mlflow is not installed, or the tracking server refused.
    ExplainInputError
        When the prefix is none MLflow takes.
    """
    data = explanation.data
    with running(
        run_id, prefix, f"explain: {data.name}", "nothing", refused=ExplainError, wrong=ExplainInputError
    ) as (client, run):
        tags = {
            "summary": line(data), "method": data.method.name, "scale": SCALES[data.scale], "id": data.id,
            "checks": ", ".join(f"{c.name}: {c.level}" for c in data.checks),
            "failed": ", ".join(c.name for c in data.checks if c.level == "fail") or "none",
            "data_hash": data.data_hash or "", "model": data.model.fingerprint or data.model.title,
        }  # fmt: skip
        record(client, run, prefix, figures(explanation), tags, data.created_at)
        with tempfile.TemporaryDirectory() as folder:
            explanation.save(Path(folder) / "explanation.zip", raw=raw, redact=redact)
            client.log_artifact(run, str(Path(folder) / "explanation.zip"), prefix)
            explanation.to_html(Path(folder) / "explanation.html", raw=raw, redact=redact)
            client.log_artifact(run, str(Path(folder) / "explanation.html"), prefix)
        return run


def log_card(card: ModelCard, run_id: str | None = None, *, prefix: str = "card") -> str:
    """Log a model card to an MLflow run: `card.md`, `card.json`, pictures, its metrics, and whether it is whole.

    Raises
    ------
    ExplainError
        When mlflow is not installed, or the tracking server refused.
    ExplainInputError
        When the prefix is none MLflow takes.
    """
    with running(
        run_id, prefix, f"card: {card.data.name}", "nothing", refused=ExplainError, wrong=ExplainInputError
    ) as (client, run):
        used: set[str] = set()
        found: dict[str, float] = {}
        for m in card.data.metrics:
            name = fitting(m.name, used)
            found |= {
                f"{name}{k}": v
                for k, v in (("", m.value), ("/low", m.low), ("/high", m.high))
                if v is not None
            }
        tags = {"missing": ", ".join(card.missing) or "none", "failed": card.red or "none"}
        record(client, run, prefix, found, tags, card.data.created_at)
        with tempfile.TemporaryDirectory() as folder:
            card.save(Path(folder) / "card.md")
            client.log_artifacts(run, folder, prefix)
        return run


def figures(explanation: Explanation) -> dict[str, float]:
    """Return the figures of an explanation by the name they are logged under; only finite ones."""
    data, used = explanation.data, set[str]()
    found: dict[str, float | None] = {"rows": float(data.rows), "evaluations": float(data.method.evaluations)}
    for i in data.importance:
        name = fitting(i.column, used)
        found |= {f"importance/{name}": i.value, f"importance_error/{name}": i.error, f"lime/{name}": i.lime}
    for c in data.checks:
        found[f"check/{c.name}"] = c.value
    if data.agreement is not None:
        found |= {f"agreement/{k}": getattr(data.agreement, k) for k in ("rank", "overlap", "sign")}
    return {k: float(v) for k, v in found.items() if v is not None and abs(v) < float("inf")}
