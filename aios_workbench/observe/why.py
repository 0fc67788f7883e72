"""What made a step run again: read off what is stored, never guessed."""

from __future__ import annotations

from aios_workbench.errors import NotFoundError
from aios_workbench.observe.stored import Row, Stored

_MAX_REASONS = 12


def why(a: Stored | None, b: Stored, step: str) -> list[str]:
    """Return why a step of run `b` was executed, or was not, in the light of run `a`.

    Parameters
    ----------
    a : Stored or None
        The run it is compared with.
    """
    row = b.steps[step]
    if row["cached"]:
        return [_from_where(b, step)]
    if row["started_at"] is None and not row["attempts"]:
        return [row["message"] or f"it was not run: it is {row['status']}"]
    if a is None or step not in a.steps:
        where = f"run {a.run_id}" if a else "any earlier run"
        return [f"the step is new: {where} has none of that name"]
    changed = changes(a, b, step)
    return (changed or _same_but_run(a, b, step))[:_MAX_REASONS]


def changes(a: Stored, b: Stored, step: str) -> list[str]:
    """Return what differs in a step's code and inputs."""
    out = []
    one, two = a.spec_of(step), b.spec_of(step)
    if a.steps[step]["code_hash"] != b.steps[step]["code_hash"]:
        same = bool(one and two and one.code == two.code)
        out.append(
            "something its code uses changed: a function, a global value, a fallback, its `when`, or Python itself"
            if same
            else "its code changed"
        )
    before, after = a.inputs(step), b.inputs(step)
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) == after.get(name):
            continue
        source = (two.deps.get(name) if two else None) or (
            one.deps.get(name) if one and name not in after else None
        )
        if source is None:
            out.append(f"parameter '{name}' changed")
        elif name not in after:
            out.append(f"input '{name}' from step '{source}' is gone")
        elif name not in before:
            out.append(f"input '{name}' from step '{source}' is new")
        else:
            out.append(f"input '{name}' changed: step '{source}' gave another output")
    return out


def _same_but_run(a: Stored, b: Stored, step: str) -> list[str]:
    """Code and inputs are the same, and yet it was executed."""
    one, two = a.steps[step], b.steps[step]
    spec = b.spec_of(step)
    out = []
    again = _rerun(b, step)
    if again:
        out.append(again)
    if one["status"] != "succeeded":
        return [*out, f"it had not succeeded in run {a.run_id}: it is {one['status']}"]
    if spec is None or two["kind"] == "gate":
        return out or ["a gate asks anew in every run"]
    if not spec.cache:
        return out or ["its cache is off"]
    if one["ended_at"] and two["started_at"] and one["ended_at"] > two["started_at"]:
        return [*out, f"run {a.run_id} had not made it yet"]
    if one["answered_by"]:
        return [*out, f"in run {a.run_id} the fallback '{one['answered_by']}' answered, which is not cached"]
    if one["cache_key"] is None and not one["cached"]:
        return [*out, f"its cache was off in run {a.run_id}"]
    if _gone(a, one):
        return [*out, f"the output of run {a.run_id} is gone or damaged: it was collected or changed on disk"]
    return out or ["the cached output could not be used when it was looked for"]


def _rerun(b: Stored, step: str) -> str | None:
    if step not in b.redone:
        return None
    start = b.row["rerun_from"]
    if step == start:
        return f"a rerun from '{step}' was asked for"
    return f"it is behind '{start}', from where the rerun was asked for"


def _gone(a: Stored, row: Row) -> bool:
    try:
        return not a.ws.artifacts.exists(a.ws.artifacts.find(row["output"]))
    except NotFoundError:
        return True


def _from_where(b: Stored, step: str) -> str:
    taken = b.taken_from(step)
    if b.reused(step):
        where = taken[0].run_id if taken else str(b.steps[step]["message"] or "").removeprefix("reused from ")
        return f"not run: taken over from run {where or 'before'}"
    where = f"as in run {taken[0].run_id}" if taken else "as in a run that is gone"
    return f"not run: same code and inputs {where}, answered from the cache"
