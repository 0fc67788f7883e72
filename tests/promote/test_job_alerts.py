"""Alerts of jobs: none is lost, none is told to the wrong people, a channel that is down costs nothing but time."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from job_helpers import add_job

from aios_workbench.drift.monitor import Monitor
from aios_workbench.errors import JobError
from aios_workbench.promote import alerts, channels, claims
from aios_workbench.promote.scheduler import Scheduler
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Workspace

T0 = 1_800_000_000.0


class Inbox:
    """A web hook that remembers; `down` makes it refuse."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.down = False
        inbox = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if inbox.down:
                    self.send_error(503)
                    return
                inbox.got.append(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server.server_address[1]}/hook"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    yield made
    made.server.shutdown()
    made.server.server_close()


def ended(ws: Workspace, job: str, status: str = "failed", **options: Any) -> dict[str, Any]:
    """Let a run of a job end."""
    claims.claim_ticks(ws, T0 + 3600)
    run = claims.take(ws, "worker-1", T0 + 3600)
    assert run is not None
    assert run["job_id"] == job
    error = options.get("error", {"type": "ValueError", "message": "no rows", "traceback": "line 1\nline 2"})
    claims.finish(ws, run, status, error if status != "succeeded" else None, T0 + 3700)
    return run


def waiting(ws: Workspace) -> list[tuple[str, str]]:
    rows = ws.catalog.query("select kind, status from job_alerts order by seq")
    return [(r["kind"], r["status"]) for r in rows]


