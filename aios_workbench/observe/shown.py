"""Answers as text for a terminal or a notebook, and as data frames. Knows them by their fields alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.workflow.durations import format_duration

if TYPE_CHECKING:
    import pandas as pd

_CELL, _LAST = 60, 120
_ROWS = 60
_BAR = 40
_SIGNS = {"queue": "·", "run": "█", "retry": "░", "wait": "▒"}
_TIMES = frozenset(("at", "created_at", "start", "end", "ready_at"))


def text(answer: Any) -> str:
    """Return an answer as text."""
    return _TEXTS[type(answer).__name__](answer)


def frame(answer: Any) -> pd.DataFrame:
    """Return the rows of an answer as a data frame."""
    import pandas as pd

    made = pd.DataFrame(_ROWS_OF[type(answer).__name__](answer))
    for name in _TIMES.intersection(made.columns):
        made[name] = pd.to_datetime(made[name], unit="s", utc=True)
    return made


def bar(spans: Iterable[Any], start: float, end: float, width: int = _BAR) -> str:
    """Draw a step's spans on a line: `·` queue, `█` run, `░` retry, `▒` wait.

    Examples
    --------
    >>> from types import SimpleNamespace as Span
    >>> bar([Span(kind="queue", start=0, end=5), Span(kind="run", start=5, end=10)], 0, 10, 8)
    '····████'
    """
    cells = [" "] * width
    scale = width / (end - start) if end > start else 0.0
    for span in sorted(spans, key=lambda s: s.kind == "run"):  # what ran is seen, however short
        first = min(width - 1, max(0, int((span.start - start) * scale)))
        last = min(width, max(first + 1, round(((end if span.end is None else span.end) - start) * scale)))
        cells[first:last] = _SIGNS[span.kind] * (last - first)
    return "".join(cells).rstrip()


def table(head: Sequence[str], rows: Iterable[Sequence[object]], limit: int = _ROWS) -> str:
    """Return a table in plain text; a column named with a `>` ends right. Control characters are made visible."""
    found = [[_clean(c, _LAST if i == len(head) - 1 else _CELL) for i, c in enumerate(row)] for row in rows]
    names = [n.lstrip(">") for n in head]
    widths = [max(len(r[i]) for r in [names, *found[:limit]]) for i in range(len(names))]
    lines = [
        "  ".join(
            c.rjust(w) if h[:1] == ">" else c.ljust(w) for c, w, h in zip(row, widths, head, strict=True)
        ).rstrip()
        for row in [names, *found[:limit]]
    ]
    if len(found) > limit:
        lines.append(f"… and {len(found) - limit} more; .to_frame() has all")
    return "\n".join(lines)


def _clean(value: object, width: int = _CELL) -> str:
    said = "" if value is None else str(value)
    said = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in said)
    return said if len(said) <= width else said[: width - 1] + "…"


def _clock(at: float | None) -> str:
    return "" if at is None else dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _line(name: str, value: object) -> str:
    return f"{name:<12} {_clean(value, _LAST)}"


def _fact(fact: Any) -> str:
    shown = f"{fact.value:,.6g}" if fact.value is not None else str(fact.text)
    return f"{fact.name} = {shown}" + (f" {fact.unit}" if fact.unit else "")


def _overview(o: Any) -> str:
    seconds = [(n, getattr(o, f"{n}_seconds")) for n in ("queue", "run", "retry", "wait", "saved")]
    lines = [
        f"run {_clean(o.run_id)}: {o.status}",
        _line("workflow", o.workflow),
        _line("by", f"{o.user}, {o.source}" + (f", job {o.job}" if o.job else "")),
        _line("created", _clock(o.created_at)),
        _line("took", format_duration(o.duration)),
        _line("of which", ", ".join(f"{n} {format_duration(v)}" for n, v in seconds if v)),
        _line("parameters", ", ".join(f"{k}={v}" for k, v in o.params.items())),
        _line("code", o.code_version),
        _line("steps", ", ".join(f"{n} {status}" for status, n in o.steps.items())),
        _line("written", f"{o.bytes_written:,} bytes"),
    ]
    e = o.environment
    if e is not None:
        lines.append(_line("where", f"Python {e.python} on {e.host}, {e.platform}"))
        if e.git_commit:
            branch, dirty = e.git_branch or "no branch", ", changed" if e.git_dirty else ""
            lines.append(_line("git", f"{e.git_commit[:12]} ({branch}{dirty})"))
    lines += [_line(name, _fact(f)) for name in ("cost", "kpis", "metrics") for f in getattr(o, name)]
    lines += [_line("reruns", o.parent_run_id)] if o.parent_run_id else []
    lines += [_line("error", o.error)] if o.error else []
    return "\n".join(lines)


def _timeline(t: Any) -> str:
    end = t.now if t.end is None else t.end
    rows = []
    for s in t.steps:
        sums = dict.fromkeys(_SIGNS, 0.0)
        for span in s.spans:
            sums[span.kind] += max(0.0, (end if span.end is None else span.end) - span.start)
        note = ("critical" if s.critical else "") or (
            "" if s.slack is None else f"slack {format_duration(s.slack)}"
        )
        told = [format_duration(sums[k]) if sums[k] else "" for k in _SIGNS]
        rows.append((s.step, "cached" if s.cached else s.status, *told, bar(s.spans, t.start, end), note))
    wide = "" if t.parallelism is None else f", {t.parallelism:.2g} steps at once on average"
    path = " > ".join(_clean(n) for n in t.critical_path)
    body = table(("step", "state", ">queue", ">run", ">retry", ">wait", "when", ""), rows)
    return f"{format_duration(end - t.start)}{' so far' if t.end is None else ''}{wide}\ncritical path: {path}\n{body}"


def _events(p: Any) -> str:
    body = table((">seq", "at", "what"), [(e.seq, _clock(e.at), e.text) for e in p.events])
    return body + ("\n… and more: .events(after=…)" if p.more else "")


def _lineage(g: Any) -> str:
    by_id = {n.id: n for n in g.nodes}

    def named(id_: str) -> str:
        node = by_id[id_]
        return (
            f"{node.step} of {node.run_id}" if node.step else f"parameter {node.parameter} of {node.run_id}"
        )

    up = "\n".join(f"  from  {_wide(named(i))}" for i in g.up)
    down = "\n".join(f"  to    {_wide(named(i))}" for i in g.down)
    cut = "  … and more" if g.truncated else ""
    return "\n".join(filter(None, (_wide(named(g.focus)), up, down, cut)))


def _wide(value: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)


def _run_diff(d: Any) -> str:
    parts = [f"a  {d.a.run_id}: {d.a.status}\nb  {d.b.run_id}: {d.b.status}"]
    if d.identical:
        parts.append("the same parameters, code, inputs and outputs")
    values = [(v.name, v.change, v.a, v.b) for k in ("params", "environment", "metrics", "cost")
              for v in getattr(d, k) if v.change != "same"]  # fmt: skip
    if values:
        parts.append(table(("value", "change", "a", "b"), values))
    rows = [
        (s.step, s.change, ", ".join(k for k in ("code", "policy", "inputs", "output") if getattr(s, k)),
         format_duration(s.duration_a), format_duration(s.duration_b), "; ".join(s.why)) for s in d.steps
    ]  # fmt: skip
    parts.append(table(("step", "change", "what", ">a", ">b", "why in b"), rows))
    return "\n\n".join(parts)


def _step_diff(d: Any) -> str:
    parts = [f"step {_clean(d.step)}: {d.change}"]
    parts += ["\n".join(f"  {_wide(w)}" for w in d.why)] if d.why else []
    values = [
        (v.name, v.change, v.a, v.b)
        for k in ("policy", "inputs")
        for v in getattr(d, k)
        if v.change != "same"
    ]
    parts += [table(("value", "change", "a", "b"), values)] if values else []
    parts += [d.code_diff] if d.code_diff else []
    o = d.output
    if o is not None:
        sizes = [" x ".join(map(str, shape)) if shape else "" for shape in (o.shape_a, o.shape_b)]
        parts.append(
            f"output: {o.note or 'different'}\n  a  {o.type_a} {sizes[0]}\n  b  {o.type_b} {sizes[1]}"
        )
        if o.columns:
            rows = [(c.name, c.change, c.a.type if c.a else "", c.b.type if c.b else "",
                     "" if c.distance is None else f"{c.distance:.3f}") for c in o.columns]  # fmt: skip
            parts.append(table(("column", "change", "type a", "type b", ">distance"), rows))
    return "\n\n".join(parts)


def _history(h: Any) -> str:
    trend = "" if h.trend is None else f", {h.trend:+.3g} s a run"
    head = (
        f"{h.workflow}: {h.total} run{'s' if h.total != 1 else ''}, {_share(h.success_rate) or 'none'} succeeded, "
        f"half within {format_duration(h.p50) or '?'}, 95% within {format_duration(h.p95) or '?'}{trend}"
    )
    steps = [
        (s.step, s.runs, _share(s.success_rate), format_duration(s.p50), format_duration(s.p95), _share(s.share),
         _share(s.cache_rate), s.retries, _share(s.flaky_rate)) for s in h.steps
    ]  # fmt: skip
    runs = [
        (r.run_id, r.status, _clock(r.created_at), format_duration(r.duration), f"{r.steps_done} of {r.steps_total}",
         r.user, r.failed_step or "") for r in h.runs
    ]  # fmt: skip
    names = ("step", ">runs", ">success", ">p50", ">p95", ">share", ">cached", ">retries", ">flaky")
    listed = table(("run", "state", "created", ">took", ">steps", "by", "failed at"), runs)
    return f"{_clean(head) if len(head) <= _CELL else _wide(head)}\n\n{table(names, steps)}\n\n{listed}"


def _dumped(field: str) -> Callable[[Any], list[dict[str, Any]]]:
    return lambda answer: [item.model_dump() for item in getattr(answer, field)]


_TEXTS: dict[str, Callable[[Any], str]] = {
    "Overview": _overview, "Timeline": _timeline, "EventPage": _events, "Lineage": _lineage, "RunDiff": _run_diff,
    "StepDiff": _step_diff, "History": _history,
}  # fmt: skip
_ROWS_OF: dict[str, Callable[[Any], list[dict[str, Any]]]] = {
    "Overview": lambda o: [{"name": n, "value": v} for n, v in o.model_dump().items()],
    "Timeline": lambda t: [{
        "step": s.step, "state": s.status, "critical": s.critical, "slack": s.slack, **span.model_dump()
    } for s in t.steps for span in s.spans],
    "EventPage": _dumped("events"), "Lineage": _dumped("edges"), "RunDiff": _dumped("steps"),
    "StepDiff": lambda d: [c.model_dump(exclude={"a", "b"}) for c in d.output.columns] if d.output else [],
    "History": _dumped("runs"),
}  # fmt: skip
