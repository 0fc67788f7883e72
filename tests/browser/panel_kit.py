"""What the tests of the lab's panels share: pictures, themes, answers in the server's place."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

SHOTS = os.environ.get("AIOS_SHOTS")
NOW = 1.8e9
HOSTILE = "<img src=x onerror=window.__hit=1>"


def shot(page: Page, name: str) -> None:
    """Keep a picture when somebody wants to look."""
    if SHOTS:
        page.wait_for_timeout(350)
        page.screenshot(path=f"{SHOTS}/{name}.png")


def open_lab(page: Page, lab: Any) -> None:
    """Open the lab and wait until its launcher has taken the focus: it does so late, from whoever has it then."""
    lab.open(page)
    page.wait_for_function("() => document.activeElement?.closest('.jp-Launcher')")


def command(page: Page, name: str, args: dict[str, Any] | None = None) -> None:
    """Start a command of the lab; returns at once."""
    page.evaluate("([n, a]) => { window.jupyterapp.commands.execute(n, a); }", [name, args or {}])


def theme(page: Page, name: str) -> None:
    """Change the lab's theme: Light, Dark, Dark High Contrast."""
    page.evaluate(
        "n => window.jupyterapp.commands.execute('apputils:change-theme', {theme: n})", f"JupyterLab {name}"
    )
    expect(page.locator(f"body[data-jp-theme-name='JupyterLab {name}']")).to_be_attached()
    # The lab covers the change with its splash, and fails when a second change comes while that fades out.
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def tab(page: Page, name: str) -> None:
    """Go to a tab of the panel."""
    page.locator(f"#aios-tab-{name}").click()


def fold(item: Locator) -> None:
    """Open or close an item of a list."""
    item.locator(".aios-fold-head").click()


def set_width(page: Page, pixels: int) -> None:
    """Give the left side bar a width."""
    handle = page.locator("#jp-main-split-panel > .lm-SplitPanel-handle").first
    box = handle.bounding_box()
    panel = page.locator(".aios-panel").bounding_box()
    assert box is not None
    assert panel is not None
    page.mouse.move(box["x"] + 1, 400)
    page.mouse.down()
    page.mouse.move(panel["x"] + pixels, 400, steps=4)
    page.mouse.up()


def set_setting(page: Page, name: str, value: Any) -> None:
    """Change a setting as the settings editor does, on the server."""
    page.evaluate(
        """async ([name, value]) => {
            const manager = window.jupyterapp.serviceManager.settings;
            const id = 'aios-workbench:plugin';
            // What was never changed is a file of comments.
            const raw = JSON.parse((await manager.fetch(id)).raw.replace(/^\\s*\\/\\/.*$/gm, '') || '{}');
            if (value === null) { delete raw[name]; } else { raw[name] = value; }
            await manager.save(id, JSON.stringify(raw, null, 2));
        }""",
        [name, value],
    )


# ---------------------------------------------------------------- answers in the server's place

EMPTY: dict[str, Any] = {
    "workspace": {"path": "/w/.aios", "shown": ".aios", "exists": False}, "now": NOW, "actor": "ana", "seq": 0,
    "runs": [], "gates": [], "decided": [], "jobs": [], "counts": {}, "workflows": [], "workers": 0, "newest": None,
    "failure": None,
}  # fmt: skip


def a_run(
    run_id: str, status: str = "succeeded", workflow: str = "claims-triage", **more: Any
) -> dict[str, Any]:
    """Return a run of a snapshot."""
    over = status in ("succeeded", "failed", "cancelled")
    return {
        "run_id": run_id, "workflow": workflow, "status": status, "created_at": NOW - 90, "started_at": NOW - 89,
        "ended_at": NOW - 30 if over else None, "error": None, "parent_run_id": None, "rerun_from": None,
        "user": "ana", "params": {"rows": 200}, "steps_total": 4, "steps_done": 4 if status == "succeeded" else 2,
        "current": None if over else "score", "job": None, **more,
    }  # fmt: skip


def a_gate(run_id: str, step: str = "review", **more: Any) -> dict[str, Any]:
    """Return a waiting gate of a snapshot."""
    form = {"type": "object", "properties": {"limit": {"type": "number", "title": "Limit", "default": 0.7}}}
    return {
        "run_id": run_id, "step": step, "status": "waiting", "requested_at": NOW - 600, "deadline_at": NOW + 1800,
        "form": form, "workflow": "claims-triage", **more,
    }  # fmt: skip


