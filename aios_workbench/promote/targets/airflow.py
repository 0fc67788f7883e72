"""Airflow 3: a DAG of TaskFlow tasks. Nothing is rendered by Jinja: commands are lists, values are data."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from pathlib import Path

from aios_workbench.promote.schedule import zone
from aios_workbench.promote.targets import cron, proof
from aios_workbench.promote.targets.base import Check, Files, Target, Verification, common_limits
from aios_workbench.promote.targets.code import block, call, literal, seconds, text
from aios_workbench.promote.targets.environments import clean, environment
from aios_workbench.promote.targets.plan import Plan
from aios_workbench.promote.targets.pysteps import step_names

_NOTEBOOK = """
<<header>>
from __future__ import annotations

import json
import subprocess
from datetime import timedelta
<<path_import>>
import pendulum
from airflow.sdk import <<imports>>

BUNDLE = <<bundle>>
PARAMETERS = <<parameters>>


@dag(
    dag_id=<<dag_id>>,
    description=<<title>>,
    schedule=<<schedule>>,
    start_date=pendulum.datetime(<<since>>, tz=<<zone>>),
    catchup=<<catchup>>,
    max_active_runs=<<concurrency>>,
    params={"parameters": Param(PARAMETERS, type="object")},
    default_args=<<default_args>>,
    tags=["aios"],
)
def job():
    @task
    def notebook(params=None):
        parameters = json.dumps(params["parameters"])
        subprocess.run([<<aios>>, "run-job", str(BUNDLE), "--params", parameters], check=True)

    notebook()


job()
"""

_STEPS = '''
<<header>>
from __future__ import annotations

import json
import subprocess
from datetime import timedelta
<<path_import>>
import pendulum
from airflow.sdk import <<imports>>

BUNDLE = <<bundle>>
PARAMETERS = <<parameters>>


def run_step(step, inputs, params, run_id):
    """Run one step; what goes on to the next task is a reference into the artifact store."""
    command = [<<aios>>, "run-step", str(BUNDLE), step, "--run", run_id]
    command += ["--params", json.dumps(params["parameters"]), "--inputs", json.dumps(inputs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@dag(
    dag_id=<<dag_id>>,
    description=<<title>>,
    schedule=<<schedule>>,
    start_date=pendulum.datetime(<<since>>, tz=<<zone>>),
    catchup=<<catchup>>,
    max_active_runs=<<concurrency>>,
    params={"parameters": Param(PARAMETERS, type="object")},
    tags=["aios"],
)
def job():
<<tasks>>

job()
'''


class Airflow(Target):
    """Apache Airflow 3."""

    name = "airflow"
    title = "Airflow 3"
    evidence = "real"
    proof = "parsed by Airflow's DagBag, run by `airflow dags test` on its own database"
    grains = ("notebook", "steps")

    def limits(self, plan: Plan) -> list[str]:
        """Return what it cannot express."""
        found = common_limits(
            plan, missed=("latest", "all"), keeps=("concurrency", "starting"),
            busy="run once the ones before it have ended",
        )  # fmt: skip
        if plan.spec.missed == "all" and plan.spec.schedule:
            found.append(
                "catch_up: Airflow makes up for every missed run since the start date, not for the newest few"
            )
        if plan.spec.schedule:
            found.append(
                "daylight saving: a fixed time the clock skips runs at Airflow's choice, not after the gap"
            )
        return found

    def render(self, plan: Plan) -> Files:
        """Return one DAG file, and an ignore file: the bundle holds no DAGs."""
        self.check(plan)
        spec = plan.spec
        ticks = text(cron.plain(spec.ticks, self.title)) if spec.ticks else ""
        schedule = f"CronTriggerTimetable({ticks}, timezone={text(spec.timezone)})"
        parts = {
            "header": self.header(plan).rstrip(),
            "path_import": "" if plan.bundle else "from pathlib import Path\n",
            "imports": ", ".join(
                (*(("CronTriggerTimetable",) if spec.schedule else ()), "Param", "dag", "task")
            ),
            "bundle": text(plan.bundle) if plan.bundle else 'Path(__file__).parent / "bundle"',
            "parameters": literal(spec.parameters, used=13),
            "dag_id": text(plan.slug),
            "title": text(plan.title),
            "schedule": schedule if spec.schedule else "None",
            "since": _since(plan),
            "concurrency": str(spec.concurrency),
            "zone": text(spec.timezone),
            "catchup": str(spec.missed == "all" and bool(spec.schedule)),
            "default_args": _policy(spec.retries, spec.retry_delay, spec.timeout, 4),
            "aios": text(plan.aios),
        }
        template = _NOTEBOOK
        if plan.steps:
            template, parts["tasks"] = _STEPS, _tasks(plan)
        source = block(template, **parts)
        if "timedelta(" not in source:
            source = source.replace("from datetime import timedelta\n", "")
        if plan.bundle:
            source = source.replace("import subprocess\n\n\n", "import subprocess\n\n")
        return {f"{plan.slug}/dag.py": source, f"{plan.slug}/.airflowignore": "bundle/**\n"}

    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Let Airflow import the DAG; with `execute` run it."""
        tools = environment("airflow")
        with tempfile.TemporaryDirectory(prefix="aios-airflow-") as home:
            env = clean(
                AIRFLOW_HOME=home, AIRFLOW__CORE__DAGS_FOLDER=str((folder / plan.slug).resolve()),
                AIRFLOW__CORE__LOAD_EXAMPLES="False", AIRFLOW__CORE__UNIT_TEST_MODE="False",
                AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False", AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
                PATH=f"{tools}{os.pathsep}{os.environ['PATH']}",
            )  # fmt: skip
            checks = _database(tools, Path(home), env)
            listing = [tools / "python", "-c", _IMPORTED, plan.slug]
            checks.append(proof.run("Airflow's DagBag", "real", listing, env=env))
            if execute and all(check.ok for check in checks):
                command = [tools / "airflow", "dags", "test", plan.slug]
                checks.append(proof.run("airflow dags test", "real", command, env=env))
        return Verification(self.name, tuple(checks))


