"""Kubeflow Pipelines 2: a pipeline of components; called as a script, the file compiles itself."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from aios_workbench.promote.targets import cron, proof
from aios_workbench.promote.targets.base import Files, Target, Verification, common_limits
from aios_workbench.promote.targets.code import block, call, seconds, text
from aios_workbench.promote.targets.environments import clean, environment
from aios_workbench.promote.targets.plan import IN_IMAGE, Plan
from aios_workbench.promote.targets.promises import hard_memory, mebibytes
from aios_workbench.promote.targets.pysteps import step_names
from aios_workbench.promote.targets.quoting import word

_HEAD = """
<<header>>
from kfp import compiler, dsl

IMAGE = <<image>>
BUNDLE = <<bundle>>
PARAMETERS = <<parameters>>
CRON = <<cron>>


"""
_NOTEBOOK = """
@dsl.component(base_image=IMAGE, install_kfp_package=False)
def notebook(bundle: str, parameters: str):
    import subprocess

    subprocess.run([<<aios>>, "run-job", bundle, "--params", parameters], check=True)


<<pipeline>>
def pipeline(parameters: str = PARAMETERS):
    task = notebook(bundle=BUNDLE, parameters=parameters)
    task.set_caching_options(False)
<<policy>>

"""
_STEPS = '''
@dsl.component(base_image=IMAGE, install_kfp_package=False)
<<run_step>>
    """Run one step; what goes on to the next task is a reference into the artifact store."""
    import subprocess

    command = [<<aios>>, "run-step", bundle, step, "--run", run, "--params", parameters]
    for reference in [<<references>>]:
        if reference:
            command += ["--input", reference]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()[-1]


<<pipeline>>
def pipeline(parameters: str = PARAMETERS):
    run = dsl.PIPELINE_JOB_ID_PLACEHOLDER
<<calls>>

'''
_END = '''
def schedule(client, experiment_id):
    """Let a kfp.Client start the pipeline on time; six fields, the first are seconds, in UTC."""
    for number, cron in enumerate(CRON):
        client.create_recurring_run(
            experiment_id=experiment_id,
            job_name=f"<<slug>>-{number}",
            cron_expression=cron,
            max_concurrency=<<concurrency>>,
            no_catchup=<<no_catchup>>,
            pipeline_package_path="pipeline.yaml",
            enable_caching=False,
        )


if __name__ == "__main__":
    compiler.Compiler().compile(pipeline, "pipeline.yaml")
'''


#: The most runs of a recurring run that Kubeflow starts side by side.
_MOST = 10


class Kfp(Target):
    """Kubeflow Pipelines."""

    name = "kfp"
    title = "Kubeflow Pipelines 2"
    evidence = "real"
    proof = "compiled by kfp, run by its local SubprocessRunner; the cluster's scheduler is not run"
    grains = ("notebook", "steps")
    bundle = "{slug}/bundle"

    def limits(self, plan: Plan) -> list[str]:
        """Return what it cannot express."""
        waits = "a tick waits for the run before it, it is not skipped" if plan.spec.schedule else ""
        found = common_limits(plan, missed=("skip", "all"), overlap=waits, keeps=("concurrency",))
        if plan.spec.concurrency > _MOST:
            found.append(f"concurrency: at most {_MOST} runs go side by side")
        if plan.spec.timeout or any(s.timeout for s in plan.steps):
            found.append("timeouts: a task has none; the runner ends it itself")
        if plan.spec.schedule and plan.spec.timezone != "UTC":
            found.append("time zones: a recurring run is read in UTC; the schedule was converted")
        found.append(
            f"images: {plan.container_image} must hold the bundle, aios-workbench and kfp; you build it"
        )
        return found

    def render(self, plan: Plan) -> Files:
        """Return one file with the pipeline."""
        self.check(plan)
        spec = plan.spec
        lines = [f"0 {line}" for line in cron.in_utc(spec.ticks, self.title)] if spec.ticks else []
        if spec.ticks:
            cron.plain(spec.ticks, self.title)
        wait = f'backoff_duration="{seconds(spec.retry_delay)}s", backoff_factor=1.0'
        retry = f"    task.set_retry({spec.retries}, {wait})\n"
        parts = {
            "header": self.header(plan).rstrip(),
            "image": text(plan.container_image),
            "bundle": text(plan.bundle_at(f"{IN_IMAGE}/{plan.slug}/bundle")),
            "parameters": text(plan.parameters_json),
            "cron": "[" + ", ".join(map(text, lines)) + "]",
            "pipeline": call("@dsl.pipeline", [f"name={text(plan.slug)}", f"description={text(plan.title)}"]),
            "policy": _memory(plan) + (retry if spec.retries else ""),
            "concurrency": str(min(spec.concurrency, _MOST)),
            "slug": plan.slug,
            "no_catchup": str(spec.missed != "all"),
            "aios": text(plan.aios),
        }
        if plan.steps:
            # kfp writes outputs into a list as text, unquoted: each reference is a parameter of its own
            slots = [f"ref_{n}" for n in range(1, max(len(s.upstream) for s in plan.steps) + 1)]
            taken = [
                "bundle: str",
                "step: str",
                "run: str",
                "parameters: str",
                *(f'{slot}: str = ""' for slot in slots),
            ]
            parts["run_step"] = call("def run_step", taken, 0, ") -> str:")
            parts["references"] = ", ".join(slots)
            parts["calls"] = _calls(plan)
        template = _HEAD.lstrip("\n") + (_STEPS if plan.steps else _NOTEBOOK).lstrip("\n") + _END.lstrip("\n")
        source = block(template, **parts)
        if not parts["policy"] and not plan.steps:
            source = source.replace("(False)\n\n\n\n", "(False)\n\n\n")
        return {f"{plan.slug}/pipeline.py": source}

    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Compile the pipeline; with `execute` run it locally."""
        tools = environment("kfp")
        file = (folder / plan.slug / "pipeline.py").resolve()
        with tempfile.TemporaryDirectory(prefix="aios-kfp-") as home:
            env = clean(PATH=f"{tools}{os.pathsep}{os.environ['PATH']}")
            checks = [proof.run("kfp compiler", "real", [tools / "python", file], env=env, cwd=Path(home))]
            if execute and checks[0].ok:
                here = Path(home) / "here.py"  # the bundle is not yet in an image
                place = f"BUNDLE = {text(str((folder / plan.slug / 'bundle').resolve()))}"
                lines = file.read_text(encoding="utf-8").splitlines()
                lines = [place if line.startswith("BUNDLE = ") else line for line in lines]
                here.write_text("\n".join(lines) + "\n", encoding="utf-8")
                command = [tools / "python", "-W", "ignore", "-c", _EXECUTE, here]
                checks.append(
                    proof.run("kfp local.SubprocessRunner", "real", command, env=env, cwd=Path(home))
                )
        return Verification(self.name, tuple(checks))


def _memory(plan: Plan) -> str:
    hard = hard_memory(plan)
    return "" if hard is None else f'    task.set_memory_limit("{mebibytes(hard)}Mi")\n'


_EXECUTE = """
import runpy, sys
from kfp import local
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root="root")
runpy.run_path(sys.argv[1], run_name="pipeline")["pipeline"]()
"""


def _calls(plan: Plan) -> str:
    names = step_names(plan.steps)
    lines = []
    for step in plan.steps:
        name = names[step.name]
        arguments = ["bundle=BUNDLE", f"step={text(word(step.name))}", "run=run", "parameters=parameters"]
        arguments += [f"ref_{n}={names[up]}.output" for n, up in enumerate(step.upstream, start=1)]
        lines += [
            call(f"{name} = run_step", arguments, 4),
            f"    {name}.set_display_name({text(name)}).set_caching_options(False)",
        ]
        if step.retries:
            lines.append(
                f'    {name}.set_retry({step.retries}, backoff_duration="{max(1, round(step.retry_delay))}s")'
            )
    return "\n".join(lines) + "\n"
