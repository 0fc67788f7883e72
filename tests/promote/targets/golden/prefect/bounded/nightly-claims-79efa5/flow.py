# Job 'nightly claims' for Prefect 3, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target prefect
# Bundle 5555555555555555.
# What Prefect 3 cannot express of this job:
# - starting: ticks before 2026-03-01T06:00 are not held back; deploy it then
# - events: claims.ready starts nothing there; let what tells the event start it
# - dependencies: it does not wait for extract; draw that edge in the target
# - lateness: nobody is told of a late or an absent run; set that in the target's own monitoring
# - slo: it is not judged there, and no version is rolled back by it
# - approvals: whoever deploys these files puts the version to work; review them as you approve
# - human gates: a task cannot wait for a person; a gate that nobody has decided beforehand
#   (`gates:` in job.yaml) ends the run with exit code 6
# - alerts: the target's own notifications are used; set them there
# - retention: the target keeps its own history; `aios gc` cleans the workspace
# - missed runs: those planned while no worker lived all start late, as far as Prefect planned
#   ahead
# - daylight saving: at a repeated hour Prefect's own rules for cron hold
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Cron

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
        schedules=[Cron("30 6 * * 1-5", timezone="Europe/Berlin")],
        concurrency_limit=ConcurrencyLimitConfig(
            limit=3, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
        ),
    )
