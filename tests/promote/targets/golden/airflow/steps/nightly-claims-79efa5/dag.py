# Job 'nightly claims' for Airflow 3, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target airflow
# Bundle 5555555555555555.
# What Airflow 3 cannot express of this job:
# - human gates: a task cannot wait for a person; a gate that nobody has decided (`gates:` in
#   job.yaml, or `aios approve`) ends its task with exit code 6, and a new try of that task goes
#   on
# - alerts: the target's own notifications are used; set them there
# - catch_up: Airflow makes up for every missed run since the start date, not for the newest few
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


def run_step(step, inputs, params, run_id):
    """Run one step; what goes on to the next task is a reference into the artifact store."""
    command = ["aios", "run-step", str(BUNDLE), step, "--run", run_id]
    command += ["--params", json.dumps(params["parameters"]), "--inputs", json.dumps(inputs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@dag(
    dag_id="nightly-claims-79efa5",
    description="nightly claims",
    schedule=CronTriggerTimetable("30 6 * * 1-5", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2026, 1, 31, tz="Europe/Berlin"),
    catchup=True,
    max_active_runs=1,
    params={"parameters": Param(PARAMETERS, type="object")},
    tags=["aios"],
)
def job():
    @task(
        task_id="load",
        retries=2,
        retry_delay=timedelta(seconds=5),
        execution_timeout=timedelta(seconds=660),
    )
    def load_step(params=None, run_id=None):
        return run_step("load", [], params, run_id)

    @task(task_id="score")
    def score_step(load, params=None, run_id=None):
        return run_step("score", [load], params, run_id)

    @task(task_id="check_it_fbd159")
    def check_it_fbd159_step(load, params=None, run_id=None):
        return run_step("check it", [load], params, run_id)

    @task(task_id="report")
    def report_step(score, check_it_fbd159, params=None, run_id=None):
        return run_step("report", [score, check_it_fbd159], params, run_id)

    load = load_step()
    score = score_step(load)
    check_it_fbd159 = check_it_fbd159_step(load)
    report_step(score, check_it_fbd159)


job()
