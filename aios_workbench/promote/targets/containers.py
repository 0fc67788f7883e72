"""What the targets that start containers share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aios_workbench.promote.targets import proof
from aios_workbench.promote.targets.base import Check
from aios_workbench.promote.targets.plan import IN_IMAGE, Plan


def bundle_in_image(plan: Plan) -> str:
    """Return where the image holds the bundle."""
    return plan.bundle_at(f"{IN_IMAGE}/{plan.slug}/bundle")


def image_limit(plan: Plan) -> str:
    """Return what the person who builds the image has to know."""
    return (
        f"images: {plan.container_image} must hold the bundle at {bundle_in_image(plan)} and aios-workbench; you build "
        "it and give it a workspace (AIOS_HOME on a volume, or a team's database)"
    )


def resource_name(plan: Plan) -> str:
    """Return a name Kubernetes takes for a CronJob: at most 52 characters, to which it adds the tick."""
    return plan.slug[:52].rstrip("-")


def run_container(
    what: str, container: dict[str, Any], bundle: Path, plan: Plan, folder: Path, *, env: dict[str, str] | None = None,
    given: Mapping[str, str] | None = None,
) -> Check:  # fmt: skip
    """Run a container's command on this machine, with the bundle where it lies here.

    Parameters
    ----------
    given : mapping, optional
        What the target puts in place of ``{{…}}`` in the arguments, as text.
    """
    words = [*container["command"], *container["args"]]
    filled = {**(given or {}), bundle_in_image(plan): str(bundle)}
    return proof.run(
        what, "wire" if env else "schema", [filled.get(w, w) for w in words], cwd=folder, env=env
    )
