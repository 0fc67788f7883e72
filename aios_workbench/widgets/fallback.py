"""What is left of a widget without a kernel, without scripts, or in a terminal."""

from __future__ import annotations

import base64
from html import escape

from aios_workbench.widgets.picture import counts, svg
from aios_workbench.widgets.protocol import GraphState, StepNode
from aios_workbench.workflow.durations import format_duration

_MAX_ROWS = 100


def bundle(state: GraphState) -> dict[str, str]:
    """Return `text/html` and `text/plain` for a display bundle."""
    return {"text/html": html(state), "text/plain": plain(state)}


def html(state: GraphState) -> str:
    """Return plain tags and one `<img>` with a data URI: all that JupyterLab's sanitizer lets through."""
    picture = base64.b64encode(svg(state).encode()).decode()
    summary = escape(_summary(state))
    rows = "".join(_row(n) for n in state.nodes[:_MAX_ROWS])
    more = len(state.nodes) - _MAX_ROWS
    note = f"<p>and {more} more steps</p>" if more > 0 else ""
    table = (
        "<table><thead><tr><th>step</th><th>state</th><th>duration</th><th>attempts</th><th>note</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>{note}"
    )
    return f'<div><img alt="{summary}" src="data:image/svg+xml;base64,{picture}">{table if state.nodes else ""}</div>'


def plain(state: GraphState) -> str:
    """Return the state as text, one line per step."""
    lines = [_summary(state)]
    room = max((len(n.name) for n in state.nodes[:_MAX_ROWS]), default=0)
    for node in state.nodes[:_MAX_ROWS]:
        words = "  ".join(filter(None, (format_duration(node.duration), _note(node))))
        lines.append(
            f"  {_MARKS[node.status]} {node.name:<{min(room, 40)}}  {node.status:<9}  {words}".rstrip()
        )
    if len(state.nodes) > _MAX_ROWS:
        lines.append(f"  … and {len(state.nodes) - _MAX_ROWS} more steps")
    return "\n".join(lines)


_MARKS = {
    "pending": "○", "running": "▶", "retrying": "↻", "waiting": "‖", "succeeded": "✓", "failed": "✗",
    "skipped": "»", "cancelled": "■", "compensated": "↶",
}  # fmt: skip


def _summary(state: GraphState) -> str:
    if state.problem:
        return f"workflow {state.workflow}: {state.problem}"
    if state.run is None:
        return f"workflow {state.workflow}: {_steps(len(state.nodes))}, not run yet"
    return f"workflow {state.workflow}, run {state.run.run_id}: {state.run.status}; {counts(state.nodes)}"


def _steps(n: int) -> str:
    return "1 step" if n == 1 else f"{n} steps"


def _row(node: StepNode) -> str:
    tried = f"{node.attempts}/{max(node.max_attempts, node.attempts)}" if node.attempts else ""
    cells = (
        node.name,
        f"{_MARKS[node.status]} {node.status}",
        format_duration(node.duration),
        tried,
        _note(node),
    )
    return "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in cells) + "</tr>"


def _note(node: StepNode) -> str:
    return ", ".join(
        filter(None, ("cached" * node.cached, "stale" * node.stale, node.error or node.message or ""))
    )
