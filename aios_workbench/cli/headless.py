"""`aios run-job` and `aios run-step`: what other orchestrators call: one thing, then an exit code."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import exits, output
from aios_workbench.cli.state import State, json_option

if TYPE_CHECKING:
    from aios_workbench.promote.spec import JobSpec

_FOLDER = click.Path(path_type=Path)
#: What trying again cannot mend: a wrong parameter, a changed bundle, a person who has to decide, Ctrl-C.
_FINAL = frozenset((exits.OK, exits.WAITING, exits.INTERRUPTED))


@click.command("run-job", short_help="Run a promoted notebook once, for another scheduler.")
@click.argument("bundle", type=_FOLDER)
@click.option(
    "--params",
    "document",
    metavar="JSON",
    envvar="AIOS_JOB_PARAMETERS",
    help="Parameters as one JSON object; they win over the bundle's.",
)
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; wins over --params."
)
@click.option("--timeout", metavar="TIME", help="Longest time of one attempt.  [default: the job's]")
@click.option(
    "--retries", type=click.IntRange(0, 100), default=0, show_default=True, help="How often it starts again."
)
@click.option("--retry-delay", metavar="SECONDS", type=click.FloatRange(0, 86_400), default=60.0, show_default=True,
              help="Wait before that.")  # fmt: skip
@click.option("--cwd", type=_FOLDER, help="Where the notebook's relative paths start.  [default: here]")
@json_option
@click.pass_obj
def run_job(
    state: State, bundle: Path, document: str | None, params: tuple[str, ...], timeout: str | None, retries: int,
    retry_delay: float, cwd: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Run the notebook in BUNDLE, a folder that `aios promote` wrote, once and to its end.

    The bundle is verified first; one that was changed does not run. Data files that it holds are put where the notebook
    looks for them, unless they are there. Nothing is scheduled and nobody is asked:
    gates answer as the job says.
    """
    from aios_workbench.cli.notebook import execute
    from aios_workbench.cli.values import assignments
    from aios_workbench.promote import data
    from aios_workbench.promote.bundle import NOTEBOOK
    from aios_workbench.promote.environment.kernels import settle

    bundle = bundle.expanduser().resolve()
    spec = _read(bundle)
    limit = _limit(spec, timeout)
    given = {**spec.parameters, **_document(document), **assignments(params, "-p", "limit=500")}
    ws = state.workspace(create=True)
    where = cwd or Path.cwd()
    with contextlib.suppress(OSError):  # a folder that cannot be written: what is missing is said
        data.place(bundle, where)
    for problem in data.require(bundle, where, spec.data):
        output.warn(f"the data is not what was promoted: {problem}")
    code = exits.FAILED

    def settled(env: dict[str, str]) -> dict[str, str]:
        return settle(ws, bundle, spec, env, lambda line: output.say(line, err=True))[0]

    for attempt in range(retries + 1):
        if attempt:
            output.warn(f"try {attempt + 1} of {retries + 1} in {retry_delay:g} s")
            time.sleep(retry_delay)
        code = execute(
            ws, bundle / NOTEBOOK, given, spec.gates, as_json=as_json, title=spec.name, cwd=where,
            modules=bundle, timeout=limit, settle=settled, memory=spec.memory,
        )  # fmt: skip
        if code in _FINAL:
            break
    return code


def _read(bundle: Path) -> JobSpec:
    from aios_workbench.promote.bundle import JOB, verify
    from aios_workbench.promote.spec import JobSpec

    verify(bundle)
    return JobSpec.from_yaml((bundle / JOB).read_text(encoding="utf-8"))


def _limit(spec: JobSpec, timeout: str | None) -> float | None:
    from aios_workbench.workflow.durations import parse_duration

    return spec.timeout if timeout is None else parse_duration(timeout)


def _document(text: str | None) -> Mapping[str, Any]:
    """Return the parameters of ``--params``.

    Raises
    ------
    ParameterError
        When it is not one JSON object.
    """
    from aios_workbench.errors import ParameterError

    if text is None:
        return {}
    try:
        values = json.loads(text)
    except ValueError as e:
        raise ParameterError(
            f"--params is not JSON: {e}; for example --params '{{\"limit\": 500}}'"
        ) from None
    if not isinstance(values, dict):
        raise ParameterError(f"--params must be one JSON object, not {type(values).__name__}")
    return values


@click.command("run-step", short_help="Run one step of a promoted workflow, for another orchestrator.")
@click.argument("bundle", type=_FOLDER)
@click.argument("step")
@click.option("--run", "run_key", required=True, metavar="KEY", help="What the orchestrator calls its run.")
@click.option(
    "--params",
    "document",
    metavar="JSON",
    envvar="AIOS_JOB_PARAMETERS",
    help="Parameters as one JSON object.",
)
@click.option(
    "--inputs", metavar="JSON", help="References that the steps before it printed, as one JSON list."
)
@click.option("--input", "more", multiple=True, metavar="JSON", help="One such reference.")
@click.option("--reference-file", type=_FOLDER, help="Where the step's own reference is written as well.")
@click.pass_obj
def run_step(
    state: State, bundle: Path, step: str, run_key: str, document: str | None, inputs: str | None,
    more: tuple[str, ...], reference_file: Path | None,
) -> int:  # fmt: skip
    """Run STEP of the workflow in BUNDLE once; the last line it prints is the reference of its output.

    Values go by the artifact store of the workspace, which all tasks of a run must share. A gate that nobody has
    decided ends with exit code 6; after `aios approve` the same command goes on.
    """
    import sys

    from aios_workbench.engine.single import run_step as execute_step
    from aios_workbench.promote.targets.graph import FUNCTIONS, read_workflow
    from aios_workbench.promote.targets.quoting import read_word

    bundle = bundle.expanduser().resolve()
    job = _read(bundle)
    functions = {path.stem: path.read_bytes() for path in sorted((bundle / FUNCTIONS).glob("*.pkl"))}
    sys.path.insert(0, str(bundle))  # promoted modules win over edited ones
    known = [*_references(inputs, many=True), *(r for text in more for r in _references(text, many=False))]
    told = execute_step(
        state.workspace(create=True), read_workflow(bundle), functions, read_word(step), run_key=run_key,
        params=_document(document), inputs=known, policy=job.gates,
    )  # fmt: skip
    error = told.pop("error", None)
    if error:
        output.say(str(error.get("traceback") or error.get("message")), err=True, lines=True)
    line = json.dumps(told)
    if reference_file is not None and told["status"] in ("succeeded", "skipped"):
        reference_file.write_text(line, encoding="utf-8")
    click.echo(line)
    return exits.OK if told["status"] == "skipped" else exits.of_status(told["status"])


def _references(text: str | None, *, many: bool) -> list[Any]:
    from aios_workbench.errors import ParameterError

    if text is None:
        return []
    try:
        found = json.loads(text)
    except ValueError as e:
        raise ParameterError(f"an input is no JSON: {e}; give what `aios run-step` printed last") from None
    if many and not isinstance(found, list):
        raise ParameterError("--inputs must be one JSON list of references; one alone goes with --input")
    return list(found) if many else [found]
