"""What drift reports, explanations and model cards have in common when they are logged to MLflow."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aios_workbench.errors import AiosError

#: What MLflow takes in the name of a metric; a name holds at most 250 characters.
_UNFIT = re.compile(r"[^\w\-. /:]")
_LONG = 200
#: Metrics of one call of MLflow; characters of a tag.
_BATCH, _TAG = 500, 5_000


@contextlib.contextmanager
def running(
    run_id: str | None, prefix: str, title: str, what: str, *, refused: type[AiosError], wrong: type[AiosError]
) -> Iterator[tuple[Any, str]]:  # fmt: skip
    """Give a client and the id of the run to log to: the one given, the active one, or a new one that is ended.

    Parameters
    ----------
    what : str
        What a server that refuses it did not take.

    Raises
    ------
    AiosError
        Of the type `wrong` for a prefix MLflow does not take; of the type `refused` when mlflow is not installed, or
        the tracking server refused.
    """
    if not prefix or _UNFIT.search(prefix) or prefix.startswith(("/", ".")):
        raise wrong(f"prefix is {prefix!r}; use letters, digits, '_', '-', '.' and '/'")
    try:
        import mlflow
    except ImportError as e:
        raise refused("mlflow is not installed; pip install aios-workbench[analysis]") from e
    own = run_id is None and mlflow.active_run() is None
    try:
        client = mlflow.MlflowClient()
        if run_id is None:
            active = mlflow.active_run() or mlflow.start_run(run_name=title[:_LONG])
            run_id = str(active.info.run_id)
        yield client, run_id
    except mlflow.exceptions.MlflowException as e:
        raise refused(f"MLflow ({mlflow.get_tracking_uri()}) took {what}: {e}") from e
    finally:
        if own and mlflow.active_run() is not None:
            mlflow.end_run()


def record(
    client: Any, run_id: str, prefix: str, figures: Mapping[str, float], tags: Mapping[str, str], at: float
) -> None:
    """Log figures as metrics and texts as tags; `at` in seconds since 1970."""
    from mlflow.entities import Metric, RunTag

    metrics = [Metric(f"{prefix}/{name}", value, int(at * 1000), 0) for name, value in figures.items()]
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + _BATCH])
    client.log_batch(run_id, tags=[RunTag(f"{prefix}.{k}", v[:_TAG]) for k, v in tags.items()])


def fitting(name: str, used: set[str]) -> str:
    """Return a column's name as MLflow takes it in a path of a file store, unlike all others whatever their case.

    Examples
    --------
    >>> used = set()
    >>> fitting("a/b", used), fitting("A:B", used)
    ('a_b', 'A_B_2')
    """
    fit = _UNFIT.sub("_", name).replace("/", "_").replace(":", "_").strip(" .")[:_LONG] or "_"
    made, n = fit, 1
    while made.casefold() in used:
        n += 1
        made = f"{fit[:190]}~{n}".replace("~", "_")
    used.add(made.casefold())
    return made
