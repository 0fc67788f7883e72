"""An Argo CronWorkflow: the notebook as one pod, or a DAG with a pod a step."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import Any

import yaml

from aios_workbench.errors import JobError
from aios_workbench.promote.targets import cron, proof
from aios_workbench.promote.targets.base import Check, Files, Target, Verification, common_limits
from aios_workbench.promote.targets.code import seconds
from aios_workbench.promote.targets.containers import (
    bundle_in_image,
    image_limit,
    resource_name,
    run_container,
)
from aios_workbench.promote.targets.environments import environment
from aios_workbench.promote.targets.plan import Plan
from aios_workbench.promote.targets.promises import resources
from aios_workbench.promote.targets.pysteps import step_names
from aios_workbench.promote.targets.quoting import safe_json, to_yaml, word

_PARAMETERS = "{{workflow.parameters.parameters}}"


class Argo(Target):
    """Argo Workflows."""

    name = "argo"
    title = "Argo CronWorkflow"
    evidence = "schema"
    proof = "Argo's own models, as hera generates them, unknown fields refused; the pods' commands run, no cluster"
    grains = ("notebook", "steps")

    def limits(self, plan: Plan) -> list[str]:
        """Return what it cannot express."""
        found = common_limits(plan, missed=("latest", "skip"), keeps=("replace", "queue"))
        if plan.spec.schedule and plan.spec.missed == "latest":
            found.append("missed runs: one up to an hour late is made up for")
        if plan.spec.schedule:
            found.append("daylight saving: a time the clock skips is not run, one shown twice may run twice")
        if any(s.conditional for s in plan.steps):
            found.append(
                "conditions: a step whose `when` is false ends as succeeded, and so does what is behind it"
            )
        return [*found, image_limit(plan)]

    def render(self, plan: Plan) -> Files:
        """Return one manifest."""
        self.check(plan)
        spec = plan.spec
        if spec.ticks is None:
            raise JobError(
                f"a CronWorkflow needs a schedule, and job {plan.title!r} has none; give --schedule"
            )
        workflow: dict[str, Any] = {
            "entrypoint": "steps" if plan.steps else "notebook",
            "automountServiceAccountToken": True,  # Argo's executor reports through it
            "arguments": {"parameters": [{"name": "parameters", "value": plan.parameters_json}]},
            "templates": _steps(plan) if plan.steps else [_notebook(plan)],
        }
        if spec.overlap == "queue":  # every tick makes a workflow; each waits for the one before it
            workflow["synchronization"] = {"mutexes": [{"name": resource_name(plan)}]}
        manifest = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "CronWorkflow",
            "metadata": {
                "name": resource_name(plan),
                "annotations": {"aios/job": safe_json(plan.title), "aios/bundle": plan.bundle_hash},
            },
            "spec": {
                "schedules": [cron.plain(spec.ticks, self.title)],
                "timezone": "Etc/UTC" if spec.timezone == "UTC" else spec.timezone,
                "concurrencyPolicy": {"forbid": "Forbid", "replace": "Replace", "queue": "Allow"}[
                    spec.overlap
                ],
                "startingDeadlineSeconds": 0 if spec.missed == "skip" else 3600,
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 3,
                "workflowSpec": workflow,
            },
        }
        return {f"{plan.slug}/cronworkflow.yaml": f"{self.header(plan)}---\n{to_yaml(manifest)}"}

    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Check the manifest against Argo's models, strictly; with `execute` run the pods' commands here."""
        tools = environment("tools")
        file = folder / plan.slug / "cronworkflow.yaml"
        command = [tools / "python", "-W", "ignore", "-c", _STRICT, file]
        checks = [proof.run("Argo's models, strict", "schema", command)]
        if execute and checks[0].ok:
            workflow = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]["workflowSpec"]
            with tempfile.TemporaryDirectory(prefix="aios-argo-") as scratch:
                checks += _run(workflow, plan, folder, Path(scratch))
        return Verification(self.name, tuple(checks))


#: The models are generated from Argo's OpenAPI but let unknown fields pass: their JSON schema, closed, does not.
_STRICT = """
import sys, jsonschema, yaml
from hera.workflows.models import CronWorkflow
schema = CronWorkflow.model_json_schema(by_alias=True)
for model in [schema, *schema["$defs"].values()]:
    if model.get("properties"):
        model["additionalProperties"] = False
data = yaml.safe_load(open(sys.argv[1], encoding="utf-8"))
problems = [f"{e.json_path}: {e.message[:200]}" for e in jsonschema.Draft202012Validator(schema).iter_errors(data)]
print("\\n".join(problems))
sys.exit(bool(problems))
"""


