"""A Kubernetes CronJob."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from aios_workbench.errors import JobError
from aios_workbench.promote.targets import cron, proof
from aios_workbench.promote.targets.base import Files, Target, Verification, common_limits
from aios_workbench.promote.targets.containers import (
    bundle_in_image,
    image_limit,
    resource_name,
    run_container,
)
from aios_workbench.promote.targets.environments import environment
from aios_workbench.promote.targets.plan import Plan
from aios_workbench.promote.targets.promises import resources
from aios_workbench.promote.targets.quoting import to_yaml

_CATCH_UP_SECONDS = 3600
_VERSION = "1.31"


class Kubernetes(Target):
    """Kubernetes' own CronJob."""

    name = "kubernetes"
    title = "Kubernetes CronJob"
    evidence = "schema"
    proof = "kubernetes-validate, strict, against Kubernetes' own schema; the container's command is run, no cluster is"

    def limits(self, plan: Plan) -> list[str]:
        """Return what it cannot express."""
        found = common_limits(plan, missed=("latest", "skip"), keeps=("replace",))
        if plan.spec.schedule and plan.spec.missed == "latest":
            found.append(
                "missed runs: one up to an hour late is made up for, none after more than 100 missed ticks"
            )
        if plan.spec.retries:
            found.append(
                "retries: Kubernetes waits by its own rule (10 s, doubled each time), not retry_delay"
            )
        if plan.spec.schedule:
            found.append("daylight saving: a time the clock skips is not run, one shown twice may run twice")
        return [*found, image_limit(plan)]

    def render(self, plan: Plan) -> Files:
        """Return one manifest."""
        self.check(plan)
        spec = plan.spec
        if spec.ticks is None:
            raise JobError(f"a CronJob needs a schedule, and job {plan.title!r} has none; give --schedule")
        pod = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "containers": [{
                "name": "notebook",
                "image": plan.container_image,
                "command": [plan.aios],
                "args": plan.command(bundle_in_image(plan))[1:],
                **resources(plan),
            }],
        }  # fmt: skip
        job: dict[str, Any] = {"backoffLimit": spec.retries, "template": {"spec": pod}}
        if spec.timeout:
            job["activeDeadlineSeconds"] = round((spec.timeout + spec.retry_delay) * (spec.retries + 1)) + 60
        manifest = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {
                "name": resource_name(plan),
                "annotations": {"aios/job": plan.title, "aios/bundle": plan.bundle_hash},
            },
            "spec": {
                "schedule": cron.plain(spec.ticks, self.title),
                "timeZone": "Etc/UTC" if spec.timezone == "UTC" else spec.timezone,
                "concurrencyPolicy": "Replace" if spec.overlap == "replace" else "Forbid",
                "startingDeadlineSeconds": 60 if spec.missed == "skip" else _CATCH_UP_SECONDS,
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 3,
                "jobTemplate": {"spec": job},
            },
        }
        return {f"{plan.slug}/cronjob.yaml": f"{self.header(plan)}---\n{to_yaml(manifest)}"}

    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Validate the manifest; with `execute` run the container's command on this machine."""
        tools = environment("tools")
        file = folder / plan.slug / "cronjob.yaml"
        command = [tools / "kubernetes-validate", "--strict", "-k", _VERSION, file]
        checks = [proof.run("kubernetes-validate --strict", "schema", command)]
        if execute and checks[0].ok:
            job = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]["jobTemplate"]["spec"]
            container = job["template"]["spec"]["containers"][0]
            checks.append(
                run_container(
                    "the container's command", container, folder / plan.slug / "bundle", plan, folder
                )
            )
        return Verification(self.name, tuple(checks))
