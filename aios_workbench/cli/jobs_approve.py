"""`aios jobs approve`, `reject`, `approvals`: other people's agreement to a version."""

from __future__ import annotations

from typing import Any

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, json_option

_VERSION = click.option("--version", type=click.IntRange(1), help="Which; the one that waits, if not given.")
_BUNDLE = click.option(
    "--bundle", metavar="HASH", help="What was looked at, in full; another bundle is refused."
)


@click.command(short_help="Agree to a version that waits.")
@click.argument("job")
@_VERSION
@_BUNDLE
@click.option("--reason", help="Kept with the version and in the audit trail.")
@json_option
@click.pass_obj
def approve(
    state: State, job: str, version: int | None, bundle: str | None, reason: str | None, as_json: bool
) -> None:
    """Agree to a version of JOB that waits. With the last approval it needs, the job runs it from its next run on.

    Whoever promoted a version does not count, and every person has one vote.
    """
    _decide(state, job, version, "approve", reason, bundle, as_json=as_json)


@click.command(short_help="Reject a version that waits.")
@click.argument("job")
@_VERSION
@_BUNDLE
@click.option("--reason", required=True, help="For the one who promoted it.")
@json_option
@click.pass_obj
def reject(
    state: State, job: str, version: int | None, bundle: str | None, reason: str, as_json: bool
) -> None:
    """Reject a version of JOB that waits: it never runs. Whoever promoted it may take it back so."""
    _decide(state, job, version, "reject", reason, bundle, as_json=as_json)


def _decide(
    state: State, job: str, version: int | None, word: str, reason: str | None, bundle: str | None, *, as_json: bool
) -> None:  # fmt: skip
    from aios_workbench.govern import actor
    from aios_workbench.promote import approvals

    found = approvals.decide(state.workspace(), job, version, actor(), word, reason, bundle_hash=bundle)
    if as_json:
        output.emit(found)
        return
    output.say(
        f"{found['job']}  version {found['version']} ({found['bundle_hash'][:12]})  ", output.state(found["status"]),
        f"  {found['why']}",
    )  # fmt: skip


@click.command(short_help="List the versions that wait for approval.")
@click.argument("job", required=False)
@json_option
@click.pass_obj
def approvals(state: State, job: str | None, as_json: bool) -> None:
    """List the versions, of JOB or of all jobs, that wait for approval: who promoted them, who has agreed."""
    from aios_workbench.promote.approvals import waiting
    from aios_workbench.promote.records import job_row

    ws = state.workspace()
    wanted = None if job is None else job_row(ws, job)["job_id"]
    found = [row for row in waiting(ws) if wanted in (None, row["job_id"])]
    if as_json:
        output.emit({"waiting": found})
    elif not found:
        output.say("no version waits for approval")
    else:
        output.show(
            output.table(("job", "version", "bundle", "promoted", "by", "agreed", "still"), map(_line, found))
        )


def _line(row: dict[str, Any]) -> tuple[object, ...]:
    agreed = ", ".join(vote["actor"] for vote in row["given"] if vote["decision"] == "approved")
    return (
        row["job"], row["version"], row["bundle_hash"][:12], output.clock(row["created_at"]), row["created_by"] or "",
        agreed, row["why"],
    )  # fmt: skip
