"""`aios run`: start a workflow, or execute a notebook once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aios_workbench.cli import exits, output
from aios_workbench.cli.state import State, json_option

if TYPE_CHECKING:
    from aios_workbench.workspace import Workspace


@click.command(short_help="Run a workflow, or a notebook once.")
@click.argument("target")
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter: JSON, else text."
)
@click.option("--gate", "gates", multiple=True, metavar="GATE=DECISION",
              help="What answers a gate: approve, reject, wait, or JSON with values; * is any gate.")  # fmt: skip
@click.option("--wait-gates", is_flag=True, help="Stay while the run waits for a person.")
@click.option("--detach", is_flag=True, help="Leave the run to a worker in the background.")
@click.option(
    "--priority", type=click.IntRange(-100, 100), help="Instead of the workflow's; higher goes first."
)
@click.option(
    "--no-wait", is_flag=True, help="Give up at once when the workflow's queue is full (exit code 4)."
)
@click.option("--key", help="Idempotency key: the same key gives the same run, resumed if it had failed.")
@json_option
@click.pass_obj
def run(
    state: State, target: str, params: tuple[str, ...], gates: tuple[str, ...], wait_gates: bool, detach: bool,
    priority: int | None, no_wait: bool, key: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Run TARGET: file.py, file.py:name, notebook.ipynb, or the name of a workflow that has run before.

    A workflow known by name runs with the code and parameters of its newest run; -p changes some. Ctrl-C ends
    the watching, not the run.
    """
    from aios_workbench.cli import start
    from aios_workbench.cli import target as targets
    from aios_workbench.cli.interrupts import noted
    from aios_workbench.cli.values import assignments, gate_policies
    from aios_workbench.cli.watch import watch

    given, policies = assignments(params, "-p", "limit=500"), gate_policies(gates)
    if target.endswith(".ipynb"):
        if detach or key or priority is not None or no_wait:
            raise click.UsageError(
                "a notebook runs here, without --detach, --key, --priority and --no-wait; `aios promote` makes it a job"
            )
        from aios_workbench.cli.notebook import execute

        return execute(state.workspace(create=True), Path(target), given, policies, as_json=as_json)
    file = targets.split(target)
    if file is not None:
        workflow = targets.load(*file)
        ws = state.workspace(create=True)
        prepared = start.from_code(ws, workflow, given)
    else:
        ws = state.workspace()
        prepared = start.from_history(ws, target, given)
    flow = {"priority": priority, "wait": not no_wait}
    if detach:
        return _detached(ws, prepared.start(policies, key, detach=True, flow=flow), as_json=as_json)
    with noted(2) as pressed:
        run_id = prepared.start(policies, key, detach=False, flow=flow)
        if not as_json:
            output.say(run_id)
        return watch(ws, run_id, as_json=as_json, wait_gates=wait_gates, pressed=pressed)


def _detached(ws: Workspace, run_id: str, *, as_json: bool) -> int:
    from aios_workbench.engine import control

    if as_json:
        output.emit({"run_id": run_id, "status": control.run_status(ws, run_id)})
    else:
        output.say(
            f"{run_id} runs in a worker; `aios logs {run_id} -f` follows it, `aios cancel {run_id}` cancels it"
        )
    return exits.OK