def a_job(job_id: str, status: str = "succeeded", **more: Any) -> dict[str, Any]:
    """Return a job of a snapshot whose last run ended so."""
    last = {
        "job_run_id": f"{job_id}-r9", "job_id": job_id, "version": 1, "tick_at": NOW - 3600, "trigger": "schedule",
        "status": status, "attempt": 1, "queued_at": NOW - 3600, "started_at": NOW - 3599, "ended_at": NOW - 3500,
        "error": None, "html": True, "notebook": True, "runs": ["r1"],
    }  # fmt: skip
    ends = ["succeeded", "failed", "skipped", "timeout", "cancelled", status]
    return {
        "job_id": job_id, "name": f"nightly {job_id}", "version": 2, "status": "active", "notebook": "triage.ipynb",
        "schedule": "0 6 * * *", "schedule_words": "Every day at 06:00 (UTC)", "timezone": "UTC",
        "next_tick_at": NOW + 3600, "parameters": {"rows": 200}, "missed": "latest", "last": last,
        "created_by": "ana", **more,
        "recent": [
            {"job_run_id": f"{job_id}-r{i}", "status": s, "at": NOW - 9999 + i, "seconds": 60.0 * i, "reason": None}
            for i, s in enumerate(ends)
        ],
    }  # fmt: skip


FULL: dict[str, Any] = {
    "workspace": {"path": "/w/.aios", "shown": "team/claims/.aios", "exists": True},
    "runs": [
        a_run("r1", "running"), a_run("r2", "waiting"), a_run("r3", "failed", "catalog-enrichment"), a_run("r4"),
        a_run("r5", "cancelled", job={"job_id": "j1", "name": "nightly j1"}),
        a_run("r6", "interrupted", created_at=NOW - 200_000, started_at=NOW - 200_000),
    ],
    "gates": [a_gate("r2"), a_gate("r7", "sign_off", deadline_at=None, requested_at=NOW - 90_000)],
    "decided": [
        {"run_id": "r4", "step": "review", "workflow": "claims-triage", "status": "approved", "requested_at": NOW - 99,
         "decided_at": NOW - 60, "decided_by": "ben", "reason": "within the limits"},
        {"run_id": "r0", "step": "review", "workflow": "claims-triage", "status": "rejected", "requested_at": NOW - 99,
         "decided_at": NOW - 90, "decided_by": "cleo", "reason": None},
    ],
    "jobs": [a_job("j1"), a_job("j2", "failed"), a_job("j3", status="paused")],
    "counts": {"running": 1, "waiting": 1, "failed": 1, "succeeded": 1, "cancelled": 1, "interrupted": 1},
    "workflows": ["catalog-enrichment", "claims-triage"],
    "newest": {"run_id": "r1", "workflow": "claims-triage", "status": "running"},
    "failure": {"run_id": "r3", "workflow": "catalog-enrichment", "status": "failed", "ended_at": NOW - 30},
}  # fmt: skip
FULL["jobs"][2]["status"] = "paused"

PREVIEW: dict[str, Any] = {
    "kind": "frame", "type": "DataFrame", "bytes": 2048, "shape": [3, 2], "offset": 0, "total": 3, "truncated": False,
    "columns": [{"name": "claim", "type": "int64"}, {"name": HOSTILE, "type": "str"}],
    "rows": [[1, "a"], [2, None], [3, HOSTILE]], "text": None,
}  # fmt: skip

STEPS = [
    {"step": name, "position": i, "kind": kind, "status": status, "attempts": tries, "max_attempts": 3, "started_at":
     NOW - 80, "ended_at": NOW - 70 if status != "running" else None, "cached": i == 0,
     "error": {"type": "KeyError", "message": "'price'", "traceback": "Traceback …"} if status == "failed" else None,
     "progress": 0.4 if status == "running" else None, "message": "4 of 10 parts" if status == "running" else None,
     "output": None}
    for i, (name, kind, status, tries) in enumerate(
        [("load", "step", "succeeded", 1), ("score", "step", "running", 2), ("fetch", "step", "failed", 3),
         ("review", "gate", "waiting", 1), ("report", "step", "pending", 0)]
    )
]  # fmt: skip


