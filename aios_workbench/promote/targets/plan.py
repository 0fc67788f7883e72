"""What is to be rendered: one promoted notebook, where its bundle will lie, and who calls it how."""

from __future__ import annotations

import datetime as dt
import json
import textwrap
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from aios_workbench.errors import JobError
from aios_workbench.promote.bundle import JOB, MANIFEST, verify
from aios_workbench.promote.interval import Interval
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.targets.cron import of_interval
from aios_workbench.promote.targets.quoting import comment, safe_json, slug

Grain = Literal["notebook", "steps"]
GRAINS: tuple[Grain, ...] = ("notebook", "steps")
#: Where the bundle lies in the image of a target that runs containers.
IN_IMAGE = "/opt/aios"


@dataclass(frozen=True)
class Step:
    """One step of a workflow as a target's own task.

    Attributes
    ----------
    retry_delay, timeout : float or None
        Seconds.
    """

    name: str
    upstream: tuple[str, ...] = ()
    retries: int = 0
    retry_delay: float = 0.5
    timeout: float | None = None
    gate: bool = False
    conditional: bool = False


@dataclass(frozen=True)
class Plan:
    """A job on its way to a target.

    Attributes
    ----------
    since : date
        The day of the promotion: where a target wants a start date.
    bundle : str
        Path of the bundle where the job runs; empty: beside the generated files.
    aios : str
        The command, a name on PATH or an absolute path.
    image : str
        The container image; by default named after the job and its bundle.
    again : str
        The command that makes the files anew.
    """

    spec: JobSpec
    bundle_hash: str
    since: dt.date
    bundle: str = ""
    aios: str = "aios"
    image: str = ""
    again: str = ""
    steps: tuple[Step, ...] = ()
    workdir: str = ""

    @classmethod
    def of(cls, folder: Path, **options: Any) -> Plan:
        """Read a bundle.

        Parameters
        ----------
        folder : Path
            A bundle as `promote` writes it; it is verified.

        Raises
        ------
        JobError
            When it is not what was promoted, or no bundle.
        """
        verify(folder)
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        spec = JobSpec.from_yaml((folder / JOB).read_text(encoding="utf-8"))
        since = dt.datetime.fromtimestamp(manifest["created_at"], dt.UTC).date()
        return cls(_in_cron(spec), str(manifest["bundle_hash"]), since, **options)

    @property
    def grain(self) -> Grain:
        """How fine the target sees the job."""
        return "steps" if self.steps else "notebook"

    @property
    def slug(self) -> str:
        """The job's name as an identifier."""
        return slug(self.spec.name)

    @property
    def title(self) -> str:
        """The job's name on one line."""
        return comment(self.spec.name)

    @property
    def container_image(self) -> str:
        """The image a container target starts."""
        return self.image or f"{self.slug}:{self.bundle_hash[:12]}"

    def bundle_at(self, default: str) -> str:
        """Return where the bundle lies when the job runs."""
        return self.bundle or str(PurePosixPath(default))

    @property
    def parameters_json(self) -> str:
        """The parameters on one line that no shell and no template changes."""
        return safe_json(self.spec.parameters)

    def command(self, bundle: str, parameters: str | None = None, *, retries: bool = False) -> list[str]:
        """Return the command that runs the notebook.

        Parameters
        ----------
        parameters : str, optional
            What stands for them where the target fills them in.
        retries : bool
            Let the runner repeat what failed: for targets that cannot.
        """
        words = [
            self.aios,
            "run-job",
            bundle,
            "--params",
            self.parameters_json if parameters is None else parameters,
        ]
        if retries and self.spec.retries:
            words += ["--retries", str(self.spec.retries), "--retry-delay", f"{self.spec.retry_delay:g}"]
        return words

    def header(self, target: str, limits: list[str]) -> list[str]:
        """Return the lines every generated file begins with, without the comment sign."""
        lines = [
            f"Job {self.title!r} for {target}, written by AIOS Workbench. Do not edit; regenerate with:",
            f"  {comment(self.again)}" if self.again else "  aios promote",
            f"Bundle {self.bundle_hash[:16]}.",
        ]
        if limits:
            lines.append(f"What {target} cannot express of this job:")
            for limit in limits:
                lines += _wrapped(comment(limit))
        return lines


def _in_cron(spec: JobSpec) -> JobSpec:
    """Say an interval in cron where that means the same instants: it is what targets read."""
    ticks = spec.ticks
    cron = of_interval(ticks) if isinstance(ticks, Interval) else None
    return (
        spec if cron is None else spec.model_copy(update={"schedule": cron, "every": None, "timezone": "UTC"})
    )


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, 96, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
    )


def steps_of(workflow: Any) -> tuple[Step, ...]:
    """Return a workflow's steps, in topological order.

    Raises
    ------
    JobError
        When it has none.
    DefinitionError
        When one of them cannot be executed by itself.
    """
    from aios_workbench.engine.single import check_shapes, decides_itself

    check_shapes(workflow)
    steps = tuple(
        Step(
            s.name, tuple(s.upstream), 0 if decides_itself(s) else s.retries, s.backoff,
            # the engine ends an attempt; the target's limit must leave room for all that the engine makes
            s.timeout and s.timeout * ((s.retries + 1) * (len(s.fallbacks) + 1) if decides_itself(s) else 1),
            s.kind == "gate", s.when is not None,
        )
        for s in workflow.steps
    )  # fmt: skip
    if not steps:
        raise JobError(f"workflow {workflow.name!r} has no step to make a task of")
    return steps
