# Job 'na"me\'s $(id) `id` {{ x }} ${{ y }} %h \\ тест <!-- & #!' for Dagster, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target dagster
# Bundle 5555555555555555.
# What Dagster cannot express of this job:
# - missed runs: the job wants 'all', the target does 'latest'
# - overlap: a tick starts a run though the last one still runs, unless the instance limits runs
#   by the tag aios/job (concurrency in dagster.yaml)
# - human gates: a task cannot wait for a person; a gate that nobody has decided beforehand
#   (`gates:` in job.yaml) ends the run with exit code 6
# - alerts: the target's own notifications are used; set them there
# - daylight saving: a fixed time the clock skips runs an hour later by Dagster's own rule
import json
import subprocess
from pathlib import Path

import dagster as dg

BUNDLE = Path(__file__).parent / "bundle"
PARAMETERS = {
    "note": "na\"me's $(id) `id` {{ x }} ${{ y }} %h \\ \u0442\u0435\u0441\u0442 <!-- & #!\n\u2028\x00",
    "na\"me's $(id) `id` {{ x }} ${{ y }} %h \\ \u0442\u0435\u0441\u0442 <!-- & #!": {
        "a": {"b": None},
    },
}


@dg.op(
    config_schema={"parameters": dg.Field(dg.Permissive(), default_value=PARAMETERS)},
    retry_policy=dg.RetryPolicy(max_retries=2, delay=30),
)
def notebook(context: dg.OpExecutionContext) -> None:
    parameters = json.dumps(context.op_config["parameters"])
    subprocess.run(["aios", "run-job", str(BUNDLE), "--params", parameters], check=True)


@dg.job(
    name="na_me_s_id_id_x_y_h_d2fa5c",
    description="na\"me's $(id) `id` {{ x }} ${{ y }} %h \\ \u0442\u0435\u0441\u0442 <!-- & #!",
    tags={"aios/job": "na_me_s_id_id_x_y_h_d2fa5c", "dagster/max_runtime": "5460"},
)
def job():
    notebook()


defs = dg.Definitions(
    jobs=[job],
    schedules=[
        dg.ScheduleDefinition(
            name="na_me_s_id_id_x_y_h_d2fa5c_schedule",
            job=job,
            cron_schedule="30 6 * * 1-5",
            execution_timezone="Europe/Berlin",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ],
)
