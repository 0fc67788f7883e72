"""Dagster: ops executed in process, events and outputs kept by an instance on SQLite."""

from __future__ import annotations

import logging
import os
from importlib.metadata import version
from typing import Any

from common import options, per_step, report

o = options()
os.environ.update(DAGSTER_HOME=str(o.home.resolve()), DAGSTER_DISABLE_TELEMETRY="1")
(o.home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")

from dagster import DagsterInstance, DynamicOut, DynamicOutput, job, op  # noqa: E402 - reads DAGSTER_HOME

logging.disable(logging.CRITICAL)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@op
def start() -> int:
    return 0


@op
def step(x: int) -> int:
    return x + 1


@op
def total(xs: list[int]) -> int:
    return sum(xs)


@op(out=DynamicOut(int))
def numbers() -> Any:
    for i in range(o.steps):
        yield DynamicOutput(i, mapping_key=str(i))


@job
def chain() -> None:
    x = start()
    for i in range(o.steps):
        x = step.alias(f"s{i}")(x)


@job
def fan_out() -> None:
    total(numbers().map(step).collect())


def run(made: Any, last: str) -> int:
    return int(made.execute_in_process(instance=instance, run_config=QUIET).output_for_node(last))


@job
def warm() -> None:
    step.alias("last")(start())


instance = DagsterInstance.get()
run(warm, "last")  # creates the databases
report(
    version=version("dagster"),
    chain=per_step(o, lambda: run(chain, f"s{o.steps - 1}"), o.steps),
    fan_out=per_step(o, lambda: run(fan_out, "total"), o.steps * (o.steps + 1) // 2),
)
