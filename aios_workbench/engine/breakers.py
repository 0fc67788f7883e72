"""Circuit breakers: rows of the catalog, shared by every run and process of a workspace.

A row is read before a call and written when a call has failed, or when the state changes. Writers compare its
`version`, so that of all who see the same row one changes it: that is what makes a probe the only one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aios_workbench.engine import leases
from aios_workbench.engine.failures import brief
from aios_workbench.errors import BreakerOpen, NotFoundError, hint
from aios_workbench.govern import audit_within
from aios_workbench.workflow import format_duration
from aios_workbench.workspace import Workspace

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"
#: A probe of a step without timeout counts as lost after this, should its process be alive but stuck.
PROBE_SECONDS = 600.0


@dataclass
class Pass:
    """The permission to make one call; say how it ended with one of the methods."""

    ws: Workspace
    executor: str
    settings: Mapping[str, Any]
    run_id: str
    step: str
    probe: float | None = None  # when the probe began: which of all probes it is

    def succeeded(self) -> None:
        """Close the breaker if this was its probe."""
        if self.probe is not None:
            self._change(lambda row: None if self._superseded(row) else _closed())

    def failed(self, error: Mapping[str, Any]) -> None:
        """Count a failure; the one too many, or a probe's, opens the breaker."""
        now = time.time()
        told = json.dumps({k: str(error.get(k, ""))[:500] for k in ("type", "message")})

        def change(row: dict[str, Any]) -> dict[str, Any] | None:
            if self.probe is None and row["state"] != CLOSED:
                return None  # it began before others opened it
            if self.probe is not None and self._superseded(row):
                return None
            recent = [t for t in json.loads(row["recent"]) if now - self.settings["within"] < t <= now] + [
                now
            ]
            recent = recent[-self.settings["failures"] :]
            changed = {"recent": json.dumps(recent), "failures": len(recent), "error": told}
            if self.probe is not None or len(recent) >= self.settings["failures"]:
                changed |= {
                    "state": OPEN, "until_at": now + self.settings["cool_down"], **_NO_PROBE,
                    "opened_at": now if self.probe is None else row["opened_at"],
                }  # fmt: skip
            return changed

        self._change(change)

    def released(self) -> None:
        """Give a probe back that has said nothing about the other side: it was cancelled, or its input was wrong."""
        if self.probe is not None:
            self._change(lambda row: None if self._superseded(row) else {**_NO_PROBE, "state": OPEN})

    def _superseded(self, row: Mapping[str, Any]) -> bool:
        return bool(row["probe_by"] != self.executor or row["probe_at"] != self.probe)

    def _change(self, change: Any) -> None:
        name = self.settings["name"]
        while True:
            row = _read(self.ws, name)
            if row is None:  # deleted, with all of the workspace's breakers or by hand
                _create(self.ws, self.settings)
                continue
            changed = change(row)
            if changed is None or _write(self.ws, row, changed, self.settings):
                break
        if changed is not None and changed.get("state") not in (None, row["state"]):
            _tell(self.ws, name, changed["state"], self.run_id, self.step)


def enter(
    ws: Workspace, settings: Mapping[str, Any], executor: str, *, run_id: str, step: str,
    timeout: float | None = None,
) -> Pass:  # fmt: skip
    """Ask a breaker for one call.

    Raises
    ------
    BreakerOpen
        Saying since when and until when, or who is trying.
    """
    name = settings["name"]
    while True:
        row = _read(ws, name)
        if row is None:
            _create(ws, settings)
            continue
        if row["state"] == CLOSED:
            return Pass(ws, executor, settings, run_id, step)
        now = time.time()
        if row["state"] == OPEN and now < (row["until_at"] or 0):
            raise BreakerOpen(
                f"breaker '{name}' is open since {_clock(row['opened_at'])}, until {_clock(row['until_at'])} "
                f"({format_duration(row['until_at'] - now)} from now){_last_error(row)}. It was not called; "
                f"`aios breakers reset {name}` closes it at once"
            )
        if (
            row["state"] == HALF_OPEN
            and now < (row["probe_until"] or 0)
            and leases.alive(ws, row["probe_by"])
        ):
            raise BreakerOpen(
                f"breaker '{name}' is half-open: {row['probe_by']} has been trying one call since "
                f"{_clock(row['probe_at'])}, and everybody else waits for what comes of it{_last_error(row)}"
            )
        until = now + (PROBE_SECONDS if timeout is None else timeout + 10.0)
        probing = {"state": HALF_OPEN, "probe_by": executor, "probe_at": now, "probe_until": until}
        if _write(ws, row, probing, settings):
            _tell(ws, name, HALF_OPEN, run_id, step)
            return Pass(ws, executor, settings, run_id, step, probe=now)