def test_a_failure_is_told_through_a_real_endpoint(
    ws: Workspace, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS", inbox.url)
    job = add_job(ws, "0 * * * *", T0, alerts=["$OPS"])
    run = ended(ws, job)
    assert alerts.tell(ws, T0 + 3701) == 1
    (told,) = inbox.got
    assert told["title"] == f"{job} failed"
    for part in ("ValueError: no rows", run["job_run_id"], "line 2", "aios jobs logs"):
        assert part in told["message"]
    assert alerts.tell(ws, T0 + 9999) == 0
    assert waiting(ws) == [("failed", "sent")]
    ws.catalog.flush()
    assert ws.catalog.query("select kind from events where kind = 'job.alert'")


def test_nobody_is_told_of_what_went_well_or_will_be_tried_again(ws: Workspace) -> None:
    ended(ws, add_job(ws, "0 * * * *", T0, alerts=["$OPS"]), "succeeded")
    assert waiting(ws) == []
    ended(ws, add_job(ws, "0 * * * *", T0, alerts=["$OPS"], retries=2))
    assert waiting(ws) == []


def test_a_job_without_channels_tells_nobody(ws: Workspace) -> None:
    ended(ws, add_job(ws, "0 * * * *", T0))
    assert alerts.tell(ws, T0 + 9999) == 0
    assert waiting(ws) == [("failed", "no channel")]


def test_a_channel_that_is_down_is_tried_again_later_and_each_time_later(
    ws: Workspace, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS", inbox.url)
    inbox.down = True
    ended(ws, add_job(ws, "0 * * * *", T0, alerts=["$OPS"]))
    now, gaps = T0 + 3700, []
    for _ in range(4):
        assert alerts.tell(ws, now) == 0
        assert alerts.tell(ws, now) == 0  # not at once again
        due = alerts.next_at(ws)
        assert due is not None
        gaps.append(due - now)
        now = due
    assert gaps == [15.0, 30.0, 60.0, 120.0]
    (row,) = ws.catalog.query("select * from job_alerts")
    assert "did not take it" in row["error"]
    assert inbox.url not in row["error"]
    inbox.down = False
    assert alerts.tell(ws, now) == 1
    assert len(inbox.got) == 1


def test_a_channel_that_took_it_is_not_told_again_because_another_is_down(
    ws: Workspace, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS", inbox.url)
    ended(ws, add_job(ws, "0 * * * *", T0, alerts=["$OPS", "$PAGER"]))
    now = T0 + 3700
    for _ in range(3):
        assert alerts.tell(ws, now) == 0
        now = alerts.next_at(ws) or now
    assert len(inbox.got) == 1
    (row,) = ws.catalog.query("select * from job_alerts")
    assert row["error"] == "AlertNotTaken: $PAGER is not set where the worker runs"
    monkeypatch.setenv("PAGER", f"{inbox.url}?pager")
    assert alerts.tell(ws, now) == 1
    assert len(inbox.got) == 2
    assert waiting(ws) == [("failed", "sent")]


@pytest.mark.parametrize(
    "channel",
    ["mailto://user:secret@example.com", "slack://TokenA1234/TokenB1234567/TokenC123456789012345/#ops",
     "pagerduty://A1BRTD4JD@TIiajkdnlazkcOXrIdevi7F", "jsons://example.com/hook", "$OPS"],
)  # fmt: skip
def test_mail_slack_pagerduty_and_hooks_are_channels(channel: str) -> None:
    assert channels.is_known(channel)
    assert JobSpec(name="x", notebook="x.ipynb", alerts=[channel]).alerts == [channel]


def test_it_is_given_up_in_the_end_and_others_are_told(ws: Workspace) -> None:
    for _ in range(2):
        ended(ws, add_job(ws, "0 * * * *", T0, alerts=["$OPS"]))
    first = ws.catalog.query("select subject from job_alerts order by seq")[0]["subject"]
    told: list[str] = []

    def send(_: Any, subject: str, body: str) -> None:
        if subject == first:
            raise OSError("no route")
        told.append(subject)

    now = T0 + 3700
    while (due := alerts.next_at(ws)) is not None:
        now = max(now, due)
        alerts.tell(ws, now, send)
    assert waiting(ws) == [("failed", "given up"), ("failed", "sent")]
    assert len(told) == 1
    assert ws.catalog.query("select attempts from job_alerts order by seq")[0]["attempts"] == alerts.ATTEMPTS
    assert 20 * 3600 < now - T0 < 36 * 3600


def test_two_workers_tell_each_alert_once(ws: Workspace) -> None:
    for _ in range(20):
        ended(ws, add_job(ws, "0 * * * *", T0, alerts=["$OPS"]))
    told: list[str] = []
    at_once = threading.Barrier(2)

    def work() -> None:
        at_once.wait()
        alerts.tell(ws, T0 + 3701, lambda _, subject, body: told.append(subject))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(told) == 20 == len(set(told))


def test_a_worker_that_dies_while_it_tells_leaves_it_to_be_told(ws: Workspace) -> None:
    ended(ws, add_job(ws, "0 * * * *", T0, alerts=["$OPS"]))

    def die(*_: Any) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        alerts.tell(ws, T0 + 3701, die)
    told: list[str] = []
    due = alerts.next_at(ws)
    assert due is not None
    assert alerts.tell(ws, due, lambda _, subject, body: told.append(subject)) == 1


def test_drift_in_a_job_is_told_too(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    job = add_job(ws, "0 * * * *", T0, alerts=["$OPS"])
    claims.claim_ticks(ws, T0 + 3600)
    run = claims.take(ws, "worker-1", T0 + 3600)
    assert run is not None
    monkeypatch.setenv("AIOS_JOB_RUN", run["job_run_id"])
    g = np.random.default_rng(0)
    monitor = Monitor("claims", reference=pd.DataFrame({"x": g.normal(0, 1, 2000)}), workspace=ws)
    monitor.observe(pd.DataFrame({"x": g.normal(2, 1, 2000)}), at="2026-01-01")
    monkeypatch.delenv("AIOS_JOB_RUN")
    assert len(monitor.alerts) == 1
    claims.finish(ws, run, "succeeded", None, T0 + 3700)
    told: list[tuple[str, str]] = []
    assert alerts.tell(ws, T0 + 3701, lambda _, subject, body: told.append((subject, body))) == 1
    ((subject, body),) = told
    assert subject == f"{job}: drift, monitor claims"
    assert monitor.alerts[0].message in body


def test_personal_data_stays_here(ws: Workspace) -> None:
    error = {"type": "KeyError", "message": "ada@example.com", "traceback": "row of ada@example.com"}
    ended(ws, add_job(ws, "0 * * * *", T0, alerts=["$OPS"]), error=error)
    told: list[str] = []
    alerts.tell(ws, T0 + 3701, lambda _, subject, body: told.append(body))
    assert "ada@example.com" not in told[0]
    assert "email_" in told[0]


def test_a_worker_tells_beside_its_work(ws: Workspace, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS", inbox.url)
    ended(ws, add_job(ws, None, T0, alerts=["$OPS"]) and add_job(ws, "0 * * * *", T0, alerts=["$OPS"]))
    scheduler = Scheduler(ws, "worker-1", alive=lambda _: True, clock=lambda: T0 + 3701)
    scheduler.step(T0 + 3701)
    scheduler.stop()
    assert len(inbox.got) == 1


@pytest.mark.parametrize(
    ("channel", "words"),
    [("$NOT_SET", "not set where the worker runs"), ("nope://x", "no address that apprise knows")],
)
def test_what_is_wrong_with_a_channel_is_said(
    channel: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    with pytest.raises(JobError, match=words):
        channels.send_to([channel], "subject", "body")


@pytest.mark.parametrize("channel", ["", "#ops", "ops@example.com", "$", "$1", "slack://", "https ://x"])
def test_a_channel_is_an_address_or_a_name(channel: str) -> None:
    with pytest.raises(JobError, match=r"alerts.*no address"):
        JobSpec(name="x", notebook="x.ipynb", alerts=[channel])
