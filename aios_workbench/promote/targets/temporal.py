"""Temporal: a workflow with an activity, its worker and its schedule, in one file."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from aios_workbench.promote.targets import cron, proof
from aios_workbench.promote.targets.base import Files, Target, Verification, common_limits
from aios_workbench.promote.targets.code import block, call, literal, seconds, text
from aios_workbench.promote.targets.environments import clean, environment
from aios_workbench.promote.targets.plan import Plan
from aios_workbench.promote.targets.promises import interval_of

_LONGEST = 7 * 86_400

_SOURCE = """
<<header>>
from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
<<path_import>>from typing import Any

from temporalio import activity, workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

BUNDLE = <<bundle>>
PARAMETERS: dict[str, Any] = <<parameters>>
NAME = <<name>>


@activity.defn
def notebook(parameters: dict[str, Any]) -> None:
    command = [<<aios>>, "run-job", str(BUNDLE), "--params", json.dumps(parameters)]
    subprocess.run(command, check=True)


@workflow.defn(name=NAME)
class Job:
    @workflow.run
    async def run(self, parameters: dict[str, Any]) -> None:
        await workflow.execute_activity(
            notebook,
            parameters,
            start_to_close_timeout=timedelta(seconds=<<timeout>>),
            retry_policy=RetryPolicy(
                maximum_attempts=<<attempts>>,
                initial_interval=timedelta(seconds=<<delay>>),
                backoff_coefficient=1.0,
            ),
        )


SCHEDULE = Schedule(
    action=ScheduleActionStartWorkflow(Job.run, PARAMETERS, id=NAME, task_queue=NAME),
<<spec>>
    policy=SchedulePolicy(
        overlap=ScheduleOverlapPolicy.<<overlap>>, catchup_window=timedelta(seconds=<<catch_up>>)
    ),
)


def worker(client: Client) -> Worker:
    return Worker(
        client,
        task_queue=NAME,
        workflows=[Job],
        activities=[notebook],
        activity_executor=ThreadPoolExecutor(1),
    )


async def main() -> None:
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"))
<<create>>    await worker(client).run()


if __name__ == "__main__":
    asyncio.run(main())
"""


class Temporal(Target):
    """Temporal."""

    name = "temporal"
    title = "Temporal"
    evidence = "wire"
    proof = (
        "worker, workflow and activity executed on Temporal's own time-skipping test server; that has no schedules, so "
        "the schedule is only built"
    )

    def limits(self, plan: Plan) -> list[str]:
        """Return what it cannot express."""
        found = common_limits(plan, missed=("all", "skip", "latest"), keeps=("queue", "starting"))
        if plan.spec.schedule and plan.spec.missed == "latest":
            found.append(
                "missed runs: of those of the last hour one runs, as runs do not overlap; older ones do not"
            )
        if plan.spec.schedule and plan.spec.missed == "all":
            found.append(
                "missed runs: those of the last day, one after another only while the first still runs"
            )
        if plan.spec.schedule:
            found.append("daylight saving: a time the clock skips is not run, one shown twice may run twice")
        return found

    def render(self, plan: Plan) -> Files:
        """Return one file: workflow, worker, schedule."""
        self.check(plan)
        spec = plan.spec
        create = (
            "    with contextlib.suppress(ScheduleAlreadyRunningError):\n"
            "        await client.create_schedule(NAME, SCHEDULE)\n"
        )
        source = block(
            _SOURCE,
            header=self.header(plan).rstrip(),
            path_import="" if plan.bundle else "from pathlib import Path\n",
            bundle=text(plan.bundle) if plan.bundle else 'Path(__file__).parent / "bundle"',
            parameters=literal(spec.parameters, used=29),
            name=text(plan.slug),
            # the runner ends the notebook first and says why; this ends a runner that hangs
            timeout=seconds(spec.timeout + 60 if spec.timeout else _LONGEST),
            attempts=str(spec.retries + 1),
            delay=seconds(spec.retry_delay),
            spec=_when(plan, self.title),
            overlap="BUFFER_ALL" if spec.overlap == "queue" else "SKIP",
            catch_up={"skip": "60", "latest": "3600", "all": "86400"}[spec.missed],
            create=create if spec.ticks else "",
            aios=text(plan.aios),
        )
        if interval_of(plan) is not None:
            after = "    ScheduleAlreadyRunningError,\n"
            source = source.replace(after, f"{after}    ScheduleIntervalSpec,\n")
        if "start_at=" in source:
            source = source.replace(
                "from datetime import timedelta\n", "from datetime import datetime, timedelta\n"
            )
        return {f"{plan.slug}/worker.py": source if spec.ticks else _unscheduled(source)}

    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Load the file; with `execute` run worker and workflow against Temporal's test server."""
        tools = environment("temporal")
        file = (folder / plan.slug / "worker.py").resolve()
        env = clean(PATH=f"{tools}{os.pathsep}{os.environ['PATH']}")
        checks = [
            proof.run(
                "the workflow taken by Temporal's sandbox",
                "wire",
                [tools / "python", "-c", _LOAD, file],
                env=env,
            )
        ]
        if execute and checks[0].ok:
            command = [tools / "python", "-c", _EXECUTE, file, tools / "temporal-test-server"]
            checks.append(
                proof.run("executed on Temporal's test server", "wire", command, env=env, cwd=folder)
            )
        return Verification(self.name, tuple(checks))


