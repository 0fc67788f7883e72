"""What a target is, and what it tells after it was tried."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aios_workbench.adapters import Level
from aios_workbench.errors import JobError
from aios_workbench.promote.targets.plan import Grain, Plan
from aios_workbench.promote.targets.promises import unkept

Files = Mapping[str, str]


@dataclass(frozen=True)
class Check:
    """One thing that was run on the generated files.

    Attributes
    ----------
    what : str
        The tool and what it was asked.
    level : {"real", "wire", "schema"}
        What a success proves; see `aios_workbench.adapters.LEVELS`.
    """

    what: str
    ok: bool
    level: Level
    output: str = ""


@dataclass(frozen=True)
class Verification:
    """What a target's own tools said of the files."""

    target: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True when every check passed, and there was one."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return {"target": self.target, "ok": self.ok, "checks": [asdict(check) for check in self.checks]}


class Target(abc.ABC):
    """An orchestrator or scheduler the job can be handed to.

    Attributes
    ----------
    name : str
        What ``--target`` takes.
    title : str
        As its makers write it.
    evidence : {"real", "wire", "schema", "untested"}
        How far our tests have proven it.
    proof : str
        What they run.
    bundle : str
        Where the bundle goes, relative to the folder of output; `{slug}` stands for the job.
    """

    name: str
    title: str
    evidence: Level
    proof: str
    grains: tuple[Grain, ...] = ("notebook",)
    bundle: str = "{slug}/bundle"

    @abc.abstractmethod
    def render(self, plan: Plan) -> Files:
        """Return the files, content by POSIX path below the folder of output.

        Raises
        ------
        JobError
            When the target cannot do what the job needs, saying what to change.
        """

    @abc.abstractmethod
    def limits(self, plan: Plan) -> list[str]:
        """Return what of this job the target cannot express, a sentence each."""

    @abc.abstractmethod
    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Let the target's own tool read the files in `folder`; with `execute` also run the job once."""

    def header(self, plan: Plan, sign: str = "#") -> str:
        """Return the head of a generated file."""
        return "".join(
            f"{sign} {line}".rstrip() + "\n" for line in plan.header(self.title, self.limits(plan))
        )

    def check(self, plan: Plan) -> None:
        """Refuse what this target cannot do at all.

        Raises
        ------
        JobError
            Naming the grains there are.
        """
        if plan.grain not in self.grains:
            raise JobError(
                f"{self.title} takes a job only as {' or '.join(self.grains)}, not as {plan.grain}; "
                f"give --grain {self.grains[0]}"
            )


def common_limits(
    plan: Plan, *, missed: tuple[str, ...], overlap: str = "", keeps: tuple[str, ...] = (), busy: str = "skipped",
    side: str = "one run at a time",
) -> list[str]:  # fmt: skip
    """Return what no target but the embedded scheduler does.

    Parameters
    ----------
    missed : tuple of str
        The policies for missed runs the target has.
    overlap : str
        What it does with a tick that finds the job running, where that is never what the job wants.
    keeps, busy, side
        As for `promises.unkept`.
    """
    found = []
    spec = plan.spec
    if spec.ticks and spec.missed not in missed:
        found.append(f"missed runs: the job wants {spec.missed!r}, the target does {missed[0]!r}")
    if overlap:
        wanted = "" if spec.overlap == "forbid" else f"; the job wants {spec.overlap!r}"
        found.append(f"overlap: {overlap}{wanted}")
    found += unkept(plan, keeps, busy="" if overlap else busy, side=side)
    waiting = [gate for gate, policy in spec.gates.items() if _waits(policy)]
    if any(s.gate for s in plan.steps):
        found.append(
            "human gates: a task cannot wait for a person; a gate that nobody has decided (`gates:` in job.yaml, or "
            "`aios approve`) ends its task with exit code 6, and a new try of that task goes on"
        )
    elif waiting:
        found.append(
            "human gates: a task cannot wait for a person; a gate that nobody has decided beforehand (`gates:` in "
            "job.yaml) ends the run with exit code 6"
        )
    if spec.alerts:
        found.append("alerts: the target's own notifications are used; set them there")
    if spec.retention != 50 or spec.retention_for or spec.retention_bytes:
        found.append("retention: the target keeps its own history; `aios gc` cleans the workspace")
    return found


def _waits(policy: Any) -> bool:
    return policy == "wait" or (isinstance(policy, dict) and policy.get("decision") == "wait")
