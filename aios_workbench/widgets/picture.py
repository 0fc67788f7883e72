"""A graph as a still picture: SVG from pure Python, the same bytes for the same state.

For saved notebooks (as `<img>`: JupyterLab's sanitizer strips inline SVG), reports and files.
"""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

from aios_workbench.errors import UnknownOptionError
from aios_workbench.widgets.layout import arrange, depths
from aios_workbench.widgets.protocol import GraphState, StepNode, StepStatus
from aios_workbench.widgets.svg import FONT, fitted, text
from aios_workbench.workflow.durations import format_duration

#: More steps than this are drawn layer by layer instead of one by one.
MAX_STEPS = 150
_MAX_BOXES = 24
_WIDTH, _HEIGHT = 204.0, 52.0
_GAP = (44.0, 18.0)
_MARGIN = 16.0
_HEAD = 44.0

#: Word -> colour (of text and mark, on its tint), tint, and the mark drawn in a box of 14 by 14.
LOOKS: dict[StepStatus, tuple[str, str, str]] = {
    "pending": ("#57606a", "#f6f8fa", '<circle cx="7" cy="7" r="5" fill="none"/>'),
    "running": (
        "#0550ae", "#ddf4ff",
        '<circle cx="7" cy="7" r="6" fill="none"/><path d="M5.5 4l4 3l-4 3z" fill="currentColor"/>',
    ),
    "retrying": ("#8a4600", "#fff1e0", '<path d="M12 7a5 5 0 1 1-1.6-3.7M12 1.5v3h-3" fill="none"/>'),
    "waiting": (
        "#6639ba", "#fbefff",
        '<path d="M3 1.5h8M3 12.5h8M4 1.5c0 4 6 7 6 11M10 1.5c0 4-6 7-6 11" fill="none"/>',
    ),
    "succeeded": ("#116329", "#e6f6ea", '<path d="M2 7.5l3.5 3.5L12 3.5" fill="none" stroke-width="2.2"/>'),
    "failed": ("#a40e26", "#ffebe9", '<path d="M3 3l8 8M11 3l-8 8" fill="none" stroke-width="2.2"/>'),
    "skipped": ("#57606a", "#f6f8fa", '<path d="M2 3l4 4l-4 4M7 3l4 4l-4 4" fill="none"/>'),
    "cancelled": ("#57606a", "#f0f0f0", '<rect x="3" y="3" width="8" height="8" fill="currentColor"/>'),
    "compensated": ("#8a4600", "#fff1e0", '<path d="M3 5h5a3 3 0 0 1 0 6H5M5.5 2L2.5 5l3 3" fill="none"/>'),
}  # fmt: skip


def svg(state: GraphState) -> str:
    """Return the graph as an SVG document.

    Parameters
    ----------
    state : GraphState
        What a widget or `static_state` gives.

    Returns
    -------
    str
        Self-contained: no script, no font, no address. All text is escaped.
    """
    if len(state.nodes) > MAX_STEPS:
        boxes, edges, size = _collapsed(state)
    else:
        boxes, edges, size = _drawn(state)
    width, height = max(size[0] + 2 * _MARGIN, 420.0), size[1] + _HEAD + 2 * _MARGIN
    title, sub = _headline(state)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" font-family="{FONT}"><title>{text(title)}: {text(sub)}</title>'
        f'<rect width="100%" height="100%" rx="8" fill="#ffffff"/>'
        f'<rect x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="8" fill="none" '
        'stroke="#d0d7de"/>'
        f'<text x="{_MARGIN:.0f}" y="26" font-size="15" font-weight="600" fill="#1f2328">'
        f"{text(fitted(title, int(width / 10)))}</text>"
        f'<text x="{_MARGIN:.0f}" y="44" font-size="12" fill="#57606a">{text(fitted(sub, int(width / 7)))}</text>'
        f'<g transform="translate({_MARGIN:.0f} {_HEAD + _MARGIN:.0f})">'
        f'<g fill="none" stroke="#8c959f" stroke-width="1.4">{"".join(edges)}</g>{"".join(boxes)}</g></svg>\n'
    )


