"""Prefect 3: a flow with one task, or a task a step; called as a script, the file deploys itself."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from pathlib import Path

from aios_workbench.promote.targets import cron, proof
from aios_workbench.promote.targets.base import Files, Target, Verification, common_limits
from aios_workbench.promote.targets.code import block, call, literal, seconds, text
from aios_workbench.promote.targets.environments import clean, environment
from aios_workbench.promote.targets.plan import Plan
from aios_workbench.promote.targets.promises import interval_of
from aios_workbench.promote.targets.pysteps import step_names

_HEAD = """
<<header>>
from __future__ import annotations

import json
import subprocess
import sys
<<datetime>>from pathlib import Path
from typing import Any

from prefect import flow, <<runtime>>task
<<schedule_import>>
BUNDLE = <<bundle>>
PARAMETERS: dict[str, Any] = <<parameters>>


"""
_NOTEBOOK = """
<<policy>>
def notebook(parameters: dict[str, Any]) -> None:
    command = [<<aios>>, "run-job", str(BUNDLE), "--params", json.dumps(parameters)]
    subprocess.run(command, check=True)


<<flow>>
def job(parameters: dict[str, Any] = PARAMETERS) -> None:
    notebook(parameters)


"""
_STEPS = '''
def run_step(step: str, inputs: list[Any], parameters: dict[str, Any]) -> Any:
    """Run one step; what goes on to the next task is a reference into the artifact store."""
    command = [<<aios>>, "run-step", str(BUNDLE), step, "--run", str(runtime.flow_run.id)]
    command += ["--params", json.dumps(parameters), "--inputs", json.dumps(inputs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


<<tasks>>
<<flow>>
def job(parameters: dict[str, Any] = PARAMETERS) -> None:
<<calls>>

'''
_DEPLOY = """
if __name__ == "__main__":
    here = Path(__file__)
    job.from_source(source=str(here.parent), entrypoint=f"{here.name}:job").deploy(
        name="aios",
        work_pool_name=sys.argv[1] if len(sys.argv) > 1 else "default",
        schedules=<<schedules>>,
        concurrency_limit=ConcurrencyLimitConfig(
            limit=<<concurrency>>, collision_strategy=ConcurrencyLimitStrategy.<<collision>>
        ),
    )
"""


class Prefect(Target):
    """Prefect 3."""

    name = "prefect"
    title = "Prefect 3"
    evidence = "real"
    proof = "deployed to a Prefect server of its own, run there by a process worker"
    grains = ("notebook", "steps")

    def limits(self, plan: Plan) -> list[str]:
        """Return what it cannot express."""
        found = common_limits(plan, missed=("skip", "latest"), keeps=("queue", "concurrency"))
        if plan.spec.schedule and plan.spec.missed == "latest":
            found.append(
                "missed runs: those planned while no worker lived all start late, as far as Prefect planned ahead"
            )
        if plan.spec.schedule:
            found.append("daylight saving: at a repeated hour Prefect's own rules for cron hold")
        return found

    def render(self, plan: Plan) -> Files:
        """Return one file with the flow."""
        self.check(plan)
        spec = plan.spec
        schedule = _schedule(plan, self.title)
        parts = {
            "header": self.header(plan).rstrip(),
            "runtime": "runtime, " if plan.steps else "",
            "schedule_import": (
                "from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy\n"
                + (f"from prefect.schedules import {schedule.partition('(')[0]}\n" if schedule else "")
            ),
            "bundle": text(plan.bundle) if plan.bundle else 'Path(__file__).parent / "bundle"',
            "parameters": literal(spec.parameters, used=29),
            "policy": call("@task", _policy("notebook", spec.retries, spec.retry_delay, spec.timeout)),
            "flow": call("@flow", [f"name={text(plan.slug)}", f"description={text(plan.title)}"]),
            "schedules": f"[{schedule}]",
            "datetime": "from datetime import datetime\n" if "datetime." in schedule else "",
            "concurrency": str(spec.concurrency),
            "collision": "ENQUEUE" if spec.overlap == "queue" else "CANCEL_NEW",
            "aios": text(plan.aios),
        }
        template = (
            _HEAD.lstrip("\n") + (_STEPS if plan.steps else _NOTEBOOK).lstrip("\n") + _DEPLOY.lstrip("\n")
        )
        if plan.steps:
            parts["tasks"], parts["calls"] = _tasks(plan)
        return {f"{plan.slug}/flow.py": block(template, **parts)}

    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Import the flow; with `execute` deploy it to a private server and let a worker run it."""
        tools = environment("prefect")
        file = (folder / plan.slug / "flow.py").resolve()
        with tempfile.TemporaryDirectory(prefix="aios-prefect-") as home:
            env = clean(
                PREFECT_HOME=home, PREFECT_SERVER_ANALYTICS_ENABLED="false", PREFECT_LOGGING_LEVEL="WARNING",
                PREFECT_SERVER_ALLOW_EPHEMERAL_MODE="true", PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="90",
                PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS="false",
                PATH=f"{tools}{os.pathsep}{os.environ['PATH']}",
            )  # fmt: skip
            checks = [
                proof.run(
                    "the flow loaded by Prefect", "real", [tools / "python", "-c", _LOAD, file], env=env
                )
            ]
            if execute and checks[0].ok:
                command = [tools / "python", "-c", _EXECUTE, file]
                checks.append(
                    proof.run("deployed, run by a process worker", "real", command, env=env, cwd=Path(home))
                )
        return Verification(self.name, tuple(checks))


