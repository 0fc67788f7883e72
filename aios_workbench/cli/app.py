"""The command group: order, help, errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from aios_workbench import __version__
from aios_workbench.cli import (
    breakers,
    budgets,
    bundle,
    compare,
    decide,
    doctor,
    events,
    exits,
    gc,
    headless,
    jobs,
    jobs_approve,
    jobs_backfill,
    jobs_cells,
    jobs_retry,
    jobs_versions,
    lab,
    limits,
    output,
    policy,
    promote,
    rollout,
    run,
    runs,
    secrets,
    settle,
    sql,
    targets,
    worker,
)
from aios_workbench.cli.state import AS_JSON, State
from aios_workbench.errors import AiosError


class App(click.Group):
    """Commands in reading order; our errors as a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        """Return the commands in the order they were added."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours becomes a message and an exit code."""
        try:
            code = super().invoke(ctx)
            ctx.exit(code if isinstance(code, int) else exits.OK)
        except AiosError as e:
            if isinstance(ctx.obj, State) and ctx.obj.debug:
                raise
            report(e, as_json=bool(ctx.meta.get(AS_JSON)))
            ctx.exit(exits.of_error(e))
        except KeyboardInterrupt:
            output.warn("interrupted")
            ctx.exit(exits.INTERRUPTED)
        except BrokenPipeError:  # `aios logs … | head`
            sys.stdout = None
            ctx.exit(exits.OK)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the exit codes, and how runs are named."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in exits.MEANING.items()])
        with formatter.section("A run"):
            formatter.write_text(
                "is named by its id, by the start of it when that is unambiguous, or by @last."
            )


def report(error: AiosError, *, as_json: bool) -> None:
    """Write an error to stderr, for people or for programs."""
    if as_json:
        data = {"type": type(error).__name__, "message": str(error), "exit_code": exits.of_error(error)}
        output.emit({"error": data}, err=True)
    else:
        output.warn(f"aios: {error}")


@click.group("aios", cls=App, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--workspace", metavar="PATH", help="The workspace folder, or a project with `.aios` in it.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="aios")
@click.pass_context
def app(ctx: click.Context, workspace: str | None, debug: bool) -> None:
    """Durable workflows from notebooks: run them, see them, decide at gates, promote them to jobs.

    Every command takes --json; times in JSON are seconds since 1970 (UTC).
    """
    ctx.obj = State(workspace, debug)
    ctx.obj.choose()


for command in (
    lab.lab, run.run, runs.runs, runs.show, runs.logs, compare.diff, compare.history, decide.resume,
    decide.cancel, decide.rerun, decide.approve, decide.reject, settle.settle, worker.worker,
    jobs.jobs, promote.promote, events.events, targets.targets, headless.run_job, headless.run_step, secrets.secrets,
    policy.policy, breakers.breakers, limits.limits, budgets.budgets, sql.sql, doctor.doctor, gc.gc,
):  # fmt: skip
    app.add_command(command)

for command in (
    jobs_backfill.backfill, jobs_backfill.backfills, jobs_cells.cells, jobs_versions.versions, jobs_versions.diff,
    jobs_versions.rollback, jobs_versions.provenance, jobs_versions.export, jobs_retry.retry,
    jobs_approve.approve, jobs_approve.reject, jobs_approve.approvals, rollout.rollout,
    bundle.image, bundle.try_,
):  # fmt: skip
    jobs.jobs.add_command(command)


def call(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    try:
        code = app.main(args=None if argv is None else list(argv), prog_name="aios", standalone_mode=False)
    except click.ClickException as e:
        e.show()
        return e.exit_code
    except click.Abort:
        return exits.INTERRUPTED
    return code if isinstance(code, int) else exits.OK
