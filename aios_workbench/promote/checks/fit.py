"""AIOS4xx: does the notebook fit the job it shall become: parameters, schedule, time, memory, gates, card."""

from __future__ import annotations

import ast
import datetime as dt
import itertools
import re
import time
import zoneinfo
from collections.abc import Iterator
from typing import cast

from aios_workbench.errors import AiosError, hint
from aios_workbench.promote.card_gate import card_findings
from aios_workbench.promote.channels import is_known, is_open
from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.finding import Finding, Severity
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.checks.source import Code
from aios_workbench.promote.notebooks import PARAMETERS_TAG, gate_names
from aios_workbench.promote.parameters import NotebookParameter
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.spec_parts import readable
from aios_workbench.workflow.durations import format_duration

PARAMETERS = Rule("AIOS401", "parameters", "error", "A value given to the job fits no parameter, or one is missing.",
                  "The run is refused before its first cell.")  # fmt: skip
PARAMETERS_CELL = Rule("AIOS402", "parameters-cell", "warning", "The parameters cell holds what cannot be a parameter.",
                       "The form cannot ask for it.")  # fmt: skip
UNTYPED = Rule("AIOS403", "untyped-parameter", "note", "A parameter has no type hint.",
               "Its type is guessed from the default: 1 is an integer, and 0.5 is refused.", fixable=True)  # fmt: skip
UNUSED = Rule("AIOS405", "unused-parameter", "warning", "A parameter is never used.",
              "Whoever sets it believes that it does something.")  # fmt: skip
IGNORED = Rule("AIOS406", "parameter-overwritten", "warning", "A parameter is given another value further down.",
               "The value given to the job has no effect.")  # fmt: skip
SCHEDULE = Rule("AIOS411", "schedule", "error", "The schedule never comes true.", "The job never runs.")
DST = Rule(
    "AIOS412",
    "schedule-dst",
    "warning",
    "The schedule's time is skipped or shown twice when the clocks change.",
    "On that day the job runs at another time than all others.",
)
TOO_OFTEN = Rule("AIOS413", "schedule-too-often", "warning", "The job is due again before it is done.",
                 "Every tick that finds it running is skipped.")  # fmt: skip
TIMEOUT = Rule("AIOS414", "timeout-too-short", "warning", "The timeout leaves no room for the time the run took.",
               "A slow night kills it.")  # fmt: skip
MEMORY = Rule("AIOS415", "memory", "warning", "The run needs most of the memory there is, or that it is allowed.",
              "Somewhat more data, and it is killed.")  # fmt: skip
GATE = Rule("AIOS421", "gate-open", "note", "A gate of the notebook has no answer in the job.",
            "The run waits there for a person, every night.")  # fmt: skip
UNKNOWN_GATE = Rule("AIOS422", "gate-unknown", "warning", "The job answers a gate that the notebook does not have.",
                    "A gate that was renamed waits for a person.")  # fmt: skip
ALERT = Rule("AIOS423", "alert-address", "error", "An alert cannot be sent, or its password stands in the job's file.",
             "A failure is not told, or a password is.")  # fmt: skip
NO_TESTS = Rule("AIOS424", "no-tests", "note", "A scheduled model is trained or used, and nothing is asserted.",
                "Wrong input gives wrong output, and the run succeeds.")  # fmt: skip
NO_DRIFT = Rule(
    "AIOS425",
    "no-drift-check",
    "note",
    "A scheduled model is used, and nothing compares its data with that of before.",
    "A model goes stale without an error.",
)
CARD = Rule("AIOS431", "card", "error", "The model card is missing, cannot be read, or lacks a section.",
            "Nobody can tell what the model is for.")  # fmt: skip
CARD_RED = Rule("AIOS432", "card-red", "warning", "The explanation on the model card failed its own checks.",
                "It says of the model what may not hold.")  # fmt: skip
CARD_DRIFT = Rule("AIOS433", "card-drift", "warning", "The model card says that the data drifted.",
                  "The model is promoted on data that is no longer so.")  # fmt: skip