_LOAD = """
import sys
from prefect.flows import load_flow_from_entrypoint
flow = load_flow_from_entrypoint(sys.argv[1] + ":job")
print(flow.name, flow.parameters.properties)
"""
#: One server for deployment, worker and answer: starting it is most of the time this takes.
_EXECUTE = """
import asyncio, os, runpy, sys, subprocess
from prefect.server.api.server import SubprocessASGIServer
server = SubprocessASGIServer(port=None)
server.start()
try:
    os.environ["PREFECT_API_URL"] = server.api_url
    here = os.path.dirname(sys.executable)
    def call(*words):
        subprocess.run([os.path.join(here, "python"), *words], check=True)
    call("-m", "prefect", "work-pool", "create", "default", "--type", "process")
    call(sys.argv[1])
    from prefect.client.orchestration import get_client
    with get_client(sync_client=True) as client:
        deployment = client.read_deployments()[0]
        run = client.create_flow_run_from_deployment(deployment.id)
    call("-m", "prefect", "worker", "start", "--pool", "default", "--run-once")
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run.id).state
    print("schedules", [s.schedule for s in deployment.schedules], "run", state)
    sys.exit(0 if state.is_completed() else 1)
finally:
    server.stop()
"""


def _schedule(plan: Plan, title: str) -> str:
    spec, interval = plan.spec, interval_of(plan)
    if spec.ticks is None:
        return ""
    if interval is None:
        return f"Cron({text(cron.plain(spec.ticks, title))}, timezone={text(spec.timezone)})"
    anchor = text(dt.datetime.fromtimestamp(interval.starting or 0.0, dt.UTC).isoformat())
    return f"Interval({seconds(interval.every)}, anchor_date=datetime.fromisoformat({anchor}))"


def _policy(name: str, retries: int, delay: float, timeout: float | None) -> list[str]:
    parts = [f"name={text(name)}"]
    if retries:
        parts += [f"retries={retries}", f"retry_delay_seconds={seconds(delay)}"]
    if timeout:
        # the runner ends the notebook first and says why; this ends a runner that hangs
        parts.append(f"timeout_seconds={seconds(timeout + 60)}")
    return parts


def _tasks(plan: Plan) -> tuple[str, str]:
    names = step_names(plan.steps)
    tasks, calls = [], []
    used = {up for s in plan.steps for up in s.upstream}
    for step in plan.steps:
        inputs = [names[up] for up in step.upstream]
        arguments = [*(f"{name}: Any" for name in inputs), "parameters: dict[str, Any]"]
        policy = _policy(names[step.name], step.retries, step.retry_delay, step.timeout)
        head = call("@task", policy), call(f"def {names[step.name]}_step", arguments, 0, ") -> Any:")
        body = call("return run_step", [text(step.name), f"[{', '.join(inputs)}]", "parameters"], 4)
        tasks.append("\n".join((*head, body)) + "\n\n")
        calls.append(
            call(f"{names[step.name]} = {names[step.name]}_step.submit", [*inputs, "parameters"], 4) + "\n"
        )
    last = ", ".join(names[s.name] for s in plan.steps if s.name not in used)
    calls.append(f"    for end in [{last}]:\n        end.result()\n")
    return "\n".join(tasks), "".join(calls)
