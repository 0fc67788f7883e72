"""A GitHub Actions workflow. No expression is ever put into a script: values go by environment variables."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from aios_workbench import __version__
from aios_workbench.promote.targets import cron, proof
from aios_workbench.promote.targets.base import Files, Target, Verification, common_limits
from aios_workbench.promote.targets.environments import clean, environment
from aios_workbench.promote.targets.plan import Plan
from aios_workbench.promote.targets.quoting import to_yaml

# By commit, not by tag: a tag can be moved.
_CHECKOUT = ("actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683", "v4.2.2")
_PYTHON = ("actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065", "v5.6.0")
_LONGEST = 360


class GitHub(Target):
    """GitHub Actions."""

    name = "github"
    title = "GitHub Actions"
    evidence = "schema"
    proof = "check-jsonschema's built-in schema and zizmor --offline; the step's script is run by sh, no runner is"
    bundle = "jobs/{slug}/bundle"

    def limits(self, plan: Plan) -> list[str]:
        """Return what it cannot express."""
        replaces = plan.spec.overlap == "replace"
        waits = (
            "a tick waits for the run before it; a third one is dropped"
            if plan.spec.schedule and not replaces
            else ""
        )
        found = common_limits(plan, missed=("skip",), overlap=waits, keeps=("replace",))
        if plan.spec.schedule:
            found.append(
                "punctuality: scheduled runs start late or are dropped when GitHub is busy; every 5 minutes at most"
            )
            if plan.spec.timezone != "UTC":
                found.append("time zones: schedules are read in UTC; this one was converted")
        if (plan.spec.timeout or 0) > _LONGEST * 60:
            found.append("timeouts: a job of a hosted runner ends after 6 hours")
        return found

    def render(self, plan: Plan) -> Files:
        """Return one workflow; the folder of output is the repository's root."""
        self.check(plan)
        spec = plan.spec
        bundle = plan.bundle_at(self.bundle.format(slug=plan.slug))
        triggers: dict[str, Any] = {}
        if spec.ticks:
            cron.plain(spec.ticks, self.title)
            triggers["schedule"] = [{"cron": line} for line in cron.in_utc(spec.ticks, self.title)]
        triggers["workflow_dispatch"] = {
            "inputs": {
                "parameters": {
                    "description": "Parameters as one JSON object", "type": "string", "default": plan.parameters_json,
                }
            }
        }  # fmt: skip
        command = plan.command('"$BUNDLE"', '"$PARAMETERS"', retries=True)
        minutes = round(((spec.timeout or _LONGEST * 60) + spec.retry_delay) * (spec.retries + 1) / 60) + 10
        workflow = {
            "name": plan.slug,
            "on": triggers,
            "permissions": {"contents": "read"},
            "concurrency": {"group": plan.slug, "cancel-in-progress": spec.overlap == "replace"},
            "jobs": {
                "notebook": {
                    "name": "Run the notebook",
                    "runs-on": "ubuntu-latest",
                    "timeout-minutes": min(minutes, _LONGEST),
                    "steps": [
                        {"uses": _CHECKOUT[0], "with": {"persist-credentials": False}},
                        {"uses": _PYTHON[0], "with": {"python-version": "3.12"}},
                        {"name": "Install", "run": f"python -m pip install aios-workbench=={__version__}"},
                        {
                            "name": "Run",
                            "env": {
                                "BUNDLE": bundle,
                                "PARAMETERS": "${{ inputs.parameters || env.DEFAULTS }}",
                            },
                            "run": " ".join(command),
                        },
                    ],
                    "env": {"DEFAULTS": plan.parameters_json},
                }
            },
        }
        text = to_yaml(workflow).replace("'on':", "on:")
        for action, tag in (_CHECKOUT, _PYTHON):
            text = text.replace(action, f"{action}  # {tag}")
        return {
            str(PurePosixPath(".github/workflows") / f"{plan.slug}.yml"): f"{self.header(plan)}---\n{text}"
        }

    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Check the workflow against its schema and for what is dangerous; with `execute` run its script."""
        tools = environment("tools")
        file = folder / ".github" / "workflows" / f"{plan.slug}.yml"
        schema = [tools / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", file]
        danger = [tools / "zizmor", "--offline", "--no-progress", "--persona", "regular", file]
        checks = [
            proof.run("check-jsonschema, built-in schema", "schema", schema),
            proof.run("zizmor --offline", "schema", danger),
        ]
        if execute and checks[0].ok:
            import yaml

            job = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]["notebook"]
            step = job["steps"][-1]
            env = clean(BUNDLE=step["env"]["BUNDLE"], PARAMETERS=job["env"]["DEFAULTS"])
            json.loads(env["PARAMETERS"])
            checks.append(
                proof.run("the step's script", "schema", ["/bin/sh", "-ec", step["run"]], env=env, cwd=folder)
            )
        return Verification(self.name, tuple(checks))