def save_picture(target: Any, path: str | Path, **of: Any) -> Path:
    """Write the picture of a workflow, a run, a `GraphState` or an explanation to a file; return its path.

    Parameters
    ----------
    target : Workflow, Run, GraphState or Explanation
        What to draw, as it stands now.
    path : str or Path
        The file; its folder must exist. SVG, but of an explanation PNG where its name ends so.
    **of
        Of an explanation: `picture` ("overview", "importance", "beeswarm", "waterfall", "force", "compare",
        "dependence", "agreement" or "interactions"), `row`, `column`, `output` (positions), `dark`.

    Raises
    ------
    UnknownOptionError
        When an option is none of these, or `target` is no explanation.

    Examples
    --------
    >>> import tempfile
    >>> import aios_workbench as aios
    >>> wf = aios.Workflow("drawn")
    >>> _ = wf.step(name="load")(lambda: 1)
    >>> aios.save_picture(wf, Path(tempfile.mkdtemp()) / "drawn.svg").name
    'drawn.svg'
    """
    if callable(getattr(type(target), "at_hand", None)):
        from aios_workbench.widgets import explain_picture

        return explain_picture.save(target, Path(path), **of)
    if of:
        raise UnknownOptionError(
            f"a picture of a {type(target).__name__} has no option {next(iter(of))!r}; leave it out"
        )
    if not isinstance(target, GraphState):
        from aios_workbench.widgets.source import static_state

        target = static_state(target)
    path = Path(path)
    path.write_text(svg(target), encoding="utf-8")
    return path


def counts(nodes: list[StepNode]) -> str:
    """Return how many steps are in which state, as words.

    Examples
    --------
    >>> counts([StepNode(name="a", status="succeeded"), StepNode(name="b"), StepNode(name="c")])
    '1 succeeded, 2 pending'
    """
    found = Counter(n.status for n in nodes)
    order: tuple[StepStatus, ...] = (
        "failed", "waiting", "retrying", "running", "succeeded", "compensated", "skipped", "cancelled", "pending",
    )  # fmt: skip
    return ", ".join(f"{found[s]} {s}" for s in order if found[s])


def _drawn(state: GraphState) -> tuple[list[str], list[str], tuple[float, float]]:
    names = {n.name for n in state.nodes}
    upstream = {n.name: [u for u in (*n.deps, *n.after) if u in names] for n in state.nodes}
    place = arrange(upstream, (_WIDTH, _HEIGHT), _GAP)
    boxes = [_box(n, *place.at[n.name]) for n in state.nodes]
    edges = []
    for node in state.nodes:
        for up in upstream[node.name]:
            (x1, y1), (x2, y2) = place.at[up], place.at[node.name]
            points = [(x1 + _WIDTH, y1 + _HEIGHT / 2), *place.routes[up, node.name], (x2, y2 + _HEIGHT / 2)]
            edges.append(_edge(points, dashed=up not in node.deps))
    if not boxes:
        boxes = ['<text y="18" font-size="13" fill="#57606a">No steps yet.</text>']
        return boxes, edges, (_WIDTH, 24.0)
    return boxes, edges, (place.width, place.height)


