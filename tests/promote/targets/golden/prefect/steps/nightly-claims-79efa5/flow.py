# Job 'nightly claims' for Prefect 3, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target prefect
# Bundle 5555555555555555.
# What Prefect 3 cannot express of this job:
# - missed runs: the job wants 'all', the target does 'skip'
# - human gates: a task cannot wait for a person; a gate that nobody has decided (`gates:` in
#   job.yaml, or `aios approve`) ends its task with exit code 6, and a new try of that task goes
#   on
# - alerts: the target's own notifications are used; set them there
# - daylight saving: at a repeated hour Prefect's own rules for cron hold
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from prefect import flow, runtime, task
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Cron

BUNDLE = Path(__file__).parent / "bundle"
PARAMETERS: dict[str, Any] = {"limit": 500, "note": "every night", "rows": [1, 2]}


def run_step(step: str, inputs: list[Any], parameters: dict[str, Any]) -> Any:
    """Run one step; what goes on to the next task is a reference into the artifact store."""
    command = ["aios", "run-step", str(BUNDLE), step, "--run", str(runtime.flow_run.id)]
    command += ["--params", json.dumps(parameters), "--inputs", json.dumps(inputs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@task(name="load", retries=2, retry_delay_seconds=5, timeout_seconds=660)
def load_step(parameters: dict[str, Any]) -> Any:
    return run_step("load", [], parameters)


@task(name="score")
def score_step(load: Any, parameters: dict[str, Any]) -> Any:
    return run_step("score", [load], parameters)


@task(name="check_it_fbd159")
def check_it_fbd159_step(load: Any, parameters: dict[str, Any]) -> Any:
    return run_step("check it", [load], parameters)


@task(name="report")
def report_step(score: Any, check_it_fbd159: Any, parameters: dict[str, Any]) -> Any:
    return run_step("report", [score, check_it_fbd159], parameters)


@flow(name="nightly-claims-79efa5", description="nightly claims")
def job(parameters: dict[str, Any] = PARAMETERS) -> None:
    load = load_step.submit(parameters)
    score = score_step.submit(load, parameters)
    check_it_fbd159 = check_it_fbd159_step.submit(load, parameters)
    report = report_step.submit(score, check_it_fbd159, parameters)
    for end in [report]:
        end.result()


if __name__ == "__main__":
    here = Path(__file__)
    job.from_source(source=str(here.parent), entrypoint=f"{here.name}:job").deploy(
        name="aios",
        work_pool_name=sys.argv[1] if len(sys.argv) > 1 else "default",
        schedules=[Cron("30 6 * * 1-5", timezone="Europe/Berlin")],
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
    )
