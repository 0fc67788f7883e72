"""`aios gc`: free the disk of what nothing needs any more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, json_option

if TYPE_CHECKING:
    from aios_workbench.workspace import Workspace

_BATCH = 500


@click.command(short_help="Delete old runs and what nothing references.")
@click.option(
    "--keep-days", default=30.0, show_default=True, type=click.FloatRange(0), help="Runs younger are kept."
)
@click.option("--keep-runs", default=20, show_default=True, type=click.IntRange(0),
              help="So many newest runs of each workflow are kept, however old.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@json_option
@click.pass_obj
def gc(state: State, keep_days: float, keep_runs: int, dry_run: bool, as_json: bool) -> None:
    """Delete runs that are over and old, then values nothing references, and leftovers of dead processes.

    Never touched: runs that are not over, what they need, what belongs to a job's run under way, values less
    than an hour old, environments of jobs' present versions, the audit trail. Safe while others work.
    """
    from aios_workbench.engine import leases
    from aios_workbench.govern import actor, audit
    from aios_workbench.workspace.gc import collect

    ws = state.workspace()
    journal = Journal(ws)
    done = collect(
        ws, journal, alive=lambda executor: leases.alive(ws, executor), keep_days=keep_days, keep_runs=keep_runs,
        dry_run=dry_run,
    )  # fmt: skip
    environments = _environments(ws, keep_days, dry_run=dry_run)
    done.folders, done.folder_bytes = done.folders + environments[0], done.folder_bytes + environments[1]
    if not dry_run and (done.runs or done.artifacts):
        audit(ws, actor(), "workspace.gc", str(ws.root), **done.to_dict())
    if as_json:
        output.emit(done.to_dict())
        return
    rows = [
        ("runs", done.runs, ""), ("values", done.artifacts, output.size(done.artifact_bytes)),
        ("leftover files", done.files, output.size(done.file_bytes)),
        ("notebook executions, environments", done.folders, output.size(done.folder_bytes)),
        ("lock files of dead processes", done.locks, ""), ("journal entries", done.journal, ""),
    ]  # fmt: skip
    output.show(output.table(("what", ">count", ">bytes"), rows))
    output.say(f"{'would free' if dry_run else 'freed'} {output.size(done.bytes)}")


def _environments(ws: Workspace, keep_days: float, *, dry_run: bool) -> tuple[int, int]:
    """Delete locked environments that no job runs in any more; returns how many, and their bytes."""
    from aios_workbench.promote.environment.gc import collect_environments

    return collect_environments(ws, keep_days=keep_days, dry_run=dry_run)


class Journal:
    """The engine's journal, for the collector, which knows no engine."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    def entries(self) -> Iterator[tuple[str, str, float]]:
        """Yield entry, run id and time of creation (epoch seconds) of everything journaled for runs."""
        from aios_workbench.engine.journal import WORKFLOW

        with _client(self._ws) as client:
            if client is None:
                return
            for status in client.list_workflows(name=WORKFLOW, load_input=False, load_output=False):
                run_id = status.workflow_id.rpartition(".")[0]
                yield status.workflow_id, run_id, (status.created_at or 0) / 1000

    def references(self, entries: Iterable[str]) -> set[str]:
        """Return the hashes of values these entries refer to: the catalog may not have heard of them yet."""
        found: set[str] = set()
        with _client(self._ws) as client:
            for entry in entries if client is not None else ():
                for step in client.list_workflow_steps(entry):
                    record = step["output"]
                    if isinstance(record, dict):
                        found.update((record.get("inputs") or {}).values())
                        for part in ("output", "kept"):
                            found.add((record.get(part) or {}).get("hash", ""))
        return found

    def delete(self, entries: list[str]) -> None:
        """Forget these entries."""
        with _client(self._ws) as client:
            for start in range(0, len(entries) if client is not None else 0, _BATCH):
                client.delete_workflows(entries[start : start + _BATCH])


@contextlib.contextmanager
def _client(ws: Workspace) -> Iterator[Any]:
    """Open the journal without an engine; None where there is no journal yet."""
    from aios_workbench.engine import journal

    if not journal.there(ws):
        yield None
        return
    with journal.client(ws, journal.journal_engine(ws)) as client:
        yield client
