# Job 'nightly claims' for Airflow 3, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target airflow
# Bundle 5555555555555555.
# What Airflow 3 cannot express of this job:
# - events: claims.ready starts nothing there; let what tells the event start it
# - dependencies: it does not wait for extract; draw that edge in the target
# - overlap: the job wants 'queue'; a tick that finds it running is run once the ones before it
#   have ended
# - lateness: nobody is told of a late or an absent run; set that in the target's own monitoring
# - slo: it is not judged there, and no version is rolled back by it
# - approvals: whoever deploys these files puts the version to work; review them as you approve
# - human gates: a task cannot wait for a person; a gate that nobody has decided beforehand
#   (`gates:` in job.yaml) ends the run with exit code 6
# - alerts: the target's own notifications are used; set them there
# - retention: the target keeps its own history; `aios gc` cleans the workspace
# - daylight saving: a fixed time the clock skips runs at Airflow's choice, not after the gap
from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.sdk import CronTriggerTimetable, Param, dag, task

BUNDLE = Path(__file__).parent / "bundle"
PARAMETERS = {"limit": 500, "note": "every night", "rows": [1, 2]}


@dag(
    dag_id="nightly-claims-79efa5",
    description="nightly claims",
    schedule=CronTriggerTimetable("30 6 * * 1-5", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2026, 3, 1, 6, 0, 0, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=3,
    params={"parameters": Param(PARAMETERS, type="object")},
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(seconds=1860),
    },
    tags=["aios"],
)
def job():
    @task
    def notebook(params=None):
        parameters = json.dumps(params["parameters"])
        subprocess.run(["aios", "run-job", str(BUNDLE), "--params", parameters], check=True)

    notebook()


job()
