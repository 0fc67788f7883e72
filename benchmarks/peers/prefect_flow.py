"""Prefect: task runs recorded by its own temporary server (SQLite); results kept in memory, its default.

Prefect 3 hands task states to its server in the background: a flow's call returns long before they are kept, and
the next one pays. So the clock stops when the server has all of them; the time of the call alone is in the JSON.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib.metadata import version

from common import options, per_step, report

o = options()
os.environ.update(
    DO_NOT_TRACK="1",
    PREFECT_HOME=str(o.home),
    PREFECT_LOGGING_LEVEL="ERROR",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
)

from prefect import flow, get_client, task  # noqa: E402 - reads its settings when imported
from prefect.cache_policies import NO_CACHE  # noqa: E402
from prefect.task_runners import ThreadPoolTaskRunner  # noqa: E402


@task(cache_policy=NO_CACHE, persist_result=False)
def step(x: int) -> int:
    return x + 1


@flow
def chain(n: int) -> int:
    x = 0
    for _ in range(n):
        x = step(x)
    return x


@flow(task_runner=ThreadPoolTaskRunner(max_workers=8))
def fan_out(n: int) -> int:
    return sum(f.result() for f in step.map(list(range(n))))


def recorded(kept: int) -> None:
    """Wait until the server has `kept` completed task runs; looked at ten times a second."""
    while (n := count()) < kept:
        if time.perf_counter() - began > 300:
            raise TimeoutError(f"{n} of {kept} task runs recorded")
        time.sleep(0.1)


def count() -> int:
    done = {"state": {"type": {"any_": ["COMPLETED"]}}}
    answer = client._client.post("/task_runs/count", json={"task_runs": done})
    return int(answer.json())


def until_recorded(call: Callable[[], int]) -> Callable[[], int]:
    def both() -> int:
        before = time.perf_counter()
        value = call()
        returned.append((time.perf_counter() - before) * 1e3 / o.steps)
        kept.append(kept[-1] + o.steps)
        recorded(kept[-1])
        return value

    return both


began = time.perf_counter()
chain(3)  # starts the server
returned: list[float] = []
kept = [3]
client = get_client(sync_client=True)
recorded(3)
report(
    version=version("prefect"),
    chain=per_step(o, until_recorded(lambda: chain(o.steps)), o.steps),
    fan_out=per_step(o, until_recorded(lambda: fan_out(o.steps)), o.steps * (o.steps + 1) // 2),
    call_alone=returned,
)
