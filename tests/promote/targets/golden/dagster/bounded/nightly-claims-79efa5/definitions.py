# Job 'nightly claims' for Dagster, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target dagster
# Bundle 5555555555555555.
# What Dagster cannot express of this job:
# - overlap: a tick starts a run though the last one still runs, unless the instance limits runs
#   by the tag aios/job (concurrency in dagster.yaml); the job wants 'queue'
# - starting: ticks before 2026-03-01T06:00 are not held back; deploy it then
# - events: claims.ready starts nothing there; let what tells the event start it
# - dependencies: it does not wait for extract; draw that edge in the target
# - concurrency: any number of runs, unless the instance limits them by that tag, not up to 3
# - lateness: nobody is told of a late or an absent run; set that in the target's own monitoring
# - slo: it is not judged there, and no version is rolled back by it
# - approvals: whoever deploys these files puts the version to work; review them as you approve
# - human gates: a task cannot wait for a person; a gate that nobody has decided beforehand
#   (`gates:` in job.yaml) ends the run with exit code 6
# - alerts: the target's own notifications are used; set them there
# - retention: the target keeps its own history; `aios gc` cleans the workspace
# - daylight saving: a fixed time the clock skips runs an hour later by Dagster's own rule
import json
import subprocess
from pathlib import Path

import dagster as dg

BUNDLE = Path(__file__).parent / "bundle"
PARAMETERS = {"limit": 500, "note": "every night", "rows": [1, 2]}


@dg.op(
    config_schema={"parameters": dg.Field(dg.Permissive(), default_value=PARAMETERS)},
    retry_policy=dg.RetryPolicy(max_retries=2, delay=30),
)
def notebook(context: dg.OpExecutionContext) -> None:
    parameters = json.dumps(context.op_config["parameters"])
    subprocess.run(["aios", "run-job", str(BUNDLE), "--params", parameters], check=True)


@dg.job(
    name="nightly_claims_79efa5",
    description="nightly claims",
    tags={"aios/job": "nightly_claims_79efa5", "dagster/max_runtime": "5460"},
)
def job():
    notebook()


defs = dg.Definitions(
    jobs=[job],
    schedules=[
        dg.ScheduleDefinition(
            name="nightly_claims_79efa5_schedule",
            job=job,
            cron_schedule="30 6 * * 1-5",
            execution_timezone="Europe/Berlin",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ],
)
