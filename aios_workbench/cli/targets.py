"""`aios targets`, and what `aios promote --target` does."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import exits, output
from aios_workbench.cli.state import State, json_option

if TYPE_CHECKING:
    from aios_workbench.promote import JobSpec
    from aios_workbench.promote.targets import Export, Verification


@click.command(short_help="List the schedulers a job can be written for.")
@json_option
def targets(as_json: bool) -> None:
    """List the targets of `aios promote --target`, how far each is proven, and by what."""
    from aios_workbench.adapters import LEVELS
    from aios_workbench.promote.targets import all_targets

    found = all_targets()
    if as_json:
        output.emit({
            "targets": [
                {"name": t.name, "title": t.title, "evidence": t.evidence, "proof": t.proof, "grains": list(t.grains)}
                for t in found
            ],
            "levels": LEVELS,
        })  # fmt: skip
        return
    rows = [(t.name, t.title, ", ".join(t.grains), t.evidence, t.proof) for t in found]
    output.show(output.table(("target", "is", "grain", "evidence", "what was run"), rows))
    output.say("; ".join(f"{level}: {meaning}" for level, meaning in LEVELS.items()))


@dataclass(frozen=True)
class Wanted:
    """The options of `aios promote` that are about a target."""

    target: str
    out: Path
    grain: str
    workflow: str | None
    verify: bool
    execute: bool
    image: str | None
    bundle: str | None
    aios: str | None

    def again(self, notebook: Path, spec: JobSpec) -> str:
        """Return the command that writes the files anew. Alerts have passwords in them and are left out."""
        given = {
            "--name": None if spec.name == notebook.stem else spec.name, "--schedule": spec.schedule,
            "--timezone": None if spec.timezone == "UTC" else spec.timezone, "--target": self.target,
            "--out": None if self.out == Path() else str(self.out),
            "--grain": None if self.grain == "notebook" else self.grain, "--workflow": self.workflow,
            "--image": self.image, "--bundle-path": self.bundle, "--command": self.aios,
        }  # fmt: skip
        words = ["aios", "promote", str(notebook)]
        for option, value in given.items():
            words += [option, value] if value else []
        return shlex.join(words) + (" …" if spec.parameters or spec.retries or spec.timeout else "")


def write(state: State, notebook: Path, spec: JobSpec, wanted: Wanted, *, as_json: bool) -> int:
    """Write a job's files for a target, verify them where that is asked for; return the exit code.

    Raises
    ------
    JobError, NotFoundError, ConflictError
        Before anything is written.
    """
    from aios_workbench.govern import actor, audit
    from aios_workbench.promote.targets import export, get
    from aios_workbench.promote.targets.stored import stored_workflow

    target = get(wanted.target)
    more: dict[str, Any] = {}
    if wanted.grain == "steps":
        more = stored_workflow(state.workspace(), notebook, wanted.workflow)
    made = export(
        notebook, spec, target, wanted.out, again=wanted.again(notebook, spec), image=wanted.image,
        bundle=wanted.bundle, aios=wanted.aios, workdir=str(notebook.resolve().parent), **more,
    )  # fmt: skip
    audit(state.workspace(create=True), actor(), "job.export", spec.name, target=target.name,
          bundle_hash=made.plan.bundle_hash)  # fmt: skip
    found = target.verify(made.folder, made.plan, execute=wanted.execute) if wanted.verify else None
    code = exits.OK if found is None or found.ok else exits.FAILED
    if as_json:
        output.emit({**made.to_dict(), "verification": found.to_dict() if found else None})
        return code
    _tell(made, found)
    return code


def _tell(made: Export, found: Verification | None) -> None:
    for path in made.files:
        output.say(f"{path}" if path in made.written else f"{path}  unchanged")
    output.say(f"{made.bundle}  bundle {made.plan.bundle_hash[:12]}")
    if made.limits:
        output.say(f"what {made.target.title} cannot express of this job:")
        for limit in made.limits:
            output.say(f"- {limit}")
    if found is None:
        return
    for check in found.checks:
        output.say(output.state("ok" if check.ok else "failed"), f"  {check.what}  ({check.level})")
        if not check.ok:
            output.say(check.output[-4000:], err=True, lines=True)
