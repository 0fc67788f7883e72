"""`aios jobs rollout`: try a version beside the one that runs."""

from __future__ import annotations

import json
from typing import Any

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, json_option
from aios_workbench.errors import ParameterError


@click.group(short_help="Try a version beside the one that runs.")
def rollout() -> None:
    """Try a version of a job beside the one that runs: as a canary, which gets a share of the runs, or as a shadow."""


@rollout.command(short_help="Put a version on trial.")
@click.argument("job")
@click.option("--version", type=click.IntRange(1), required=True, help="The version to try.")
@click.option("--canary", metavar="SHARE", help="It gets a share of the runs, such as 20%.  [default: 20%]")
@click.option(
    "--shadow", is_flag=True, help="It runs beside the other one, and nothing follows from its runs."
)
@click.option("--rule", "rules", multiple=True, metavar="NAME=VALUE",
              help="How it is judged: runs=20, alpha=0.05, compare=outputs, tolerance=1e-6, max_difference=0.1, "
                   "promote=true.")  # fmt: skip
@json_option
@click.pass_obj
def start(
    state: State, job: str, version: int, canary: str | None, shadow: bool, rules: tuple[str, ...], as_json: bool
) -> None:  # fmt: skip
    """Put a version of JOB on trial. It is rolled back by itself as soon as it is shown to be worse.

    What a shadow's notebook itself writes or sends is not held back: `aios.is_shadow()` tells it.
    """
    from aios_workbench.govern import actor
    from aios_workbench.promote.rollout import start as begin

    trial = wanted(canary, shadow=shadow) or {}
    found = begin(state.workspace(), job, version, actor(), rules=_rules(rules), **trial)
    output.emit(found) if as_json else _show(found)


@rollout.command(short_help="Say how a trial stands.")
@click.argument("job")
@json_option
@click.pass_obj
def status(state: State, job: str, as_json: bool) -> None:
    """Say how the trial of a version of JOB stands, or how the last one ended."""
    from aios_workbench.promote.rollout import status as stands

    found = stands(state.workspace(), job)
    if as_json:
        output.emit({"rollout": found})
    elif found is None:
        output.say("no version was ever on trial; `aios jobs rollout start` begins one")
    else:
        _show(found)


@rollout.command(short_help="Let the version on trial take the other's place.")
@click.argument("job")
@click.option("--reason", help="Kept in the audit trail.")
@json_option
@click.pass_obj
def promote(state: State, job: str, reason: str | None, as_json: bool) -> None:
    """End the trial of JOB: all runs get the new version."""
    _finish(state, job, "promote", reason, as_json=as_json)


@rollout.command(short_help="Take the version on trial back.")
@click.argument("job")
@click.option("--reason", help="Kept in the audit trail.")
@json_option
@click.pass_obj
def abort(state: State, job: str, reason: str | None, as_json: bool) -> None:
    """End the trial of JOB: all runs get the version that was there before."""
    _finish(state, job, "roll_back", reason, as_json=as_json)


def _finish(state: State, job: str, decision: str, reason: str | None, *, as_json: bool) -> None:
    from aios_workbench.govern import actor
    from aios_workbench.promote.rollout import finish

    found = finish(state.workspace(), job, actor(), decision, reason)
    output.emit(found) if as_json else _show(found)


def wanted(canary: str | None, *, shadow: bool) -> dict[str, Any] | None:
    """Return what the options `--canary` and `--shadow` ask for; None for neither.

    Raises
    ------
    ParameterError
        When both are given, or the share is none.
    """
    if canary is not None and shadow:
        raise ParameterError("a version is tried as --canary or as --shadow, not as both")
    if shadow:
        return {"mode": "shadow"}
    if canary is None:
        return None
    try:
        share = float(canary.rstrip("%")) / (100 if canary.endswith("%") else 1)
    except ValueError:
        raise ParameterError(f"--canary {canary!r} is no share; write 20% or 0.2") from None
    return {"mode": "canary", "share": share}


def _rules(given: tuple[str, ...]) -> dict[str, Any]:
    from aios_workbench.cli.values import assignments

    rules = {}
    for name, text in assignments(given, "--rule", "runs=20").items():
        try:
            rules[name] = json.loads(text)
        except ValueError:
            rules[name] = text
    return rules


def _show(found: dict[str, Any]) -> None:
    seen = found["judgement"]
    output.say(
        f"{found['job']}  version {found['version']} as {found['mode']} of {found['share']:.0%} of the runs, "
        f"beside version {found['base_version']}  ", output.state(found["status"]),
        f"  {found['reason'] or seen['reason']}",
    )  # fmt: skip
    rows = [
        (f"version {found[which]}", count["runs"], count["failed"], count["slow"])
        for which, count in (("base_version", seen["base"]), ("version", seen["new"]))
    ]
    output.show(output.table(("", ">runs", ">failed", ">too slow"), rows))
    for test, value in seen["e_values"].items():
        shown = "settled" if value is None else f"{value:.3g}"
        output.say(f"{_TESTS[test]}: {shown} (rolled back at {seen['threshold']:.3g})")
    if seen["pairs"]:
        output.say(f"{seen['differing']} of {seen['compared']} compared runs differ")
    for pair in seen["pairs"][-_SHOWN:]:
        for line in pair["differences"] or ():
            output.say(f"  {pair['run']} / {pair['shadow']}: {output.short(line, 160)}")


_TESTS = {
    "worse": "against 'no worse than the other version'", "promise": "against 'keeps what the job promises'",
    "different": "against 'differs no more than it may'",
}  # fmt: skip
_SHOWN = 10
