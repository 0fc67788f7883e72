"""Outputs of earlier runs that stand for a step's own: the same code, inputs and parameters."""

from __future__ import annotations

import hashlib

from aios_workbench.errors import AiosError
from aios_workbench.workflow import StepSpec
from aios_workbench.workspace import Artifact, Workspace


def cache_key(spec: StepSpec, inputs: dict[str, Artifact]) -> str:
    """Return the identity of a result: code, inputs and parameters by content."""
    parts = [spec.code_hash, *(f"{name}={inputs[name].hash}" for name in sorted(inputs))]
    parts += [f"{parameter}=secret {name}" for parameter, name in sorted(spec.secrets.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def find_cached(ws: Workspace, key: str) -> Artifact | None:
    """Return an earlier output for this key whose blob is there and unharmed."""
    ws.catalog.flush()
    for row in ws.catalog.query(
        "select output from steps where cache_key = :k and status = 'succeeded' and output is not null "
        "order by ended_at desc limit 5", k=key,
    ):  # fmt: skip
        try:
            artifact = ws.artifacts.find(row["output"])
        except AiosError:
            continue
        if ws.artifacts.intact(artifact):
            return artifact
    return None