RULES = (
    PARAMETERS,
    PARAMETERS_CELL,
    UNTYPED,
    UNUSED,
    IGNORED,
    SCHEDULE,
    DST,
    TOO_OFTEN,
    TIMEOUT,
    MEMORY,
    GATE,
    UNKNOWN_GATE,
    ALERT,
    NO_TESTS,
    NO_DRIFT,
    CARD,
    CARD_RED,
    CARD_DRIFT,
)

_BY_NAME = {r.name: r for r in RULES}
_TICKS = 12
_ROOM = 1.5


def find(ctx: Context) -> Iterator[Finding]:
    """Yield what does not fit."""
    yield from _parameters(ctx)
    yield from _values(ctx)
    if ctx.spec is not None:
        yield from _schedule(ctx)
        yield from _alerts(ctx)
        yield from _gates(ctx)
    yield from _resources(ctx)
    for severity, name, message, fix, cell, line in card_findings(
        ctx.path, [c.cell for c in ctx.codes], ctx.spec
    ):
        cell_id = next((c.id for c in ctx.codes if c.number == cell), None)
        yield Finding(
            cast("Severity", severity), name, message, fix, cell, line, _BY_NAME[name].id, cell_id=cell_id
        )


# ---------------------------------------------------------------- parameters


def _parameters(ctx: Context) -> Iterator[Finding]:
    by_number = {code.number: code for code in ctx.codes}
    for p in ctx.parameters.problems:
        yield PARAMETERS_CELL.at(by_number[p.cell], p.line, p.message, p.fix)
    if ctx.spec is None:
        return
    try:
        ctx.parameters.coerce(ctx.spec.parameters)
    except AiosError as e:
        code = by_number.get(ctx.parameters.cell or 0)
        yield PARAMETERS.at(code, None, str(e), "correct the value given to the job")
    yield from _from_events(ctx, ctx.spec)
    given = dict.fromkeys(_always_told(ctx.spec)) | ctx.spec.parameters
    for wanted in ctx.parameters.missing(given):
        yield PARAMETERS.at(
            by_number[wanted.cell],
            wanted.line,
            f"parameter {wanted.name!r} ({wanted.type}) has no value and no default",
            f"give the job -p {wanted.name}=…",
            variable=wanted.name,
        )


def _from_events(ctx: Context, spec: JobSpec) -> Iterator[Finding]:
    """Parameters that an event shall set, and the notebook does not have."""
    known = ctx.parameters.by_name
    code = next((c for c in ctx.codes if c.number == ctx.parameters.cell), None)
    for trigger in spec.on_event:
        for name in trigger.parameters:
            if name not in known:
                yield PARAMETERS.at(
                    code,
                    None,
                    f"event {trigger.event} sets {name!r}, and the notebook has no such parameter{hint(name, known)}",
                    f"correct the name (it has: {', '.join(known) or 'none'}), or add the parameter",
                    variable=name,
                )


def _always_told(spec: JobSpec) -> set[str]:
    """Return the parameters that get a value from whatever starts the job by itself."""
    if spec.ticks is not None or spec.after or not spec.on_event:
        return set()
    return set.intersection(*(set(trigger.parameters) for trigger in spec.on_event))


def _values(ctx: Context) -> Iterator[Finding]:
    """Parameters without a type, without a use, or with another value further down."""
    index = next((i for i, c in enumerate(ctx.codes) if PARAMETERS_TAG in c.tags), None)
    if index is None:
        return
    code = ctx.codes[index]
    used = {w for c in ctx.codes for w in c.words}
    for names in ctx.names:
        used |= {u.name for u in names.uses} | {u.name for u in names.later}
    for p in ctx.parameters:
        if not p.annotated and p.default is not None and not p.computed:
            yield _untyped(code, p)
        if p.name not in used and not _spelled(ctx, p.name):
            yield UNUSED.at(
                code, p.line, f"the parameter {p.name!r} is never used{hint(p.name, used - {p.name})}".rstrip("?"),
                "use it, or remove it", variable=p.name,
            )  # fmt: skip
        other = next(
            (b for i, b in ctx.binds.get(p.name, []) if i > index and b.sure and b.kind == "assign"), None
        )
        if other is not None and not _mentions(ctx.values.get(other.node), p.name):
            at = next(c for c in ctx.codes if other.node in c.nodes)
            yield IGNORED.at(
                at, other.node, f"the parameter {p.name!r} gets another value here, whatever the job was given",
                "remove the line, or use another name", variable=p.name,
            )  # fmt: skip