def _collapsed(state: GraphState) -> tuple[list[str], list[str], tuple[float, float]]:
    """Draw layers, and several layers as one box where there are many."""
    depth = depths({n.name: [*n.deps, *n.after] for n in state.nodes})
    total = max(depth.values()) + 1
    each = -(-total // _MAX_BOXES)
    groups: dict[int, list[StepNode]] = {}
    for node in state.nodes:
        groups.setdefault(depth[node.name] // each, []).append(node)
    boxes, edges, columns = [], [], 4
    step_x, step_y = _WIDTH + _GAP[0], _HEIGHT + 2 * _GAP[1]
    for i, nodes in sorted(groups.items()):
        x, y = (i % columns) * step_x, (i // columns) * step_y
        first, last = i * each + 1, min((i + 1) * each, total)
        label = f"layer {first}" if first == last else f"layers {first}-{last}"
        boxes.append(_frame(x, y, worst(nodes), f"{label} · {len(nodes)}", counts(nodes), "step"))
        if i % columns:
            edges.append(_edge([(x - _GAP[0], y + _HEIGHT / 2), (x, y + _HEIGHT / 2)]))
        elif i:
            up = y - step_y + _HEIGHT
            right = (columns - 1) * step_x + _WIDTH / 2
            edges.append(
                f'<path d="M{right:.1f} {up:.1f}v{_GAP[1]:.1f}H{_WIDTH / 2:.1f}V{y - 6:.1f}"/>'
                f'<path d="M{_WIDTH / 2 - 4:.1f} {y - 7:.1f}l4 6l4 -6z" fill="#8c959f" stroke="none"/>'
            )
    rows = -(-len(groups) // columns)
    return boxes, edges, (min(len(groups), columns) * step_x - _GAP[0], rows * step_y - 2 * _GAP[1])


def worst(nodes: list[StepNode]) -> StepStatus:
    """Return the state to show for several steps: the one a person has to know about first."""
    order: tuple[StepStatus, ...] = (
        "failed", "waiting", "retrying", "running", "compensated", "cancelled", "pending", "skipped", "succeeded",
    )  # fmt: skip
    present = {n.status for n in nodes}
    return next((s for s in order if s in present), "pending")


def _box(node: StepNode, x: float, y: float) -> str:
    words: list[str] = [node.status]
    if node.duration is not None:
        words.append(format_duration(node.duration))
    if node.attempts > 1:
        words.append(f"{node.attempts}/{max(node.max_attempts, node.attempts)}")
    words += ["cached"] * node.cached + ["stale"] * node.stale
    return _frame(x, y, node.status, node.name, " · ".join(words), node.kind, stale=node.stale)


def _frame(
    x: float, y: float, status: StepStatus, label: str, words: str, kind: str, *, stale: bool = False
) -> str:
    colour, tint, mark = LOOKS[status]
    dash = ' stroke-dasharray="5 3"' if stale else ""
    if kind == "gate":
        w, h, c = _WIDTH, _HEIGHT, 14
        outline = f'<path d="M{c} 0H{w - c:.0f}L{w:.0f} {h / 2:.0f}L{w - c:.0f} {h:.0f}H{c}L0 {h / 2:.0f}z"'
    else:
        outline = f'<rect width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}" rx="8"'
    return (
        f'<g transform="translate({x:.1f} {y:.1f})"><title>{text(label)}: {text(words)}</title>'
        f'{outline} fill="{tint}" stroke="{colour}" stroke-width="1.4"{dash}/>'
        f'<g transform="translate(18 9)" color="{colour}" stroke="{colour}" stroke-width="1.6">{mark}</g>'
        f'<text x="39" y="21" font-size="13" font-weight="600" fill="#1f2328">{text(fitted(label, 18))}</text>'
        f'<text x="18" y="40" font-size="11.5" fill="{colour}">{text(fitted(words, 27))}</text></g>'
    )


def _edge(points: list[tuple[float, float]], *, dashed: bool = False) -> str:
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for i, ((x1, y1), (x2, y2)) in enumerate(itertools.pairwise(points)):
        if i % 2:  # along a lane through a layer
            parts.append(f"L{x2:.1f} {y2:.1f}")
        else:
            bend = (x2 - x1) / 2
            parts.append(f"C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}")
    x, y = points[-1]
    dash = ' stroke-dasharray="4 4"' if dashed else ""
    return (
        f'<path d="{"".join(parts)}"{dash}/>'
        f'<path d="M{x - 7:.1f} {y - 4:.1f}l7 4l-7 4z" fill="#8c959f" stroke="none"/>'
    )


def _headline(state: GraphState) -> tuple[str, str]:
    if state.run is None:
        return (
            state.workflow,
            state.problem or f"not run yet · {len(state.nodes)} step{'s' * (len(state.nodes) != 1)}",
        )
    run = state.run
    took = (
        ""
        if run.ended_at is None or run.started_at is None
        else " · " + format_duration(run.ended_at - run.started_at)
    )
    return state.workflow, f"run {run.run_id} · {run.status}{took} · {counts(state.nodes)}"
