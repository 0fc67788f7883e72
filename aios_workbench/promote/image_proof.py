"""What other people's tools say of an image's context: hadolint of the Dockerfile, CycloneDX's own of the bill."""

from __future__ import annotations

from pathlib import Path

from aios_workbench.promote.environment import SBOM
from aios_workbench.promote.targets import proof
from aios_workbench.promote.targets.base import Check, Verification
from aios_workbench.promote.targets.environments import environment

_STRICT = """
import sys
from pathlib import Path
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
said = JsonStrictValidator(SchemaVersion.V1_6).validate_str(Path(sys.argv[1]).read_text(encoding="utf-8"))
sys.exit(None if said is None else str(said))
"""


def verify_image(folder: Path) -> Verification:
    """Let hadolint read the Dockerfile and CycloneDX's validator the bill of materials.

    The two tools are fetched once, into an environment of their own. No image is built.

    Parameters
    ----------
    folder : Path
        What `context` wrote.

    Raises
    ------
    JobError
        When the tools cannot be fetched.
    """
    return Verification("image", (lint(folder / "Dockerfile"), validate(folder / SBOM)))


def lint(dockerfile: Path) -> Check:
    """Hold a Dockerfile to all rules of hadolint."""
    command = [environment("bundle") / "hadolint", "--no-color", "--failure-threshold", "style", dockerfile]
    return proof.run("hadolint", "schema", command)


def validate(bill: Path) -> Check:
    """Hold a bill of materials to the published schema of CycloneDX 1.6, strictly."""
    return proof.run(
        "cyclonedx strict validator, 1.6",
        "schema",
        [environment("bundle") / "python", "-c", _STRICT, bill],
    )