def _gate(body: dict[str, Any], route: Route, run_id: str, step: str) -> tuple[int, Any]:
    """Answer a look at a gate, or a decision: the first one counts."""
    waiting = [g for g in body["gates"] if (g["run_id"], g["step"]) == (run_id, step)]
    over = next((d for d in body["decided"] if (d["run_id"], d["step"]) == (run_id, step)), None)
    if route.request.method == "GET":
        return 200, {**a_gate(run_id, step, preview=PREVIEW, decided_by=None, reason=None), **(over or {})}
    if not waiting:
        return 409, {"message": f"gate '{step}' of run {run_id} is not waiting"}
    sent = json.loads(route.request.post_data or "{}")
    body["sent"].append({"run_id": run_id, **sent})
    decide(body, run_id, "ana", approved=sent["approved"])
    return 200, {**waiting[0], "preview": None, "decided_by": "ana", "reason": sent["reason"]}


def decide(body: dict[str, Any], run_id: str, who: str, *, approved: bool = True) -> None:
    """Take a gate out of those that wait, as a decision does."""
    gate = next(g for g in body["gates"] if g["run_id"] == run_id)
    body["gates"] = [g for g in body["gates"] if g is not gate]
    said = {
        "status": "approved" if approved else "rejected",
        "decided_at": NOW,
        "decided_by": who,
        "reason": None,
    }
    body["decided"] = [{**gate, **said}, *body["decided"]]


def _job(body: dict[str, Any], route: Route, job_id: str, what: str) -> tuple[int, Any]:
    """Answer what an opened job asks, and what its buttons send."""
    if route.request.method == "POST":
        body["sent"].append({"job_id": job_id, "action": what, **json.loads(route.request.post_data or "{}")})
        return 200, {"job_run_id": "new", **a_job(job_id)}
    if what == "parameters":
        integer = {"name": "rows", "type": "int", "default": 200, "schema": {"type": "integer"}}
        return 200, {"parameters": [{**integer, "required": False, "computed": False}]}
    if what in ("approvals", "rollout"):
        return 200, {"approvals": [], "rollout": None}
    if what == "alerts":
        return 200, {"alerts": []}
    last = a_job(job_id)["last"]
    failed = {**last, "job_run_id": "x", "status": "failed", "error": STEPS[2]["error"]}
    return 200, {"runs": [last, failed, {**last, "job_run_id": "y", "status": "running", "ended_at": None}]}


@contextmanager
def answers(page: Page, status: int = 200, **changes: Any) -> Iterator[dict[str, Any]]:
    """Answer what the panel asks, in the server's place.

    The yielded snapshot may be changed while it is used; what the panel sends is listed under `sent`.
    """
    body: dict[str, Any] = {**EMPTY, **json.loads(json.dumps(changes)), "sent": []}
    metric = {"step": "score", "name": "recall", "value": 0.93, "text": None, "unit": None}

    def answer(route: Route) -> None:
        match route.request.url.partition("/aios/")[2].partition("?")[0].split("/"):
            case ["snapshot"]:
                code, data = (status, changes) if status >= 400 else (200, body)
            case ["runs", run_id, "gates", step]:
                code, data = _gate(body, route, run_id, step)
            case ["runs", run_id, "cancel"]:
                body["sent"].append({"cancel": run_id})
                code, data = 200, {"run_id": run_id}
            case ["runs", run_id]:
                run = next((r for r in body["runs"] if r["run_id"] == run_id), a_run(run_id))
                code, data = 200, {**run, "steps": STEPS, "metrics": [metric]}
            case ["jobs", job_id, what]:
                code, data = _job(body, route, job_id, what)
            case _:
                route.fallback()
                return
        route.fulfill(status=code, content_type="application/json", body=json.dumps(data))

    page.route("**/aios/**", answer)
    try:
        yield body
    finally:
        page.unroute("**/aios/**", answer)


def look_again(page: Page) -> None:
    """Have the panel ask now."""
    with page.expect_response("**/aios/snapshot*"):
        command(page, "aios:refresh")
