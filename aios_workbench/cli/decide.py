"""`aios approve, reject, cancel, resume, rerun`: act on a run, in whichever process it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import exits, output
from aios_workbench.cli.state import State, find_run, json_option

if TYPE_CHECKING:
    from aios_workbench.workspace import Workspace


@click.command(short_help="Approve a gate, with its form's values.")
@click.argument("run")
@click.argument("gate")
@click.option(
    "-v", "--value", "values", multiple=True, metavar="FIELD=VALUE", help="A field of the gate's form."
)
@click.option("--reason", help="Kept in the audit trail.")
@json_option
@click.pass_obj
def approve(
    state: State, run: str, gate: str, values: tuple[str, ...], reason: str | None, as_json: bool
) -> None:
    """Approve GATE of RUN. Values are read as JSON, else as text, whichever the form takes."""
    _decide(state, run, gate, True, values, reason, as_json)  # noqa: FBT003 - approved


@click.command(short_help="Reject a gate.")
@click.argument("run")
@click.argument("gate")
@click.option("--reason", help="Kept in the audit trail.")
@json_option
@click.pass_obj
def reject(state: State, run: str, gate: str, reason: str | None, as_json: bool) -> None:
    """Reject GATE of RUN."""
    _decide(state, run, gate, False, (), reason, as_json)  # noqa: FBT003 - rejected


def _decide(
    state: State,
    run: str,
    gate: str,
    approved: bool,
    values: tuple[str, ...],
    reason: str | None,
    as_json: bool,
) -> None:
    from aios_workbench.cli.values import assignments, fit
    from aios_workbench.engine import control
    from aios_workbench.govern import actor

    ws = state.workspace()
    run_id = find_run(ws, run)
    row = ws.catalog.one("select form from gates where run_id = :r and step = :s", r=run_id, s=gate)
    form: dict[str, Any] = json.loads(row["form"]) if row and row["form"] else {}
    given = {
        name: fit(text, (form.get("properties") or {}).get(name, {}), form)
        for name, text in assignments(values, "-v", "amount=12").items()
    }
    done = control.decide(ws, run_id, gate, approved, by=actor(), values=given, reason=reason)
    worker = revive(ws, run_id)
    if as_json:
        output.emit({**done, "worker_started": worker})
    else:
        output.say(
            f"gate {gate} of {run_id}  ", output.state(done["status"]), f" by {done['by']}{_taken(worker)}"
        )


@click.command(short_help="Cancel a run.")
@click.argument("run")
@json_option
@click.pass_obj
def cancel(state: State, run: str, as_json: bool) -> None:
    """Cancel RUN: what has not started never starts. Finished steps are kept for `aios resume`."""
    from aios_workbench.cli.watch import wait_until
    from aios_workbench.engine import control
    from aios_workbench.govern import actor

    ws = state.workspace()
    run_id = find_run(ws, run)
    control.cancel(ws, run_id, by=actor())
    status = wait_until(ws, run_id, {"cancelled"}, seconds=3)
    if as_json:
        output.emit({"run_id": run_id, "status": status})
    elif status == "cancelled":
        output.say(f"{run_id}  ", output.state(status))
    else:
        output.say(f"{run_id} is told to stop; it is {status} until the steps in progress notice")


@click.command(short_help="Go on with a failed, cancelled or interrupted run.")
@click.argument("run")
@click.option("--wait", is_flag=True, help="Watch it until it is over.")
@json_option
@click.pass_obj
def resume(state: State, run: str, wait: bool, as_json: bool) -> int:
    """Go on with RUN from its finished steps, in a worker, with the code it started with."""
    from aios_workbench.engine import control, leases
    from aios_workbench.govern import actor

    ws = state.workspace()
    run_id = find_run(ws, run)
    row = control.read_run(ws, run_id)
    if row["status"] in ("queued", "waiting") and not leases.alive(ws, row["owner"]):
        revive(ws, run_id)  # needs no new leg, only somebody to adopt it
    else:
        control.resume(ws, run_id, by=actor())
    return _report(ws, {"run_id": run_id}, f"{run_id} goes on in a worker", wait, as_json)


@click.command(short_help="Start a new run from a step of an old one.")
@click.argument("run")
@click.option(
    "--from", "from_step", required=True, metavar="STEP", help="Done anew, with everything behind it."
)
@click.option("--wait", is_flag=True, help="Watch it until it is over.")
@json_option
@click.pass_obj
def rerun(state: State, run: str, from_step: str, wait: bool, as_json: bool) -> int:
    """Start a new run that reuses what RUN did before STEP, with RUN's code and parameters, in a worker."""
    from aios_workbench.engine import control
    from aios_workbench.govern import actor

    ws = state.workspace()
    old = find_run(ws, run)
    new = control.rerun(ws, old, from_step, by=actor())
    told = f"{new} reruns {old} from {from_step} in a worker"
    return _report(ws, {"run_id": new, "parent_run_id": old}, told, wait, as_json)


def _report(ws: Workspace, data: dict[str, Any], told: str, wait: bool, as_json: bool) -> int:
    from aios_workbench.cli.watch import watch
    from aios_workbench.engine import control

    if wait:
        return watch(ws, data["run_id"], as_json=as_json)
    if as_json:
        output.emit({**data, "status": control.run_status(ws, data["run_id"])})
    else:
        output.say(f"{told}; `aios logs {data['run_id']} -f` follows it")
    return exits.OK


def revive(ws: Workspace, run_id: str) -> bool:
    """Start a worker for a run that is not over and that no living process has; True when one was started."""
    from aios_workbench.engine import control, leases

    row = control.read_run(ws, run_id)
    over = row["status"] in ("succeeded", "failed", "cancelled")
    return not over and not leases.alive(ws, row["owner"]) and control.ensure_worker(ws)


def _taken(worker: bool) -> str:
    return "; a worker was started to go on with it" if worker else ""
