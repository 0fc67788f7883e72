"""A page that shows the built graph widget with a model of our own: what a kernel would send is sent by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.widgets.protocol import GraphState, RunInfo, StepNode

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

STATIC = Path(__file__).resolve().parents[2] / "aios_workbench" / "static"
ORIGIN = "http://graph.test"

#: `model.push` takes what a kernel would have set; what is asked gets no answer but hello.
PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>graph</title>
<link rel="stylesheet" href="graph.css"><style>
body { margin: 16px; background: #fff } body[data-jp-theme-light="false"] { background: #111;
--jp-layout-color0: #111; --jp-layout-color1: #212121; --jp-layout-color2: #424242; --jp-ui-font-color0: #fff;
--jp-ui-font-color1: rgba(255, 255, 255, 0.87); --jp-border-color1: #616161; --jp-border-color2: #424242 }
</style></head><body data-jp-theme-light="true"><div class="jp-Cell" id="cell"></div><script type="module">
import widget from './graph.js';
const traits = { graph: null, patch: {} };
const on = {};
const model = window.model = {
  get: k => traits[k],
  on: (k, f) => (on[k] ??= new Set()).add(f),
  off: (k, f) => on[k]?.delete(f),
  save_changes() {},
  send(m) {
    const said = m.kind === 'hello' ? { kind: 'done', id: m.id, data: {} }
      : { kind: 'error', id: m.id, type: 'NotFoundError', message: 'There is no kernel behind this page.', fields: {} };
    setTimeout(() => on['msg:custom']?.forEach(f => f(said)), 0);
  },
  push(k, v) { traits[k] = v; on['change:' + k]?.forEach(f => f()); },
};
let undo;
window.show = (graph, width) => {
  undo?.();
  traits.graph = graph; traits.patch = {};
  const cell = document.getElementById('cell');
  cell.style.width = width + 'px';
  const el = document.createElement('div');
  cell.replaceChildren(el);
  undo = widget.render({ model, el });
};
window.ready = true;
</script></body></html>"""


class GraphPage:
    """The widget on a page; `show` renders it anew as a cell that runs again does, `push` sends the next state."""

    def __init__(self, page: Page, *, csp: str = "") -> None:
        self.page = page
        headers = {"content-security-policy": csp} if csp else {}

        def answer(route: Route) -> None:
            name = route.request.url.removeprefix(ORIGIN + "/")
            if name in {"graph.js", "graph.css"}:
                route.fulfill(path=STATIC / name)
            else:
                route.fulfill(body=PAGE, content_type="text/html", headers=headers)

        page.route(f"{ORIGIN}/**", answer)
        page.goto(f"{ORIGIN}/")
        page.wait_for_function("window.ready")

    @property
    def graph(self) -> Locator:
        """The widget."""
        return self.page.locator(".aiosw")

    def show(
        self, nodes: list[StepNode], *, width: int = 1000, workflow: str = "claims", dark: bool = False
    ) -> Locator:
        """Render a state; return the widget."""
        self.page.evaluate("d => document.body.dataset.jpThemeLight = String(!d)", dark)
        self.page.evaluate("([g, w]) => window.show(g, w)", [picture(nodes, workflow), width])
        self.graph.locator(".aiosw-graph, .aiosw-list").first.wait_for()
        self.settle()
        return self.graph

    def push(self, nodes: list[StepNode], *, workflow: str = "claims") -> None:
        """Send the next whole state, as a kernel does; returns when it is drawn."""
        self.page.evaluate("g => window.model.push('graph', g)", picture(nodes, workflow))
        self.settle()

    def settle(self) -> None:
        """Wait until what was asked for is on the screen."""
        self.page.evaluate("() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))")
        self.page.wait_for_function("() => !document.querySelector('.aiosw-busy')")

    def node(self, step: str) -> Locator:
        """A step's button."""
        return self.graph.locator(f".aiosw-node[data-step={json.dumps(step)}]")

    def group(self, label: str) -> Locator:
        """A collapsed group's box."""
        return self.graph.locator(".aiosw-group").filter(has=self.page.get_by_text(label, exact=True))

    def viewport(self) -> str:
        """Where the window on the graph is."""
        return str(self.graph.locator(".react-flow__viewport").evaluate("e => e.style.transform"))


def picture(nodes: list[StepNode], workflow: str = "claims") -> dict[str, Any]:
    """Return a running run's state as it goes over the wire."""
    picture.seq += 1  # type: ignore[attr-defined]
    run = RunInfo(run_id=f"{workflow}-1", status="running", created_at=1.8e9, started_at=1.8e9)
    state = GraphState(workflow=workflow, seq=picture.seq, now=1.8e9, run=run, nodes=nodes)  # type: ignore[attr-defined]
    return state.model_dump(mode="json")


picture.seq = 0  # type: ignore[attr-defined]

STATUSES = (
    "succeeded",
    "succeeded",
    "succeeded",
    "failed",
    "running",
    "waiting",
    "retrying",
    "pending",
    "skipped",
)


def pipeline(n: int, *, mixed: bool = True) -> list[StepNode]:
    """Return n steps of a pipeline: stages of a quarter of them each, fanning out and in, in mixed states."""
    stages = ("load", "clean", "features", "score")
    each = max(1, (n - 2) // len(stages))
    nodes = [StepNode(name="start", status="succeeded", duration=0.4, rows=1200, bytes=48_000)]
    for s, stage in enumerate(stages):
        for i in range(each):
            up = "start" if s == 0 else f"{stages[s - 1]}_{i}"
            status = STATUSES[(i * 7 + s * 3) % len(STATUSES)] if mixed else "succeeded"
            nodes.append(
                StepNode(
                    name=f"{stage}_{i}", deps=[up], tags=[stage], status=status, attempts=1,
                    started_at=1.8e9, duration=0.3 + i % 7 if status in {"succeeded", "failed"} else None,
                    progress=0.4 if status == "running" else None, rows=1000 + i, bytes=9_000 * (i + 1),
                    error="ValueError: no amount" if status == "failed" else None,
                )
            )  # fmt: skip
    while len(nodes) < n - 1:
        nodes.append(StepNode(name=f"report {len(nodes)}", deps=["start"], status="pending"))
    nodes.append(StepNode(name="end", kind="gate", deps=[f"score_{i}" for i in range(each)]))
    return nodes