def _database(tools: Path, home: Path, env: dict[str, str]) -> list[Check]:
    """Give Airflow its database: migrating an empty one takes longer than all the rest, so one is kept."""
    kept = tools.parent / "airflow.db"
    if kept.exists():
        shutil.copy(kept, home / "airflow.db")
        return []
    made = proof.run("airflow db migrate", "real", [tools / "airflow", "db", "migrate"], env=env)
    if made.ok:
        with tempfile.NamedTemporaryFile(dir=tools.parent, delete=False) as new:
            new.write((home / "airflow.db").read_bytes())
        Path(new.name).replace(kept)  # at once: another process may be looking
    return [made]


_IMPORTED = """
import sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag()
print(bag.import_errors, sorted(bag.dags))
sys.exit(bool(bag.import_errors) or sys.argv[1] not in bag.dags)
"""


def _since(plan: Plan) -> str:
    """Return the day of the promotion, or the later instant before which the job wants no tick."""
    spec, day = plan.spec, f"{plan.since.year}, {plan.since.month}, {plan.since.day}"
    if spec.starts_at is None:
        return day
    there = zone(spec.timezone)
    first = dt.datetime.fromtimestamp(spec.starts_at, there)
    if first.date() <= plan.since:
        return day
    return f"{first.year}, {first.month}, {first.day}, {first.hour}, {first.minute}, {first.second}"


def _policy(retries: int, delay: float, timeout: float | None, indent: int) -> str:
    parts = []
    if retries:
        parts = [f'"retries": {retries}', f'"retry_delay": timedelta(seconds={seconds(delay)})']
    if timeout:
        # the runner ends the notebook first and says why; this ends a runner that hangs
        parts.append(f'"execution_timeout": timedelta(seconds={seconds(timeout + 60)})')
    flat = "{" + ", ".join(parts) + "}"
    if len(flat) < 70:
        return flat
    pad = " " * (indent + 4)
    return "{\n" + "".join(f"{pad}{part},\n" for part in parts) + " " * indent + "}"


def _tasks(plan: Plan) -> str:
    names = step_names(plan.steps)
    lines = []
    for step in plan.steps:
        name, policy = names[step.name], []
        policy.append(f"task_id={text(name)}")
        if step.retries:
            policy += [
                f"retries={step.retries}",
                f"retry_delay=timedelta(seconds={seconds(step.retry_delay)})",
            ]
        if step.timeout:
            policy.append(f"execution_timeout=timedelta(seconds={seconds(step.timeout + 60)})")
        inputs = [names[up] for up in step.upstream]
        lines += [
            call("@task", policy, 4),
            call(f"def {name}_step", [*inputs, "params=None", "run_id=None"], 4, "):"),
            call("return run_step", [text(step.name), f"[{', '.join(inputs)}]", "params", "run_id"], 8),
            "",
        ]
    lines += [
        f"    {names[s.name]} = {names[s.name]}_step({', '.join(names[up] for up in s.upstream)})"
        for s in plan.steps
    ]
    # the last tasks' references are nobody's input
    used = {up for s in plan.steps for up in s.upstream}
    for i, s in enumerate(plan.steps):
        if s.name not in used:
            at = len(lines) - len(plan.steps) + i
            lines[at] = "    " + lines[at].split(" = ", 1)[1]
    return "\n".join(lines) + "\n"
