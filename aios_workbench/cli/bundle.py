"""`aios jobs image` and `aios jobs try`: what a job is rebuilt from elsewhere, and whether that works here."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import exits, output
from aios_workbench.cli.state import State, json_option

if TYPE_CHECKING:
    from aios_workbench.promote import JobSpec


@click.command("image", short_help="Write what a container image of a job is built from.")
@click.argument("job")
@click.option("--version", type=click.IntRange(1), help="Which version.  [default: the one that runs]")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR",
              help="A new folder, or one that this command wrote.")  # fmt: skip
@click.option(
    "--verify", "verified", is_flag=True, help="Let hadolint and CycloneDX's validator read the files."
)
@json_option
@click.pass_obj
def image(state: State, job: str, version: int | None, out: Path, verified: bool, as_json: bool) -> int:
    """Write Dockerfile, bundle, locks with hashes, bill of materials and a wheel of aios-workbench into a folder.

    `docker build`, `podman build` or `buildah build` makes an image of it that runs JOB's notebook once, as a user
    without rights. A package index is asked for hashes; without one the locks have none, and say so.
    """
    from aios_workbench.promote.container import EVIDENCE, context
    from aios_workbench.promote.image_proof import verify_image

    out = out.expanduser()
    with progress(as_json=as_json) as told:
        files = context(state.workspace(), job, version, out, told)
        seen = verify_image(out) if verified else None
    code = exits.OK if seen is None or seen.ok else exits.FAILED
    if as_json:
        output.emit({
            "out": str(out), "files": [str(f) for f in files], "evidence": EVIDENCE,
            "verified": seen.to_dict() if seen is not None else None,
        })  # fmt: skip
        return code
    for check in seen.checks if seen is not None else ():
        output.say(f"{'✓' if check.ok else '✕'} {check.what}")
        if not check.ok:
            output.say(check.output, lines=True)
    output.say(f"{len(files)} files in {out}; evidence: {EVIDENCE} (no image was built here)")
    output.say(f"docker build -t NAME {out}")
    return code


@click.command("try", short_help="Rebuild a job's environment from its lock and try it.")
@click.argument("job")
@click.option("--version", type=click.IntRange(1), help="Which version.  [default: the one that runs]")
@click.option("--run", is_flag=True, help="Run the notebook in it too, twice, and compare the outputs.")
@json_option
@click.pass_obj
def try_(state: State, job: str, version: int | None, run: bool, as_json: bool) -> int:
    """Make the environment JOB was promoted in from its lock alone, and import there what the notebook imports.

    It is kept for the job's runs; `aios gc` deletes those that no job needs.
    """
    from aios_workbench.promote.environment import try_clean
    from aios_workbench.promote.records import intact_bundle, job_row

    ws = state.workspace()
    row = job_row(ws, job)
    folder, _ = intact_bundle(ws, row["job_id"], version or row["version"])
    with progress(as_json=as_json) as told:
        found = try_clean(folder, told, ws=ws, run=run)
    return show_try(found, as_json=as_json)


def try_first(state: State, notebook: Path, spec: JobSpec, *, run: bool, as_json: bool) -> dict[str, Any]:
    """Try what would be promoted; a try that went well is said.

    Raises
    ------
    JobError
        When the notebook cannot be promoted at all.
    """
    from aios_workbench.promote.bundle import make_bundle
    from aios_workbench.promote.checks import checked_spec
    from aios_workbench.promote.environment import try_clean

    notebook = notebook.expanduser().resolve()
    spec, _ = checked_spec(notebook, spec)
    with tempfile.TemporaryDirectory(prefix="aios-try-") as made, progress(as_json=as_json) as told:
        folder = Path(made) / "bundle"
        make_bundle(notebook, spec).write(folder)
        ws = state.workspace(create=True)
        found = try_clean(folder, told, ws=ws, run=run, notebook=notebook, timeout=spec.timeout)
    if found["ok"] and not as_json:
        show_try(found, as_json=False)
    return found


def show_try(found: dict[str, Any], *, as_json: bool) -> int:
    """Print what a clean try found; the exit code says whether it went well."""
    from aios_workbench.workflow.durations import format_duration

    if as_json:
        output.emit(found)
        return exits.OK if found["ok"] else exits.FAILED
    for problem in found["problems"]:
        output.say(f"✕ {problem}")
    took = format_duration(max(found["seconds"], 0.001))
    what = f"Python {found['python']}, {found['packages']} packages, in {took}"
    output.say(f"the locked environment {'works' if found['ok'] else 'does not work'}: {what}")
    return exits.OK if found["ok"] else exits.FAILED


@contextlib.contextmanager
def progress(*, as_json: bool) -> Iterator[Callable[[str], None]]:
    """Show what is going on: a line that turns on a terminal, else a line for each new thing, on stderr."""
    screen = output.console(err=True)
    if as_json:
        yield lambda _: None
        return
    if screen.is_terminal:
        with screen.status("") as status:
            yield status.update
        return
    last: list[str] = []

    def say(doing: str) -> None:
        if doing not in last[-1:]:
            last.append(doing)
            output.say(doing, err=True)

    yield say
