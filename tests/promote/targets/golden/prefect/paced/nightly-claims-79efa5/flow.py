# Job 'nightly claims' for Prefect 3, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target prefect
# Bundle 5555555555555555.
# What Prefect 3 cannot express of this job:
# - missed runs: the job wants 'all', the target does 'skip'
# - starting: ticks before 2026-03-01T06:10 are not held back; deploy it then
# - human gates: a task cannot wait for a person; a gate that nobody has decided beforehand
#   (`gates:` in job.yaml) ends the run with exit code 6
# - alerts: the target's own notifications are used; set them there
from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Interval

BUNDLE = Path(__file__).parent / "bundle"
PARAMETERS: dict[str, Any] = {"limit": 500, "note": "every night", "rows": [1, 2]}


@task(name="notebook", retries=2, retry_delay_seconds=30, timeout_seconds=1860)
def notebook(parameters: dict[str, Any]) -> None:
    command = ["aios", "run-job", str(BUNDLE), "--params", json.dumps(parameters)]
    subprocess.run(command, check=True)


@flow(name="nightly-claims-79efa5", description="nightly claims")
def job(parameters: dict[str, Any] = PARAMETERS) -> None:
    notebook(parameters)


if __name__ == "__main__":
    here = Path(__file__)
    job.from_source(source=str(here.parent), entrypoint=f"{here.name}:job").deploy(
        name="aios",
        work_pool_name=sys.argv[1] if len(sys.argv) > 1 else "default",
        schedules=[Interval(2700, anchor_date=datetime.fromisoformat("2026-03-01T06:10:00+00:00"))],
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
    )