def _when(plan: Plan, title: str) -> str:
    """Return when the schedule fires; Temporal counts intervals from 1970, as we do."""
    spec, interval = plan.spec, interval_of(plan)
    if spec.ticks is None:
        return ""
    if interval is None:
        parts = [
            f"cron_expressions={literal([cron.plain(spec.ticks, title)])}", f"time_zone_name={text(spec.timezone)}",
        ]  # fmt: skip
    else:
        offset = (interval.starting or 0.0) % interval.every
        given = [f"every=timedelta(seconds={seconds(interval.every)})"]
        given += [f"offset=timedelta(seconds={seconds(offset)})"] if offset else []
        said = f"ScheduleIntervalSpec({', '.join(given)})"
        parts = [f"intervals=[\n            {said}\n        ]" if offset else f"intervals=[{said}]"]
    if spec.starts_at is not None:
        first = dt.datetime.fromtimestamp(spec.starts_at, dt.UTC).isoformat()
        parts.append(f"start_at=datetime.fromisoformat({text(first)})")
    return call("spec=ScheduleSpec", parts, 4, "),")


_IMPORT = """
import asyncio, importlib.util, sys
spec = importlib.util.spec_from_file_location("worker", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["worker"] = module
sys.path.insert(0, __import__("os").path.dirname(sys.argv[1]))
spec.loader.exec_module(module)
"""
_LOAD = (
    _IMPORT
    + """
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio import workflow
async def main():
    SandboxedWorkflowRunner().prepare_workflow(workflow._Definition.must_from_class(module.Job))
asyncio.run(main())
"""
)
_EXECUTE = (
    _IMPORT
    + """
async def main():
    from temporalio.testing import WorkflowEnvironment
    async with await WorkflowEnvironment.start_time_skipping(test_server_existing_path=sys.argv[2]) as there:
        async with module.worker(there.client):
            await there.client.execute_workflow(
                module.Job.run, module.PARAMETERS, id=module.NAME, task_queue=module.NAME
            )
asyncio.run(main())
"""
)


def _unscheduled(source: str) -> str:
    """Leave out the schedule and what only it imports."""
    start, end = source.index("SCHEDULE = Schedule("), source.index("def worker(")
    source = (source[:start] + source[end:]).replace("import contextlib\n", "")
    start, end = source.index("from temporalio.client import ("), source.index("from temporalio.common")
    return source[:start] + "from temporalio.client import Client\n" + source[end:]
