"""The graph widget in Chromium: first paint, frames while 200 updates a second arrive, bytes on the wire, bundle sizes.

    .venv/bin/python benchmarks/graph_widget.py [--sizes 100,1000,5000,10000] [--seconds 4]

The built bundle runs on a page of its own with a model of ours, so that what is measured is the widget and not the
notebook around it. Updates are what the kernel's differ makes of 200 state changes a second, 20 messages a second as
the watcher sends them. Each size is measured as it opens (above 2,000 steps: grouped) and with every step on the
canvas. The peer in the same run is Mermaid, JupyterLab's own, drawing the same steps; it refuses large graphs, which is
then said. Frames are measured without a graphics card. Results go to benchmarks/results/ as JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
STATIC = ROOT / "aios_workbench" / "static"
MERMAID = ROOT / "labextension" / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
PER_SECOND, MESSAGES = 200, 20

sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "browser")]

FRAMES = """async ([messages, gap]) => {
    const times = [];
    let last = performance.now(), next = last, i = 0;
    await new Promise(done => {
        const frame = now => {
            times.push(now - last); last = now;
            if (now >= next && i < messages.length) { model.push(...messages[i++]); next = now + gap; }
            if (i < messages.length) requestAnimationFrame(frame); else done();
        };
        requestAnimationFrame(frame);
    });
    return times.slice(2);
}"""
FIRST = """graph => new Promise(done => {
    const begin = performance.now();
    show(graph, 1200);
    const look = () => {
        const ready = document.querySelector('.aiosw-graph') && !document.querySelector('.aiosw-busy');
        if (ready) requestAnimationFrame(() => done(performance.now() - begin)); else requestAnimationFrame(look);
    };
    look();
})"""
PEER = """async text => {
    mermaid.initialize({ startOnLoad: false, maxTextSize: 1e7, maxEdges: 1e6 });
    const begin = performance.now();
    try { await mermaid.render('peer', text); } catch (e) { return String(e); }
    return performance.now() - begin;
}"""


def updates(nodes: list[Any], seconds: float) -> tuple[dict[str, Any], list[tuple[str, Any]], list[int]]:
    """Return a first state, what a kernel would send in that time (trait and value), and the size of each message."""
    from aios_workbench.widgets.diff import Differ
    from aios_workbench.widgets.protocol import GraphState

    rng = random.Random(7)
    state = GraphState(workflow="bench", seq=1, now=time.time(), nodes=nodes)
    differ, messages, sizes = Differ(state), [], []
    first = state.model_dump(mode="json")
    for _ in range(int(seconds * MESSAGES)):
        moved = list(state.nodes)
        for k in rng.sample(range(len(moved)), min(len(moved), PER_SECOND // MESSAGES)):
            status = rng.choice(("running", "succeeded", "retrying", "failed"))
            moved[k] = moved[k].model_copy(update={"status": status, "duration": rng.random() * 9})
        state = state.model_copy(update={"nodes": moved})
        news = differ.update(state)
        assert news is not None
        sizes.append(len(news.model_dump_json()))
        messages.append(("graph" if isinstance(news, GraphState) else "patch", news.model_dump(mode="json")))
    return first, messages, sizes


def quantile(values: list[float], q: float) -> float:
    """Return the value below which a share q lies."""
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="100,1000,5000,10000")
    parser.add_argument("--seconds", type=float, default=4.0)
    args = parser.parse_args()
    from conftest import find_chromium
    from graph_page import ORIGIN, GraphPage, pipeline
    from playwright.sync_api import sync_playwright

    rows: list[dict[str, Any]] = []
    bundles = {
        f.name: {"raw": f.stat().st_size, "gzip": len(gzip.compress(f.read_bytes()))}
        for f in STATIC.iterdir()
    }
    with sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        for n in map(int, args.sizes.split(",")):
            nodes = pipeline(n)
            first, messages, sizes = updates(nodes, args.seconds)
            for grouping in ("as it opens", "every step") if n > 2000 else ("as it opens",):
                page = browser.new_page(viewport={"width": 1300, "height": 900})
                g = GraphPage(page)
                paint = page.evaluate(FIRST, first)
                if grouping == "every step":
                    # From the choice to the picture, the round trips of the driver included.
                    begin = time.perf_counter()
                    page.get_by_label("Group steps").select_option("none")
                    g.settle()
                    paint = (time.perf_counter() - begin) * 1000
                frames = page.evaluate(FRAMES, [messages, 1000 / MESSAGES])
                row = {
                    "steps": n, "shown": grouping, "first_paint_ms": round(paint, 1),
                    "frame_p50_ms": round(statistics.median(frames), 1),
                    "frame_p95_ms": round(quantile(frames, 0.95), 1),
                    "initial_bytes": len(json.dumps(first, separators=(",", ":"))),
                    "update_bytes_median": int(statistics.median(sizes)),
                }  # fmt: skip
                if grouping == "as it opens" and MERMAID.exists() and n <= 1000:
                    page.route(f"{ORIGIN}/mermaid.js", lambda r: r.fulfill(path=MERMAID))
                    page.add_script_tag(url=f"{ORIGIN}/mermaid.js")
                    number = {s.name: f"s{i}" for i, s in enumerate(nodes)}
                    text = "flowchart LR\n" + "\n".join(
                        [f"  {i}" for i in number.values()]
                        + [f"  {number[u]} --> {number[s.name]}" for s in nodes for u in s.deps]
                    )
                    peer = page.evaluate(PEER, text)
                    row["mermaid_ms"] = (
                        round(peer, 1) if isinstance(peer, float | int) else f"refused: {peer[:60]}"
                    )
                rows.append(row)
                page.close()
                print(*(f"{k}={v}" for k, v in row.items()), flush=True)
    print(
        *(f"{k}: {v['raw'] / 1000:.0f} kB, {v['gzip'] / 1000:.0f} kB gzipped" for k, v in bundles.items()),
        sep="\n",
    )
    out = HERE / "results"
    out.mkdir(exist_ok=True)
    report = {
        "rows": rows,
        "bundles": bundles,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    (out / "graph_widget.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
