# Job 'nightly claims' for Temporal, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target temporal
# Bundle 5555555555555555.
# What Temporal cannot express of this job:
# - events: claims.ready starts nothing there; let what tells the event start it
# - dependencies: it does not wait for extract; draw that edge in the target
# - concurrency: one run at a time, not up to 3
# - lateness: nobody is told of a late or an absent run; set that in the target's own monitoring
# - slo: it is not judged there, and no version is rolled back by it
# - approvals: whoever deploys these files puts the version to work; review them as you approve
# - human gates: a task cannot wait for a person; a gate that nobody has decided beforehand
#   (`gates:` in job.yaml) ends the run with exit code 6
# - alerts: the target's own notifications are used; set them there
# - retention: the target keeps its own history; `aios gc` cleans the workspace
# - missed runs: of those of the last hour one runs, as runs do not overlap; older ones do not
# - daylight saving: a time the clock skips is not run, one shown twice may run twice
from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio import activity, workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

BUNDLE = Path(__file__).parent / "bundle"
PARAMETERS: dict[str, Any] = {"limit": 500, "note": "every night", "rows": [1, 2]}
NAME = "nightly-claims-79efa5"


@activity.defn
def notebook(parameters: dict[str, Any]) -> None:
    command = ["aios", "run-job", str(BUNDLE), "--params", json.dumps(parameters)]
    subprocess.run(command, check=True)


@workflow.defn(name=NAME)
class Job:
    @workflow.run
    async def run(self, parameters: dict[str, Any]) -> None:
        await workflow.execute_activity(
            notebook,
            parameters,
            start_to_close_timeout=timedelta(seconds=1860),
            retry_policy=RetryPolicy(
                maximum_attempts=3,
                initial_interval=timedelta(seconds=30),
                backoff_coefficient=1.0,
            ),
        )


SCHEDULE = Schedule(
    action=ScheduleActionStartWorkflow(Job.run, PARAMETERS, id=NAME, task_queue=NAME),
    spec=ScheduleSpec(
        cron_expressions=["30 6 * * 1-5"],
        time_zone_name="Europe/Berlin",
        start_at=datetime.fromisoformat("2026-03-01T05:00:00+00:00"),
    ),
    policy=SchedulePolicy(
        overlap=ScheduleOverlapPolicy.BUFFER_ALL, catchup_window=timedelta(seconds=3600)
    ),
)


def worker(client: Client) -> Worker:
    return Worker(
        client,
        task_queue=NAME,
        workflows=[Job],
        activities=[notebook],
        activity_executor=ThreadPoolExecutor(1),
    )


async def main() -> None:
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"))
    with contextlib.suppress(ScheduleAlreadyRunningError):
        await client.create_schedule(NAME, SCHEDULE)
    await worker(client).run()


if __name__ == "__main__":
    asyncio.run(main())