def _untyped(code: Code, p: NotebookParameter) -> Finding:
    quick = None
    for statement in code.tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name) as target]) if name == p.name and p.type != "Any":
                quick = code.replace(f"write {p.name}: {p.type}", (target, f"{p.name}: {p.type}"))
            case _:
                pass
    return UNTYPED.at(
        code,
        p.line,
        f"the type of {p.name!r} is guessed from its default: {p.type}",
        f"annotate it: {p.name}: {p.type} = …",
        variable=p.name,
        quick=quick,
    )


def _spelled(ctx: Context, name: str) -> bool:
    return any(isinstance(n, ast.Constant) and n.value == name for c in ctx.codes for n in c.nodes)


def _mentions(node: ast.AST | None, name: str) -> bool:
    return node is not None and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


# ---------------------------------------------------------------- schedule


def _schedule(ctx: Context) -> Iterator[Finding]:
    assert ctx.spec is not None
    ticks = ctx.spec.ticks
    if ticks is None:
        return
    # Whether cron and zone can be read is JobSpec's own check; that they ever come true is not.
    due = ticks.upcoming(time.time(), _TICKS)
    if not due:
        yield SCHEDULE.at(
            None,
            None,
            f"{_said(ctx.spec)} never comes true in the next 50 years",
            "correct day and month" if ctx.spec.schedule else "correct `every` and `starting`",
        )
        return
    said = _clock_change(ctx.spec.schedule, ctx.spec.timezone) if ctx.spec.schedule else None
    if said is not None:
        yield DST.at(None, None, f"schedule {ctx.spec.schedule!r} in {ctx.spec.timezone}: {said}",
                     "choose a time before 01:00 or after 03:00, or the zone UTC")  # fmt: skip
    if ctx.run is None or len(due) < 2:
        return
    gap = min(b - a for a, b in itertools.pairwise(due))
    if gap < ctx.run.seconds:
        yield TOO_OFTEN.at(
            None,
            None,
            f"the run took {format_duration(ctx.run.seconds)}, and the job is due again after {format_duration(gap)}",
            "let it run less often, or make it faster",
        )


def _said(spec: JobSpec) -> str:
    since = f" starting {spec.starting}" if spec.starting else ""
    return f"schedule {spec.schedule!r}{since}" if spec.schedule else f"every {readable(spec.every)}{since}"


def _clock_change(schedule: str, timezone: str) -> str | None:
    """Return what the next clock changes do to a job at a fixed time; None where they do nothing."""
    minute, hour = schedule.split()[:2]
    if timezone == "UTC" or not (re.fullmatch(r"\d+", minute) and re.fullmatch(r"\d+(,\d+)*", hour)):
        return None
    zone = zoneinfo.ZoneInfo(timezone)
    today = dt.datetime.now(zone).date()
    days = [today + dt.timedelta(days=n) for n in range(1, 366)]
    for at in map(int, hour.split(",")):
        skipped = twice = None
        for day in days:
            local = dt.datetime.combine(day, dt.time(at, int(minute)), zone)
            if local.utcoffset() == local.replace(fold=1).utcoffset():
                continue
            back = local.astimezone(dt.UTC).astimezone(zone)
            if (back.hour, back.minute) != (at, int(minute)):
                skipped = skipped or day
            else:
                twice = twice or day
        if skipped or twice:
            said = [f"{at:02}:{int(minute):02} is skipped by the clock on {skipped}"] if skipped else []
            said += (
                [f"shown twice on {twice}" if said else f"{at:02}:{int(minute):02} is shown twice on {twice}"]
                if twice
                else []
            )
            return " and ".join(said)
    return None


