# Job 'plain' for Dagster, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target dagster
# Bundle 5555555555555555.
# What Dagster cannot express of this job:
# - overlap: a tick starts a run though the last one still runs, unless the instance limits runs
#   by the tag aios/job (concurrency in dagster.yaml)
# - daylight saving: a fixed time the clock skips runs an hour later by Dagster's own rule
import json
import subprocess
from pathlib import Path

import dagster as dg

BUNDLE = Path(__file__).parent / "bundle"
PARAMETERS = {}


@dg.op(
    config_schema={"parameters": dg.Field(dg.Permissive(), default_value=PARAMETERS)},
)
def notebook(context: dg.OpExecutionContext) -> None:
    parameters = json.dumps(context.op_config["parameters"])
    subprocess.run(["aios", "run-job", str(BUNDLE), "--params", parameters], check=True)


@dg.job(
    name="plain",
    description="plain",
    tags={"aios/job": "plain"},
)
def job():
    notebook()


defs = dg.Definitions(
    jobs=[job],
    schedules=[
        dg.ScheduleDefinition(
            name="plain_schedule",
            job=job,
            cron_schedule="0 6 * * *",
            execution_timezone="Europe/Berlin",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ],
)
