"""A workflow in a bundle: its graph as data, its functions by content, for `aios run-step`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError
from aios_workbench.promote.bundle import Bundle
from aios_workbench.workflow import WorkflowSpec

WORKFLOW = "workflow.json"
FUNCTIONS = "functions"


def references(spec: WorkflowSpec) -> Iterator[dict[str, Any]]:
    """Give the reference of every stored function of a workflow."""
    for step in spec.steps:
        for found in (step.fn, step.when, step.check, *step.fallbacks):
            if found is not None:
                yield found


def add_workflow(bundle: Bundle, spec: WorkflowSpec, functions: Mapping[str, bytes]) -> Bundle:
    """Return the bundle with a workflow in it.

    Raises
    ------
    JobError
        When a function is missing.
    """
    missing = sorted({r["hash"] for r in references(spec)} - functions.keys())
    if missing:
        raise JobError(
            f"the code of workflow {spec.name!r} is not stored ({len(missing)} functions); run it once, then promote"
        )
    text = json.dumps(spec.to_dict(), indent=1, sort_keys=True) + "\n"
    blobs = {f"{FUNCTIONS}/{name}.pkl": blob for name, blob in sorted(functions.items())}
    return Bundle({**bundle.files, WORKFLOW: text.encode(), **blobs})


def read_workflow(bundle: Path) -> WorkflowSpec:
    """Return the workflow of a bundle.

    Raises
    ------
    JobError
        When it has none.
    """
    try:
        return WorkflowSpec.from_dict(json.loads((bundle / WORKFLOW).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise JobError(f"the bundle {bundle} holds no workflow; promote with --grain steps") from None
