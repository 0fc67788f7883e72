"""All targets, by the name `--target` takes."""

from __future__ import annotations

import functools
import importlib

from aios_workbench.errors import NotFoundError, hint
from aios_workbench.promote.targets.base import Target

_HOME = {
    "airflow": "airflow:Airflow", "prefect": "prefect:Prefect", "dagster": "dagster:Dagster", "kfp": "kfp:Kfp",
    "argo": "argo:Argo", "kubernetes": "kubernetes:Kubernetes", "step-functions": "step_functions:StepFunctions",
    "github": "github:GitHub", "systemd": "systemd:Systemd", "crontab": "crontab:Crontab",
    "temporal": "temporal:Temporal",
}  # fmt: skip
NAMES = tuple(_HOME)


@functools.cache
def get(name: str) -> Target:
    """Return a target.

    Raises
    ------
    NotFoundError
        Naming the nearest.

    Examples
    --------
    >>> get("airflow").title
    'Airflow 3'
    """
    if name not in _HOME:
        raise NotFoundError(f"no target {name!r}{hint(name, NAMES)} (there is: {', '.join(NAMES)})")
    module, _, kind = _HOME[name].partition(":")
    found: type[Target] = getattr(importlib.import_module(f"aios_workbench.promote.targets.{module}"), kind)
    return found()


def all_targets() -> list[Target]:
    """Return every target, in the order they are listed."""
    return [get(name) for name in NAMES]
