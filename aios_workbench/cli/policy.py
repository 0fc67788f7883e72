"""`aios policy`: who may do what in this workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aios_workbench.cli import exits, output
from aios_workbench.cli.state import State, json_option
from aios_workbench.errors import NotFoundError, ParameterError

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(short_help="Say who may do what: check, show, test, use.")
def policy() -> None:
    """Say who may promote, approve, roll out, run, pause and remove jobs in this workspace, in Cedar.

    While nobody has put a policy in force, whoever has the workspace may do everything, except agree to a version that
    he promoted himself.
    """


@policy.command(short_help="Read a policy and hold it against what can be asked.")
@click.argument("file", type=_FILE, required=False)
@click.option("--people", type=_FILE, help="people.json: the groups of each person.")
@json_option
@click.pass_obj
def check(state: State, file: Path | None, people: Path | None, as_json: bool) -> int:
    """Check FILE, or the policy.cedar of the workspace's folder, or the policy in force; change nothing."""
    from aios_workbench.govern import cedar

    text, groups, where = _read(state, file, people)
    problem = ""
    try:
        cedar.read(text, groups)
    except ParameterError as e:
        problem = str(e)
    if as_json:
        output.emit({"where": where, "ok": not problem, "problem": problem or None})
    elif problem:
        output.warn(f"{where}: {problem}")
    else:
        output.say(f"{where}: nothing is wrong")
    return exits.FAILED if problem else exits.OK


@policy.command(short_help="Print the policy in force.")
@click.option("--schema", is_flag=True, help="Print what a policy may speak of instead.")
@json_option
@click.pass_obj
def show(state: State, schema: bool, as_json: bool) -> None:
    """Print the policy in force, who put it there, and who is in which group."""
    from aios_workbench.govern import cedar
    from aios_workbench.govern.policy import in_force

    if schema:
        text = cedar.text_of("schema.cedarschema")
        output.emit({"schema": text}) if as_json else output.say(text, lines=True)
        return
    found = in_force(state.workspace())
    if as_json:
        output.emit({
            "policy": found.text, "people": found.people, "default": found.policy is None, "by": found.by,
            "at": found.at,
        })  # fmt: skip
        return
    since = "the default" if found.by is None else f"put in force by {found.by}, {output.clock(found.at)}"
    output.say(f"// {since}")
    output.say(found.text, lines=True)
    if found.people != "{}":
        output.say(f"// people.json: {found.people}", lines=True)


@policy.command(short_help="Ask whether somebody may do something.")
@click.argument("actor")
@click.argument("action")
@click.argument("job")
@click.option(
    "--version", type=click.IntRange(1), help="The version it is about; the job's own if not given."
)
@click.option(
    "--approvals", type=click.IntRange(0, 10), default=0, help="For job.activate: how many have agreed."
)
@click.option("--mode", default="canary", help="For job.rollout: canary, shadow, promote or roll_back.")
@json_option
@click.pass_obj
def test(
    state: State, actor: str, action: str, job: str, version: int | None, approvals: int, mode: str, as_json: bool
) -> int:  # fmt: skip
    """Ask whether ACTOR may do ACTION (such as job.approve) with JOB; do nothing. Ends with 7 if not."""
    from aios_workbench.promote import permits
    from aios_workbench.promote.records import job_row

    ws = state.workspace()
    said: dict[str, dict[str, Any]] = {
        "job.activate": {"approvals": approvals},
        "job.rollout": {"mode": mode},
    }
    decision = permits.ask(ws, actor, action, job_row(ws, job), version=version, **said.get(action, {}))
    if as_json:
        output.emit({"allowed": decision.allowed, "why": decision.why, "rule": decision.rule})
    else:
        rule = f" ({decision.rule})" if decision.rule else ""
        output.say(f"{actor} {'may' if decision.allowed else 'may not'} do {action}: {decision.why}{rule}")
    return exits.OK if decision.allowed else exits.DENIED


@policy.command(short_help="Put a policy in force.")
@click.argument("file", type=_FILE, required=False)
@click.option("--people", type=_FILE, help="people.json: the groups of each person.")
@click.option("--default", "default", is_flag=True, help="Go back to the default.")
@json_option
@click.pass_obj
def use(state: State, file: Path | None, people: Path | None, default: bool, as_json: bool) -> None:
    """Put FILE, or the policy.cedar of the workspace's folder, in force, on all machines of a team at once.

    It is kept in the workspace's catalog and in the audit trail: a file edited or deleted later changes nothing.
    """
    from aios_workbench.govern import actor
    from aios_workbench.govern.policy import use as enforce

    ws = state.workspace(create=True)
    if default:
        found = enforce(ws, actor(), None)
    else:
        text, groups, _ = _read(state, file, people, force=False)
        found = enforce(ws, actor(), text, groups)
    if as_json:
        output.emit({"default": found.policy is None, "by": found.by, "at": found.at, "digest": found.digest})
    else:
        output.say(f"{'the default' if found.policy is None else 'the policy'} is in force")


def _read(
    state: State, file: Path | None, people: Path | None, *, force: bool = True
) -> tuple[str, str, str]:
    from aios_workbench.govern.policy import PEOPLE, POLICY, in_force

    ws = state.workspace(create=True) if file is None else None
    if file is None and ws is not None and (ws.root / POLICY).exists():
        file = ws.root / POLICY
        people = people or (ws.root / PEOPLE if (ws.root / PEOPLE).exists() else None)
    if file is None and ws is not None:
        if not force:
            raise NotFoundError(f"no policy {ws.root / POLICY}; give the path of a file, or --default")
        found = in_force(ws)
        return found.text, found.people, "the policy in force"
    assert file is not None
    return _text(file), "{}" if people is None else _text(people), str(file)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFoundError(f"no file {path}") from None
    except (OSError, UnicodeDecodeError) as e:
        raise ParameterError(f"{path} cannot be read: {e}") from None
