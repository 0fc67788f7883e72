"""Two runs side by side: parameters, environment, figures, and every step with what made it run again."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from aios_workbench.errors import AiosError
from aios_workbench.observe import environment, overview
from aios_workbench.observe.models import (
    Change,
    Environment,
    Fact,
    OutputDiff,
    RunDiff,
    RunSide,
    StepChange,
    StepDiff,
    ValueDiff,
)
from aios_workbench.observe.stored import OVER, Row, Stored, call, read
from aios_workbench.observe.why import why
from aios_workbench.workflow import StepSpec
from aios_workbench.workflow.durations import format_duration
from aios_workbench.workspace import Artifact, Workspace

_TEXT = 20_000
_VALUE = 300
#: What of a step is compared elsewhere, is stored code, or says where it was written.
_NO_POLICY = frozenset((
    "name", "deps", "params", "doc", "code", "code_hash", "cell", "cell_id", "fn", "fallbacks", "when", "when_deps",
    "when_params", "check", "compensate", "compensate_hash", "compensate_takes",
))  # fmt: skip
_POLICY = tuple(f.name for f in fields(StepSpec) if f.name not in _NO_POLICY)
_SECONDS = ("timeout", "backoff", "hedge")


def diff_runs(ws: Workspace, a: str, b: str) -> RunDiff:
    """Compare two runs; `why` tells of every step what made it run, or not, in `b`, given `a`.

    Parameters
    ----------
    a, b : str
        Run ids; `a` is usually the earlier one.

    Raises
    ------
    NotFoundError
        When there is no such run.
    """
    one, two = read(ws, a), read(ws, b)
    facts = overview.metrics(ws, a), overview.metrics(ws, b)
    costs = tuple([f for f, kind in side if kind == "cost"] for side in facts)
    others = tuple([f for f, kind in side if kind != "cost"] for side in facts)
    names = list(dict.fromkeys((*two.steps, *one.steps)))
    sizes = _artifacts(ws, one, two)
    steps = [_step(one, two, name, sizes) for name in names]
    params = _params(one, two)
    same = all(v.change == "same" for v in params) and all(s.change == "same" for s in steps)
    return RunDiff(
        a=_side(one), b=_side(two), params=params, environment=_environments(one, two),
        metrics=_facts(*others), cost=_facts(*costs), steps=steps,
        identical=same and one.row["workflow"] == two.row["workflow"], code=call(a, f".diff({b!r})"),
    )  # fmt: skip


def diff_steps(ws: Workspace, a: str, b: str, step: str) -> StepDiff:
    """Compare one step in two runs: code, policy, inputs, output.

    Raises
    ------
    NotFoundError
        When there is no such run, or neither has the step.
    """
    one, two = read(ws, a), read(ws, b)
    if step not in one.steps:
        two.step(step)
    first, second = one.spec_of(step), two.spec_of(step)
    policy = _values(_policy(first), _policy(second))
    inputs = _inputs(one, two, step)
    output = _output(ws, one.steps.get(step), two.steps.get(step))
    code = _unified(first.code if first else "", second.code if second else "", a, b)
    changed = (
        bool(code)
        or _code_changed(one, two, step)
        or not output.same
        or any(v.change != "same" for v in (*policy, *inputs))
    )
    return StepDiff(
        step=step, change=_change(step in one.steps, step in two.steps, changed), code_diff=code, policy=policy,
        inputs=inputs, output=output, why=why(one, two, step) if step in two.steps else [],
        code=call(a, f".diff({b!r}, step={step!r})"),
    )  # fmt: skip


def _side(run: Stored) -> RunSide:
    row, duration = run.row, None
    if run.status in OVER and row["started_at"] is not None and row["ended_at"] is not None:
        duration = max(0.0, row["ended_at"] - row["started_at"])
    return RunSide(
        run_id=run.run_id,
        status=run.status,
        created_at=row["created_at"],
        duration=duration,
        user=row["user"],
    )


def _step(one: Stored, two: Stored, name: str, sizes: Mapping[str, Row]) -> StepChange:
    a, b = one.steps.get(name), two.steps.get(name)
    first, second = one.spec_of(name), two.spec_of(name)
    made = StepChange(
        step=name, change="same", why=why(one, two, name) if b is not None else [],
        status_a=a["status"] if a else None, status_b=b["status"] if b else None,
        cached_a=bool(a and a["cached"]), cached_b=bool(b and b["cached"]),
        duration_a=_took(one, a), duration_b=_took(two, b), rows_a=_rows(a, sizes), rows_b=_rows(b, sizes),
    )  # fmt: skip
    if a is not None and b is not None:
        made.code, made.policy = a["code_hash"] != b["code_hash"], _policy(first) != _policy(second)
        made.inputs, made.output = one.inputs(name) != two.inputs(name), a["output"] != b["output"]
    differs = made.code or made.policy or made.inputs or made.output or made.status_a != made.status_b
    made.change = _change(a is not None, b is not None, differs)
    return made


def _change(in_a: bool, in_b: bool, differs: bool) -> Change:
    if in_a and in_b:
        return "changed" if differs else "same"
    return "added" if in_b else "removed"


def _code_changed(one: Stored, two: Stored, name: str) -> bool:
    a, b = one.steps.get(name), two.steps.get(name)
    return a is not None and b is not None and a["code_hash"] != b["code_hash"]


def _took(run: Stored, row: Row | None) -> float | None:
    """Seconds the step took in this run; nothing for one that was taken over."""
    if row is None or row["started_at"] is None or row["ended_at"] is None or run.reused(row["step"]):
        return None
    return float(max(0.0, row["ended_at"] - row["started_at"]))


def _artifacts(ws: Workspace, *runs: Stored) -> dict[str, Row]:
    hashes = {s["output"] for run in runs for s in run.steps.values() if s["output"]}
    rows = ws.catalog.query(
        "select hash, kind, shape from artifacts where hash in (select value from json_each(:h))",
        h=json.dumps(sorted(hashes)),
    )
    return {r["hash"]: r for r in rows}


def _rows(row: Row | None, sizes: Mapping[str, Row]) -> int | None:
    found = sizes.get(row["output"]) if row and row["output"] else None
    shape = json.loads(found["shape"]) if found and found["shape"] else None
    return int(shape[0]) if shape and found and found["kind"] in ("parquet", "npy") else None


# -- named values


def _values(a: Mapping[str, str | None], b: Mapping[str, str | None]) -> list[ValueDiff]:
    """Lay named texts side by side, in the order of `b`."""
    return [
        ValueDiff(name=n, change=_change(n in a, n in b, a.get(n) != b.get(n)), a=a.get(n), b=b.get(n))
        for n in dict.fromkeys((*b, *a))
    ]


def _params(one: Stored, two: Stored) -> list[ValueDiff]:
    shown = [{n: _short(v) for n, v in json.loads(r.row["params"] or "{}").items()} for r in (one, two)]
    out = _values(*shown)
    for value in out:  # what is shown may be cut: the stored values decide
        a, b = (r.params.get(value.name, {}).get("hash") for r in (one, two))
        if a and b and value.change in ("same", "changed"):
            value.change = "same" if a == b else "changed"
    return out


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"


def _environments(one: Stored, two: Stored) -> list[ValueDiff]:
    """Compare where two runs executed; of the packages only those that differ."""
    sides = [environment.read(run.ws, run.row["environment"]) for run in (one, two)]
    versions = {"code version": overview.code_version}
    shown = [
        {**_machine(side), **{n: f(run) for n, f in versions.items()}}
        for side, run in zip(sides, (one, two), strict=True)
    ]
    out = _values(*shown)
    if all(side is not None for side in sides):
        packages = _values(*[{f"package {n}": v for n, v in side.packages.items()} for side in sides if side])
        out += [p for p in packages if p.change != "same"]
    return out


def _machine(found: Environment | None) -> dict[str, str]:
    if found is None:
        return {}
    data = found.model_dump(exclude={"packages", "lock_hash"}, exclude_none=True)
    return {n.replace("_", " "): str(v) for n, v in data.items()}


def _facts(a: list[Fact], b: list[Fact]) -> list[ValueDiff]:
    sides = [{f"{f.step}: {f.name}" if f.step else f.name: _figure(f) for f in side} for side in (a, b)]
    return _values(*sides)


def _figure(fact: Fact) -> str:
    shown = f"{fact.value:,.6g}" if fact.value is not None else str(fact.text)
    return f"{shown} {fact.unit}" if fact.unit else shown


def _policy(spec: Any) -> dict[str, str | None]:
    if spec is None:
        return {}
    said: dict[str, str | None] = {}
    for name in _POLICY:
        value = getattr(spec, name)
        if name in _SECONDS:
            said[name] = None if value is None else format_duration(value)
        elif isinstance(value, dict):
            said[name] = _short(json.dumps(value, sort_keys=True))
        elif value is None:
            said[name] = None
        else:
            said[name] = ", ".join(value) if isinstance(value, list) else str(value)
    return {n: v for n, v in said.items() if v not in (None, "")}


def _inputs(one: Stored, two: Stored, step: str) -> list[ValueDiff]:
    sides = [_described(run, step) for run in (one, two)]
    out = _values(*sides)
    hashes = [run.inputs(step) if step in run.steps else {} for run in (one, two)]
    for value in out:
        if value.change in ("same", "changed"):
            value.change = "same" if hashes[0][value.name] == hashes[1][value.name] else "changed"
    return out


def _described(run: Stored, step: str) -> dict[str, str | None]:
    if step not in run.steps:
        return {}
    spec = run.spec_of(step)
    return {n: _input(run, spec.deps.get(n) if spec else None, n, h) for n, h in run.inputs(step).items()}


def _input(run: Stored, source: str | None, name: str, hash_: str) -> str:
    if source is None:
        shown = json.loads(run.row["params"] or "{}")
        return _short(shown[name]) if name in shown else f"parameter {hash_[:12]}"
    found = _find(run.ws, hash_)
    size = " x ".join(map(str, found.shape)) if found and found.shape else ""
    return " ".join(filter(None, (f"step {source}:", found.type if found else "", size, hash_[:12])))


# -- code and output


def _unified(a: str, b: str, name_a: str, name_b: str) -> str:
    lines = difflib.unified_diff(a.splitlines(), b.splitlines(), name_a, name_b, lineterm="")
    return "\n".join(lines)


def _find(ws: Workspace, hash_: str | None) -> Artifact | None:
    try:
        return ws.artifacts.find(hash_) if hash_ else None
    except AiosError:
        return None


def _output(ws: Workspace, row_a: Row | None, row_b: Row | None) -> OutputDiff:
    a, b = (_find(ws, row["output"] if row else None) for row in (row_a, row_b))
    out = OutputDiff(same=(a.hash if a else None) == (b.hash if b else None))
    if a is not None:
        out.type_a, out.hash_a, out.bytes_a = a.type, a.hash, a.bytes
        out.shape_a = None if a.shape is None else list(a.shape)
    if b is not None:
        out.type_b, out.hash_b, out.bytes_b = b.type, b.hash, b.bytes
        out.shape_b = None if b.shape is None else list(b.shape)
    if out.same:
        out.note = "identical" if a is not None else "no output on either side"
    elif a is None or b is None:
        out.note = f"only {'b' if a is None else 'a'} has an output"
    elif _is_table(a) and _is_table(b):
        _tables(ws, a, b, out)
    else:
        out.text_a, out.text_b = _as_text(ws, a), _as_text(ws, b)
    return out


def _is_table(artifact: Artifact) -> bool:
    return artifact.kind == "parquet" or (artifact.kind == "npy" and len(artifact.shape or ()) in (1, 2))


def _tables(ws: Workspace, a: Artifact, b: Artifact, out: OutputDiff) -> None:
    from aios_workbench.observe.distance import columns

    try:
        out.columns, out.note = columns(ws, a, b)
    except AiosError as e:
        out.note = str(e)


def _as_text(ws: Workspace, artifact: Artifact) -> str:
    from aios_workbench.workspace.preview import preview

    try:
        shown = preview(ws, artifact, limit=50)["text"]
    except AiosError as e:
        return str(e)
    text = artifact.type if shown is None else str(shown)
    return text if len(text) <= _TEXT else text[:_TEXT] + "\n…"
