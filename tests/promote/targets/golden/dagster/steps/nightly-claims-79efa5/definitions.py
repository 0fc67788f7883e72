# Job 'nightly claims' for Dagster, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target dagster
# Bundle 5555555555555555.
# What Dagster cannot express of this job:
# - missed runs: the job wants 'all', the target does 'latest'
# - overlap: a tick starts a run though the last one still runs, unless the instance limits runs
#   by the tag aios/job (concurrency in dagster.yaml)
# - human gates: a task cannot wait for a person; a gate that nobody has decided (`gates:` in
#   job.yaml, or `aios approve`) ends its task with exit code 6, and a new try of that task goes
#   on
# - alerts: the target's own notifications are used; set them there
# - daylight saving: a fixed time the clock skips runs an hour later by Dagster's own rule
# - timeouts: an op has none; the runner ends the step itself
import json
import subprocess
from pathlib import Path

import dagster as dg

BUNDLE = Path(__file__).parent / "bundle"
PARAMETERS = {"limit": 500, "note": "every night", "rows": [1, 2]}


def run_step(step, inputs, context):
    """Run one step; what goes on to the next op is a reference into the artifact store."""
    command = ["aios", "run-step", str(BUNDLE), step, "--run", context.run_id]
    command += ["--params", json.dumps(PARAMETERS), "--inputs", json.dumps(inputs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@dg.op(name="load", retry_policy=dg.RetryPolicy(max_retries=2, delay=5))
def load_step(context: dg.OpExecutionContext):
    return run_step("load", [], context)


@dg.op(name="score")
def score_step(context: dg.OpExecutionContext, load):
    return run_step("score", [load], context)


@dg.op(name="check_it_fbd159")
def check_it_fbd159_step(context: dg.OpExecutionContext, load):
    return run_step("check it", [load], context)


@dg.op(name="report")
def report_step(context: dg.OpExecutionContext, score, check_it_fbd159):
    return run_step("report", [score, check_it_fbd159], context)


@dg.job(
    name="nightly_claims_79efa5",
    description="nightly claims",
    tags={"aios/job": "nightly_claims_79efa5", "dagster/max_runtime": "5460"},
)
def job():
    load = load_step()
    score = score_step(load)
    check_it_fbd159 = check_it_fbd159_step(load)
    report_step(score, check_it_fbd159)


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
