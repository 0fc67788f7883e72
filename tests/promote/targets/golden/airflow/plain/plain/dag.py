# Job 'plain' for Airflow 3, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target airflow
# Bundle 5555555555555555.
# What Airflow 3 cannot express of this job:
# - daylight saving: a fixed time the clock skips runs at Airflow's choice, not after the gap
from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pendulum
from airflow.sdk import CronTriggerTimetable, Param, dag, task

BUNDLE = Path(__file__).parent / "bundle"
PARAMETERS = {}


@dag(
    dag_id="plain",
    description="plain",
    schedule=CronTriggerTimetable("0 6 * * *", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2026, 1, 31, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=1,
    params={"parameters": Param(PARAMETERS, type="object")},
    default_args={},
    tags=["aios"],
)
def job():
    @task
    def notebook(params=None):
        parameters = json.dumps(params["parameters"])
        subprocess.run(["aios", "run-job", str(BUNDLE), "--params", parameters], check=True)

    notebook()


job()
