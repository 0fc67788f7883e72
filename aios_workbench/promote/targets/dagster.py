"""Dagster: a job of ops with a schedule, in one `definitions.py`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from aios_workbench.promote.targets import cron, proof
from aios_workbench.promote.targets.base import Files, Target, Verification, common_limits
from aios_workbench.promote.targets.code import block, call, literal, seconds, text
from aios_workbench.promote.targets.environments import clean, environment
from aios_workbench.promote.targets.plan import Plan
from aios_workbench.promote.targets.pysteps import step_names

_HEAD = """
<<header>>
import json
import subprocess
<<path_import>>
import dagster as dg

BUNDLE = <<bundle>>
PARAMETERS = <<parameters>>


"""
_NOTEBOOK = """
@dg.op(
    config_schema={"parameters": dg.Field(dg.Permissive(), default_value=PARAMETERS)},
<<policy>>)
def notebook(context: dg.OpExecutionContext) -> None:
    parameters = json.dumps(context.op_config["parameters"])
    subprocess.run([<<aios>>, "run-job", str(BUNDLE), "--params", parameters], check=True)


@dg.job(
    name=<<name>>,
    description=<<title>>,
    tags=<<tags>>,
)
def job():
    notebook()


"""
_STEPS = '''
def run_step(step, inputs, context):
    """Run one step; what goes on to the next op is a reference into the artifact store."""
    command = [<<aios>>, "run-step", str(BUNDLE), step, "--run", context.run_id]
    command += ["--params", json.dumps(PARAMETERS), "--inputs", json.dumps(inputs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


<<tasks>>
@dg.job(
    name=<<name>>,
    description=<<title>>,
    tags=<<tags>>,
)
def job():
<<calls>>

'''
_END = """
defs = dg.Definitions(
    jobs=[job],
    schedules=<<schedules>>,
)
"""
_SCHEDULE = """[
        dg.ScheduleDefinition(
            name=<<schedule_name>>,
            job=job,
            cron_schedule=<<cron>>,
            execution_timezone=<<zone>>,
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ]"""


class Dagster(Target):
    """Dagster."""

    name = "dagster"
    title = "Dagster"
    evidence = "real"
    proof = "`dagster definitions validate`, then `dagster job execute` on an instance of its own"
    grains = ("notebook", "steps")

    def limits(self, plan: Plan) -> list[str]:
        """Return what it cannot express."""
        found = common_limits(
            plan, missed=("latest",),
            overlap="a tick starts a run though the last one still runs, unless the instance limits runs by the tag "
            "aios/job (concurrency in dagster.yaml)" if plan.spec.schedule else "",
            side="any number of runs, unless the instance limits them by that tag",
        )  # fmt: skip
        if plan.spec.schedule:
            found.append(
                "daylight saving: a fixed time the clock skips runs an hour later by Dagster's own rule"
            )
        if any(s.timeout for s in plan.steps):
            found.append("timeouts: an op has none; the runner ends the step itself")
        return found

    def render(self, plan: Plan) -> Files:
        """Return one file of definitions."""
        self.check(plan)
        spec, name = plan.spec, plan.slug.replace("-", "_")
        parts = {
            "header": self.header(plan).rstrip(),
            "path_import": "" if plan.bundle else "from pathlib import Path\n",
            "bundle": text(plan.bundle) if plan.bundle else 'Path(__file__).parent / "bundle"',
            "parameters": literal(spec.parameters, used=13),
            "policy": f"    retry_policy={_retry(spec.retries, spec.retry_delay)},\n" if spec.retries else "",
            "name": text(name),
            "title": text(plan.title),
            "tags": _tags(plan, name),
            "aios": text(plan.aios),
            "schedules": "[]",
        }
        if spec.ticks:
            parts["schedules"] = block(
                _SCHEDULE, schedule_name=text(f"{name}_schedule"), cron=text(cron.plain(spec.ticks, self.title)),
                zone=text(spec.timezone),
            )  # fmt: skip
        if plan.steps:
            parts["tasks"], parts["calls"] = _ops(plan)
        template = _HEAD.lstrip("\n") + (_STEPS if plan.steps else _NOTEBOOK).lstrip("\n") + _END.lstrip("\n")
        return {f"{plan.slug}/definitions.py": block(template, **parts)}

    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Validate the definitions; with `execute` run the job."""
        tools = environment("dagster")
        file = str((folder / plan.slug / "definitions.py").resolve())
        with tempfile.TemporaryDirectory(prefix="aios-dagster-") as home:
            (Path(home) / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
            env = clean(DAGSTER_HOME=home, PATH=f"{tools}{os.pathsep}{os.environ['PATH']}")
            command = [tools / "dagster", "definitions", "validate", "-f", file]
            checks = [proof.run("dagster definitions validate", "real", command, env=env, cwd=Path(home))]
            if execute and checks[0].ok:
                job = plan.slug.replace("-", "_")
                command = [tools / "dagster", "job", "execute", "-f", file, "-j", job]
                checks.append(proof.run("dagster job execute", "real", command, env=env, cwd=Path(home)))
        return Verification(self.name, tuple(checks))


def _retry(retries: int, delay: float) -> str:
    return f"dg.RetryPolicy(max_retries={retries}, delay={seconds(delay)})"


def _tags(plan: Plan, name: str) -> str:
    tags = {"aios/job": name}
    if plan.spec.timeout:
        # the runner ends the notebook first and says why; this ends a run that hangs
        tags["dagster/max_runtime"] = seconds(plan.spec.timeout * (plan.spec.retries + 1) + 60)
    return literal(tags, 4, 6)


def _ops(plan: Plan) -> tuple[str, str]:
    names = step_names(plan.steps)
    ops, calls = [], []
    used = {up for s in plan.steps for up in s.upstream}
    for step in plan.steps:
        name, inputs = names[step.name], [names[up] for up in step.upstream]
        policy = [f"retry_policy={_retry(step.retries, step.retry_delay)}"] if step.retries else []
        head = call("@dg.op", [f"name={text(name)}", *policy])
        head += "\n" + call(f"def {name}_step", ["context: dg.OpExecutionContext", *inputs], 0, "):")
        body = call("return run_step", [text(step.name), f"[{', '.join(inputs)}]", "context"], 4)
        ops.append(f"{head}\n{body}\n\n")
        assigned = f"{name} = " if step.name in used else ""
        calls.append(call(f"{assigned}{name}_step", inputs, 4) + "\n")
    return "\n".join(ops), "".join(calls)