def list_breakers(ws: Workspace) -> list[dict[str, Any]]:
    """Return every breaker with its state, by name; `ready` says that the next call goes through as a probe."""
    rows = ws.catalog.query("select * from breakers order by breaker")
    for row in rows:
        row["settings"], row["recent"] = json.loads(row["settings"]), json.loads(row["recent"])
        row["error"] = json.loads(row["error"]) if row["error"] else None
        row["ready"] = row["state"] == OPEN and time.time() >= (row["until_at"] or 0)
    return rows


def reset(ws: Workspace, name: str, *, by: str) -> None:
    """Close a breaker now and forget its failures.

    Raises
    ------
    NotFoundError
        With the nearest names.
    """
    row = _read(ws, name)
    if row is None:
        names = [r["breaker"] for r in list_breakers(ws)]
        raise NotFoundError(
            f"no breaker '{name}' in {ws.root}{hint(name, names)}; `aios breakers list` shows them, "
            "and one is there once a step that names it has run"
        )
    with ws.catalog.transaction() as con:
        con.execute(_UPDATE.format(when=""), {**row, **_closed(), "now": time.time()})
        audit_within(con, by, "breaker.reset", name, state=row["state"])
    _tell(ws, name, CLOSED, None, None)


_NO_PROBE: dict[str, Any] = {"probe_by": None, "probe_at": None, "probe_until": None}
_UPDATE = (
    "update breakers set state = :state, failures = :failures, recent = :recent, opened_at = :opened_at, "
    "until_at = :until_at, probe_by = :probe_by, probe_at = :probe_at, probe_until = :probe_until, error = :error, "
    "settings = :settings, updated_at = :now, version = version + 1 where breaker = :breaker{when}"
)


def _closed() -> dict[str, Any]:
    return {
        "state": CLOSED, "failures": 0, "recent": "[]", "opened_at": None, "until_at": None, "error": None, **_NO_PROBE,
    }  # fmt: skip


def _read(ws: Workspace, name: str) -> dict[str, Any] | None:
    return ws.catalog.one("select * from breakers where breaker = :b", b=name)


def _create(ws: Workspace, settings: Mapping[str, Any]) -> None:
    ws.catalog.write(
        "insert into breakers (breaker, settings, updated_at) values (:b, :s, :now) on conflict (breaker) do nothing",
        b=settings["name"], s=json.dumps(dict(settings)), now=time.time(),
    )  # fmt: skip


def _write(
    ws: Workspace, row: dict[str, Any], changed: Mapping[str, Any], settings: Mapping[str, Any]
) -> bool:
    """Change a row unless somebody else has; True when it was changed."""
    values = {**row, **changed, "settings": json.dumps(dict(settings)), "now": time.time()}
    return bool(ws.catalog.write(_UPDATE.format(when=" and version = :version"), **values))


def _tell(ws: Workspace, name: str, state: str, run_id: str | None, step: str | None) -> None:
    ws.catalog.event("breaker", run_id, step, breaker=name, state=state)


def _clock(at: float | None) -> str:
    return "?" if at is None else time.strftime("%H:%M:%S", time.localtime(at))


def _last_error(row: Mapping[str, Any]) -> str:
    error = json.loads(row["error"]) if row["error"] else None
    return "" if not error else f", after {brief(error)}"