# ---------------------------------------------------------------- time, memory, alerts, gates


def _resources(ctx: Context) -> Iterator[Finding]:
    if ctx.run is None:
        return
    spec, run = ctx.spec, ctx.run
    if (
        spec is not None
        and spec.timeout is not None
        and run.status == "succeeded"
        and run.seconds * _ROOM > spec.timeout
    ):
        yield TIMEOUT.at(
            None,
            None,
            f"the run took {format_duration(run.seconds)}, and the timeout is {format_duration(spec.timeout)}",
            f"give it at least {format_duration(max(1.0, round(run.seconds * 3)))}",
        )
    allowed = run.memory_limit
    if run.peak_bytes is not None and allowed and run.peak_bytes > 0.8 * allowed:
        yield MEMORY.at(
            None, None, f"the run took {run.peak_bytes / 1e9:.1f} GB at its peak, of {allowed / 1e9:.1f} GB",
            "read less at once, or give the worker more",
        )  # fmt: skip


def _alerts(ctx: Context) -> Iterator[Finding]:
    assert ctx.spec is not None
    for channel in filter(is_open, ctx.spec.alerts):
        scheme = channel.partition("://")[0]
        if is_known(channel):
            yield ALERT.at(
                None, None, f"a {scheme} address with its password stands in the job's file",
                f"keep it in a variable of the worker's environment, and give the job its name: '$MY_{scheme.upper()}'",
                severity="warning",
            )  # fmt: skip
        else:
            yield ALERT.at(
                None, None, f"no alert can be sent to {scheme}://…", "see apprise's list of addresses"
            )


def _gates(ctx: Context) -> Iterator[Finding]:
    assert ctx.spec is not None
    gates = gate_names([c.cell for c in ctx.codes])
    answered = set(ctx.spec.gates)
    for name, code in gates.items():
        if name not in answered:
            yield GATE.at(
                next(c for c in ctx.codes if c.number == code.number),
                None,
                f"gate {name!r} has no answer in the job: the run waits there for a person",
                f"if that is not meant, give the job --gate {name}=approve",
                variable=name,
            )
    for name in sorted(answered - set(gates)) if gates or answered else ():
        yield UNKNOWN_GATE.at(
            None,
            None,
            f"the job answers a gate {name!r} that the notebook does not have{hint(name, gates)}".rstrip("?"),
            "correct the name, or remove it",
            variable=name,
        )
    yield from _model(ctx)


def _model(ctx: Context) -> Iterator[Finding]:
    """A scheduled notebook that fits or uses a model, with nothing that would notice when that goes wrong."""
    assert ctx.spec is not None
    if not ctx.spec.starts_itself:
        return
    fits = next(((code, call) for code in ctx.codes for call in code.calls if _is_model(call)), None)
    if fits is None:
        return
    nodes = [n for code in ctx.codes for n in code.nodes]
    if not any(isinstance(n, (ast.Assert, ast.Raise)) for n in nodes):
        yield NO_TESTS.at(*fits, "the notebook uses a model, and asserts nothing about data or result",
                          "assert what must hold: rows, columns, a metric's floor")  # fmt: skip
    words = {n.attr for n in nodes if isinstance(n, ast.Attribute)} | {
        n.id for n in nodes if isinstance(n, ast.Name)
    }
    if not words & {"drift", "monitor", "compare", "evidently", "Monitor"}:
        yield NO_DRIFT.at(*fits, "the notebook uses a model, and compares its data with nothing",
                          "add aios.drift.compare(reference, current), or a monitor")  # fmt: skip


def _is_model(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in ("predict", "predict_proba", "fit")
        and bool(call.args)
    )
