"""`aios diff`, `aios history`: two runs side by side, a workflow over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, find_run, json_option
from aios_workbench.workflow.durations import format_duration

if TYPE_CHECKING:
    from aios_workbench.observe.models import History, RunDiff, StepDiff, Timeline


@click.command(short_help="Compare two runs, or one step of theirs.")
@click.argument("a")
@click.argument("b")
@click.option("--step", help="Compare this step closely: code, inputs, output column by column.")
@json_option
@click.pass_obj
def diff(state: State, a: str, b: str, step: str | None, as_json: bool) -> None:
    """Compare run A with run B, usually a later one: what differs, and what made B's steps run again."""
    from aios_workbench.observe import diff as compare

    ws = state.workspace()
    one, two = find_run(ws, a), find_run(ws, b)
    if step is None:
        found = compare.diff_runs(ws, one, two)
        output.emit(found.model_dump()) if as_json else _runs(found)
    else:
        close = compare.diff_steps(ws, one, two, step)
        output.emit(close.model_dump()) if as_json else _step(close)


@click.command(short_help="Show a workflow's runs over time and what they say.")
@click.argument("workflow")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500), help="How many runs.")
@json_option
@click.pass_obj
def history(state: State, workflow: str, limit: int, as_json: bool) -> None:
    """Show how often WORKFLOW succeeds, how long it takes, and which of its steps are slow or flaky."""
    from aios_workbench.observe.history import history as ask

    found = ask(state.workspace(), workflow, limit)
    output.emit(found.model_dump()) if as_json else _history(found)


def _runs(d: RunDiff) -> None:
    for name, side in (("a", d.a), ("b", d.b)):
        took = f"   {format_duration(side.duration)}   by {side.user}"
        output.say(f"{name}  {side.run_id}  ", output.state(side.status), took)
    if d.identical:
        output.say("the same parameters, code, inputs and outputs")
    _values([v for k in ("params", "environment", "metrics", "cost") for v in getattr(d, k)])
    rows = []
    for s in d.steps:
        what = ", ".join(k for k in ("code", "policy", "inputs", "output") if getattr(s, k))
        times = format_duration(s.duration_a), format_duration(s.duration_b)
        rows.append((s.step, s.change, what, *times, "; ".join(s.why)))
    output.show(output.table(("step", "change", "what", ">a", ">b", "why in b"), rows))


def _values(values: list[Any]) -> None:
    rows = [
        (v.name, v.change, output.short(v.a or ""), output.short(v.b or ""))
        for v in values
        if v.change != "same"
    ]
    if rows:
        output.show(output.table(("value", "change", "a", "b"), rows))


def _step(d: StepDiff) -> None:
    output.say(f"step {d.step}: {d.change}")
    for reason in d.why:
        output.say(f"  {reason}")
    _values([*d.policy, *d.inputs])
    if d.code_diff:
        output.say(d.code_diff, lines=True)
    found = d.output
    if found is None:
        return
    sizes = [" x ".join(map(str, s)) if s else "" for s in (found.shape_a, found.shape_b)]
    output.say(f"output: {found.note or 'different'}")
    output.say(f"  a  {found.type_a or 'none'} {sizes[0]}")
    output.say(f"  b  {found.type_b or 'none'} {sizes[1]}")
    if found.columns:
        rows = [
            (c.name, c.change, c.a.type if c.a else "", c.b.type if c.b else "",
             "" if c.distance is None else f"{c.distance:.3f}") for c in found.columns
        ]  # fmt: skip
        output.show(output.table(("column", "change", "type a", "type b", ">distance"), rows))


def _history(h: History) -> None:
    trend = "" if h.trend is None else f", {h.trend:+.3g} s a run"
    rate = "none is over" if h.success_rate is None else f"{h.success_rate:.0%} succeeded"
    half = (
        ""
        if h.p50 is None
        else f", half within {format_duration(h.p50)}, 95% within {format_duration(h.p95)}"
    )
    output.say(f"{h.workflow}: {h.total} run{'s' if h.total != 1 else ''}, {rate}{half}{trend}")
    steps = [
        (s.step, s.runs, _share(s.success_rate), format_duration(s.p50), format_duration(s.p95), _share(s.share),
         _share(s.cache_rate), s.retries, _share(s.flaky_rate)) for s in h.steps
    ]  # fmt: skip
    names = (
        "step",
        ">runs",
        ">success",
        ">half within",
        ">95% within",
        ">share",
        ">cached",
        ">retries",
        ">flaky",
    )
    output.show(output.table(names, steps))
    runs = [
        (r.run_id, output.state(r.status), output.clock(r.created_at), format_duration(r.duration),
         f"{r.steps_done} of {r.steps_total}", r.failed_step or "") for r in h.runs
    ]  # fmt: skip
    output.show(output.table(("run", "state", "started", ">time", ">steps", "failed at"), runs))


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def timeline(found: Timeline) -> None:
    """Print where a run's time went: per step a line of spans, and what they mean."""
    from aios_workbench.observe.shown import bar

    end = found.now if found.end is None else found.end
    rows = []
    for s in found.steps:
        if not s.spans:
            continue
        slack = "critical" if s.critical else "" if s.slack is None else f"slack {format_duration(s.slack)}"
        rows.append((s.step, bar(s.spans, found.start, end), slack))
    if not rows:
        return
    output.show(output.table(("step", "· queue  █ run  ░ retry  ▒ wait", ""), rows))
    if found.critical_path:
        output.say("critical path: " + " > ".join(found.critical_path))
