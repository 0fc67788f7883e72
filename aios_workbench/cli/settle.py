"""`aios settle`: say whether something that is done once has been done."""

from __future__ import annotations

import json

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, find_run, json_option
from aios_workbench.errors import ParameterError


@click.command(short_help="Say whether an effect in doubt was done.")
@click.argument("run")
@click.argument("step")
@click.option("--done/--not-done", "done", default=None, help="What a look at the outside world has shown.")
@click.option("--key", help="Which, where several effects of the step are in doubt.")
@click.option("--output", "value", help="With --done: what the step would have returned, as JSON.")
@json_option
@click.pass_obj
def settle(
    state: State, run: str, step: str, done: bool | None, key: str | None, value: str | None, as_json: bool
) -> None:
    """Say whether the effect of STEP, which was cut off in RUN, was done; `aios resume RUN` then goes on."""
    from aios_workbench.engine import effects
    from aios_workbench.govern import actor

    if done is None:
        raise ParameterError("say --done or --not-done: nobody else can know")
    try:
        loaded = None if value is None else json.loads(value)
    except ValueError as e:
        raise ParameterError(f"--output is not JSON: {e}") from None
    ws = state.workspace()
    run_id = find_run(ws, run)
    settled = effects.settle(ws, run_id, step, done=done, by=actor(), key=key, output=loaded)
    if as_json:
        output.emit({"run": run_id, "step": step, "key": settled, "done": done})
    else:
        output.say(
            f"'{settled}' of {step} is settled as {'done' if done else 'not done'}; aios resume {run_id}"
        )
