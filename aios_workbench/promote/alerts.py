"""What people are told of a job: that it failed, or that its data drifted, through the job's channels.

An alert is written in the transaction that ends the run, so none is lost with a worker, and sent after it, by whichever
worker comes first; a channel that is down is tried again for about a day. An alert may come twice, never not at all:
a worker that dies between sending and noting it leaves it to be sent again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aios_workbench.errors import AlertNotTaken
from aios_workbench.promote.channels import send_to
from aios_workbench.workspace import Session, Workspace, dumps

log = logging.getLogger(__name__)

#: Wait after the first failure; doubled with each, up to `_LONGEST`.
_FIRST, _LONGEST = 15.0, 3600.0
#: So often an alert is tried: for about a day.
ATTEMPTS = 30
#: Channels cut or refuse what is longer; the log is kept.
_LONGEST_BODY = 10_000
Send = Callable[[Sequence[str], str, str], None]


def put(
    con: Session, job: Mapping[str, Any], source: str, kind: str, subject: str, body: str, now: float, *,
    run_id: str = "",
) -> bool:  # fmt: skip
    """Write an alert, in the transaction that has the reason for it; False when this `source` was written before.

    Parameters
    ----------
    job : mapping
        With `job_id` and `version`: whose channels are told, by that version's spec.
    """
    row = {
        "source": source, "job_id": job["job_id"], "job_run_id": run_id, "version": job["version"], "kind": kind,
        "at": now, "subject": subject[:200], "body": body[:_LONGEST_BODY],
    }  # fmt: skip
    return bool(con.execute(_INSERT, row).rowcount)


_INSERT = (
    "insert into job_alerts (source, job_id, job_run_id, version, kind, at, subject, body, next_at) "
    "values (:source, :job_id, :job_run_id, :version, :kind, :at, :subject, :body, :at) "
    "on conflict (source) do nothing"
)


def tell(ws: Workspace, now: float, send: Send | None = None) -> int:
    """Send every alert that is due; returns how many were sent.

    Parameters
    ----------
    send : callable, optional
        Takes channels, subject and text, and raises when one of them did not take it.
    """
    sent = 0
    while (alert := _take(ws, now)) is not None:
        told_to = set(json.loads(alert["told_to"] or "[]"))
        channels = [c for c in json.loads(alert["channels"]) if _mark(c) not in told_to]
        try:
            (send or send_to)(channels, _clean(ws, alert["subject"]), _clean(ws, alert["body"]))
        except Exception as e:  # noqa: BLE001 - whatever a channel does, the next alert is told
            given_up = alert["attempts"] >= ATTEMPTS
            if isinstance(e, AlertNotTaken):  # the others are not told again
                told_to |= {_mark(c) for c in channels if c not in e.channels}
            ws.catalog.write(
                "update job_alerts set error = :e, status = :s, told_to = :told where seq = :seq",
                e=f"{type(e).__name__}: {e}"[:1000], s="given up" if given_up else "waiting", seq=alert["seq"],
                told=dumps(sorted(told_to)),
            )  # fmt: skip
            log.warning(
                "alert %r of job run %s was not taken (attempt %d): %s",
                alert["subject"], alert["job_run_id"], alert["attempts"], e,
            )  # fmt: skip
            continue
        ws.catalog.write(
            "update job_alerts set status = 'sent', told_at = :now, error = null where seq = :seq",
            now=now, seq=alert["seq"],
        )  # fmt: skip
        ws.catalog.event(
            "job.alert", job_id=alert["job_id"], job_run_id=alert["job_run_id"], what=alert["kind"]
        )
        sent += 1
    return sent


def rearm(ws: Workspace, now: float) -> None:
    """Let no alert wait longer than its longest wait: a clock that was ahead wrote its time down."""
    late = now + _LONGEST
    if ws.catalog.one(
        "select 1 from job_alerts where status = 'waiting' and next_at > :late limit 1", late=late
    ):
        ws.catalog.write(
            "update job_alerts set next_at = :now where status = 'waiting' and next_at > :late",
            now=now,
            late=late,
        )


def _take(ws: Workspace, now: float) -> dict[str, Any] | None:
    """Take the next alert that is due, so that no other worker does until its turn comes again."""
    due = "select seq from job_alerts where status = 'waiting' and next_at <= :now limit 1"
    while ws.catalog.one(due, now=now) is not None:  # most of the time there is none: no lock is taken
        with ws.catalog.transaction() as con:
            row = con.execute(
                "select a.*, v.spec from job_alerts a left join job_versions v on v.job_id = a.job_id and "
                "v.version = a.version where a.status = 'waiting' and a.next_at <= :now order by a.seq limit 1",
                {"now": now},
            ).fetchone()
            if row is None:
                return None
            alert = dict(row)
            channels = json.loads(alert["spec"] or "{}").get("alerts") or []
            wait = min(_FIRST * 2 ** alert["attempts"], _LONGEST)
            alert |= {"attempts": alert["attempts"] + 1, "channels": dumps(channels)}
            con.execute(
                "update job_alerts set attempts = :attempts, next_at = :next, status = :status where seq = :seq",
                {**alert, "next": now + wait, "status": "waiting" if channels else "no channel"},
            )
        if channels:
            return alert
    return None


def next_at(ws: Workspace) -> float | None:
    """Return when an alert is due next."""
    row = ws.catalog.one("select min(next_at) as at from job_alerts where status = 'waiting'")
    return None if row is None else row["at"]


def _mark(channel: str) -> str:
    """Return what stands for a channel in the catalog: an address has a password in it."""
    return hashlib.sha256(channel.encode()).hexdigest()[:16]


def _clean(ws: Workspace, body: str) -> str:
    """Take personal data, and lines that look as if they held a secret, out of a text that leaves the machine."""
    from aios_workbench.govern.redact import redact
    from aios_workbench.promote.checks.secrets import secrets_in

    lines = body.split("\n")
    for number, kind in secrets_in(lines, source=False):
        lines[number - 1] = f"[line left out: {kind}]"
    return redact("\n".join(lines), ws=ws).data


class Teller:
    """Sends alerts beside what the worker does: a slow channel delays no job.

    Parameters
    ----------
    clock : callable
        Returns epoch seconds.
    """

    def __init__(
        self, ws: Workspace, clock: Callable[[], float] = time.time, send: Send | None = None
    ) -> None:
        self._ws, self._clock, self._send = ws, clock, send
        self._thread: threading.Thread | None = None

    def poke(self, now: float) -> None:
        """Begin to send when something is due and nobody here does yet."""
        due = next_at(self._ws)
        if due is None or due > now or (self._thread is not None and self._thread.is_alive()):
            return
        self._thread = threading.Thread(target=self._tell, name="aios-alerts", daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until what is being sent is sent."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _tell(self) -> None:
        try:
            tell(self._ws, self._clock(), self._send)
        except Exception:  # the catalog is locked or the disk full: it is due again later
            log.exception("alerts could not be told")