def _container(plan: Plan, arguments: list[str]) -> dict[str, Any]:
    return {"image": plan.container_image, "command": [plan.aios], "args": arguments}


def _policy(retries: int, delay: float, timeout: float | None) -> dict[str, Any]:
    policy: dict[str, Any] = {}
    if retries:
        backoff = {"duration": f"{seconds(max(1.0, delay))}s", "factor": 1}
        policy["retryStrategy"] = {"limit": retries, "retryPolicy": "Always", "backoff": backoff}
    if timeout:
        # the runner ends the notebook first and says why; this ends a runner that hangs
        policy["activeDeadlineSeconds"] = round(timeout + 60)
    return policy


def _notebook(plan: Plan) -> dict[str, Any]:
    spec, command = plan.spec, plan.command(bundle_in_image(plan), _PARAMETERS)
    return {
        "name": "notebook",
        **_policy(spec.retries, spec.retry_delay, spec.timeout),
        "container": {**_container(plan, command[1:]), **resources(plan)},
    }


def _steps(plan: Plan) -> list[dict[str, Any]]:
    names = {step: name.replace("_", "-") for step, name in step_names(plan.steps).items()}
    tasks, templates = [], []
    for step in plan.steps:
        name = names[step.name]
        task: dict[str, Any] = {"name": name, "template": name}
        template: dict[str, Any] = {"name": name, **_policy(step.retries, step.retry_delay, step.timeout)}
        references = {up: f"ref-{names[up]}" for up in step.upstream}
        if step.upstream:
            task["dependencies"] = [names[up] for up in step.upstream]
            handed = [
                {"name": references[up], "value": f"{{{{tasks.{names[up]}.outputs.parameters.ref}}}}"}
                for up in step.upstream
            ]
            task["arguments"] = {"parameters": handed}
            template["inputs"] = {"parameters": [{"name": references[up]} for up in step.upstream]}
        arguments = ["run-step", bundle_in_image(plan), word(step.name), "--run", "{{workflow.uid}}"]
        arguments += ["--params", _PARAMETERS]
        for up in step.upstream:
            arguments += ["--input", f"{{{{inputs.parameters.{references[up]}}}}}"]
        arguments += ["--reference-file", "/tmp/ref.json"]  # noqa: S108 - in the step's own container
        template["container"] = _container(plan, arguments)
        template["outputs"] = {"parameters": [{"name": "ref", "valueFrom": {"path": "/tmp/ref.json"}}]}  # noqa: S108
        tasks.append(task)
        templates.append(template)
    return [{"name": "steps", "dag": {"tasks": tasks}}, *templates]


def _run(workflow: dict[str, Any], plan: Plan, folder: Path, scratch: Path) -> list[Check]:
    """Do what Argo does with the templates: fill in parameters, call in order, hand on what a task put out."""
    bundle = folder / plan.slug / "bundle"
    [parameter] = workflow["arguments"]["parameters"]
    given = {_PARAMETERS: str(parameter["value"]), "{{workflow.uid}}": uuid.uuid4().hex}
    templates = {t["name"]: t for t in workflow["templates"]}
    entry = templates[workflow["entrypoint"]]
    if "container" in entry:
        return [run_container("the pod's command", entry["container"], bundle, plan, folder, given=given)]
    checks: list[Check] = []
    put_out: dict[str, str] = {}
    for task in entry["dag"]["tasks"]:
        template = templates[task["template"]]
        own = dict(given)
        for handed in task.get("arguments", {}).get("parameters", ()):
            own[f"{{{{inputs.parameters.{handed['name']}}}}}"] = put_out[handed["value"]]
        file = scratch / f"{task['name']}.json"
        own[template["outputs"]["parameters"][0]["valueFrom"]["path"]] = str(file)
        check = run_container(
            f"the pod of {task['name']}", template["container"], bundle, plan, folder, given=own
        )
        checks.append(check)
        if not check.ok:
            break
        put_out[f"{{{{tasks.{task['name']}.outputs.parameters.ref}}}}"] = file.read_text(encoding="utf-8")
    return checks
