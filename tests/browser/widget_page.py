"""A page with a built widget of a report, and the real widget behind it: what it asks, Python answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page, Route

STATIC = Path(__file__).resolve().parents[2] / "aios_workbench" / "static"
ORIGIN = "http://widget.test"
#: What a strict host allows: no inline script but the page's own, nothing from elsewhere.
CSP = "default-src 'self'; script-src 'self' 'nonce-page'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>widget</title>
<link rel="stylesheet" href="NAME.css"><style>
body { margin: 12px; background: #fff } body[data-jp-theme-light="false"] { background: #111;
--jp-layout-color0: #111; --jp-layout-color1: #212121; --jp-layout-color2: #424242; --jp-ui-font-color0: #fff;
--jp-ui-font-color1: rgba(255, 255, 255, 0.87); --jp-border-color1: #616161; --jp-border-color2: #424242 }
</style></head><body data-jp-theme-light="true"><main id="cell"></main><script type="module" nonce="page">
import widget from './NAME.js';
const traits = { NAME: null, patch: {} };
const on = {};
const model = window.model = {
  get: k => traits[k],
  on: (k, f) => (on[k] ??= new Set()).add(f),
  off: (k, f) => on[k]?.delete(f),
  save_changes() {},
  send(m) {
    if (window.deaf && m.kind !== 'hello') return;
    window.answer(JSON.stringify(m)).then(t => {
      const { reply, traits: now } = JSON.parse(t);
      for (const [k, v] of Object.entries(now)) model.push(k, v);
      if (reply) on['msg:custom']?.forEach(f => f(reply));
    });
  },
  push(k, v) { traits[k] = v; on['change:' + k]?.forEach(f => f()); },
};
let undo;
window.show = (now, width) => {
  undo?.();
  Object.assign(traits, now);
  const cell = document.getElementById('cell');
  cell.style.width = width ? width + 'px' : 'auto';
  const el = document.createElement('div');
  cell.replaceChildren(el);
  undo = widget.render({ model, el });
};
window.ready = true;
</script></body></html>"""


class WidgetPage:
    """The widget on a page; what it asks is answered by the widget's Python."""

    #: Of the widget's bundle and trait; its class and what answers for it; what is there once it is drawn.
    name: str
    made: Callable[[Any], Any]
    answers: Callable[[Any, Any], Any]
    drawn: str

    def __init__(self, page: Page, *, lost: bool = False) -> None:
        self.page, self.lost = page, lost
        self.widget: Any = None
        self.sent: dict[str, int] = {self.name: 0, "patch": 0}
        self._seen: dict[str, Any] = {}

        def serve(route: Route) -> None:
            name = route.request.url.removeprefix(ORIGIN + "/")
            if name in {f"{self.name}.js", f"{self.name}.css"}:
                route.fulfill(path=STATIC / name)
            else:
                route.fulfill(
                    body=PAGE.replace("NAME", self.name), content_type="text/html",
                    headers={"content-security-policy": CSP},
                )  # fmt: skip

        page.expose_function("answer", self._answer)
        page.route(f"{ORIGIN}/**", serve)
        page.goto(f"{ORIGIN}/")
        page.wait_for_function("window.ready")

    @property
    def root(self) -> Locator:
        """The widget."""
        return self.page.locator(".aiosw")

    def show(self, report: Any, *, width: int | None = 1000, dark: bool = False) -> Locator:
        """Render a report as a cell that runs does."""
        self.widget = self.made(report)
        self.page.evaluate("d => document.body.dataset.jpThemeLight = String(!d)", dark)
        self.page.evaluate("([t, w]) => window.show(t, w)", [self._now(), width])
        self.root.locator(self.drawn).first.wait_for()
        self.settle()
        return self.root

    def push(self) -> None:
        """Send what has changed since, as the kernel does."""
        self.widget.refresh()
        self.page.evaluate("t => Object.entries(t).forEach(([k, v]) => window.model.push(k, v))", self._now())
        self.settle()

    def settle(self) -> None:
        """Wait until what was asked for is on the screen."""
        self.page.evaluate("() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))")

    def _now(self) -> dict[str, Any]:
        both = {n: getattr(self.widget, n) for n in self.sent}
        changed = {k: v for k, v in both.items() if self._seen.get(k) is not v}
        for k, v in changed.items():
            self._seen[k] = v
            self.sent[k] = len(json.dumps(v, allow_nan=False))
        return changed

    def _answer(self, text: str) -> str:
        content = json.loads(text)
        if self.widget is None or (self.lost and content["kind"] != "hello"):
            return json.dumps({"reply": None, "traits": {}})
        reply = self.answers(self.widget, content)
        wire = None if reply is None else reply.model_dump(mode="json")
        return json.dumps({"reply": wire, "traits": self._now()}, allow_nan=False)
