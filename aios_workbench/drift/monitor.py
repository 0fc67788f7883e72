"""A monitor: batches come in, windows fill, each is compared with a reference, and who asked is told when it drifts."""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aios_workbench import _hooks
from aios_workbench.drift import monitor_judging
from aios_workbench.drift.models import Rules, RulesKind
from aios_workbench.drift.monitor_store import Commit, Store
from aios_workbench.drift.monitor_windows import Place, Windows, moment, place, place_named, windows_of
from aios_workbench.drift.profiles import Profile, profile
from aios_workbench.drift.report import DriftReport
from aios_workbench.drift.retention import USUAL, checked_keep, dropped
from aios_workbench.drift.rules import as_rules
from aios_workbench.drift.seasons import checked_season, phase
from aios_workbench.errors import ConflictError, DriftInputError, NotFoundError
from aios_workbench.workspace import Workspace
from aios_workbench.workspace import workspace as open_workspace

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class MonitorAlert:
    """What a monitor has to tell: `kind` is ``"drift"`` or ``"recovered"``; `at` in epoch seconds, UTC."""

    monitor: str
    window: str
    kind: str
    at: float
    columns: tuple[str, ...]
    message: str


class Monitor:
    """Watches data over time; its state is in the workspace, shared by all processes that use it.

    Parameters
    ----------
    name : str
        Of the monitor: who gives it again goes on with it.
    reference : optional
        What windows are compared with: whatever `aios.drift.open_source` takes, or a `Profile`. Read once, when the
        monitor is made, and kept as a profile.
    window : str, int or timedelta, optional
        A length such as ``"7d"``, a number of rows, or None: each batch is a window.
    by : {"hour", "day", "week", "month", "quarter", "year"}, optional
        Instead: rows go to windows by their own time (`time`, or the only column of times), also late ones.
    rules : Rules, {"honest", "evidently"} or mapping, optional
        What makes a window drifted.
    in_a_row : int
        Drifted windows in a row before an alert, and calm ones before it is over (hysteresis). Only closed windows
        count: looking again and again at one that fills would raise false alarms.
    season : {"day", "week", "month", "year"}, optional
        Compare with up to four earlier windows of the same phase (the same weekday, say) that had not drifted from
        theirs. While there are none, with the reference's rows of that phase, where it has a column of times; else
        with all of the reference.
    references : sequence, optional
        Further references. A window has drifted when it has from each; the nearest makes its report.
    keep : int, str or timedelta, optional
        How many windows, or how long, are kept; None keeps all.
    on_alert : callable, optional
        Called with each `MonitorAlert` once, by the process that observes. Every alert is an event, too: kind
        ``drift.alert`` in ``aios.sql("select * from events")``.

    Raises
    ------
    DriftInputError
        For a wrong option, or a monitor that does not exist and is given no reference.
    ConflictError
        When the monitor exists with other windows, season or reference.
    """

    def __init__(
        self, name: str, reference: Any = None, *, window: str | int | dt.timedelta | None = None,
        by: str | None = None, time: str | None = None,
        rules: Rules | RulesKind | Mapping[str, Any] | None = None, in_a_row: int | None = None,
        season: str | None = None, references: Sequence[Any] = (),
        keep: int | str | dt.timedelta | None = USUAL, on_alert: Callable[[MonitorAlert], object] | None = None,
        workspace: Workspace | None = None, **options: Any,
    ) -> None:  # fmt: skip
        if not str(name).strip() or len(name) > 200:
            raise DriftInputError(f"a monitor needs a name of 1 to 200 characters, not {name!r}")
        if in_a_row is not None and in_a_row < 1:
            raise DriftInputError(f"in_a_row is {in_a_row!r}; give 1 or more")
        self.name, self.on_alert = name, on_alert
        self._ws = workspace or open_workspace()
        asked = windows_of(window, by)
        kept = checked_keep(keep)
        checked_season(season, asked.length)
        self._store = Store(self._ws, name)
        with self._store.locked():
            row = self._store.row()
            if row is None:
                if reference is None:
                    raise DriftInputError(
                        f"there is no monitor '{name}' in {self._ws.root}; give it a reference to make it"
                    )
                self._make(asked, season, time, kept, rules, in_a_row, [reference, *references], options)
            else:
                given = reference is not None
                self._open(row, asked if given or window or by else None, season, reference, options)
                changes: dict[str, Any] = {}
                if rules is not None or in_a_row is not None:
                    changes["rules"] = _rules(as_rules(row["rules"] if rules is None else rules), in_a_row)
                if kept != checked_keep(USUAL):
                    changes["spec"] = {**row["spec"], "keep": kept}
                if changes:
                    self._store.change(**changes)
        row = self._row()
        spec = row["spec"]
        self.windows = Windows(spec["seconds"], spec["rows"], spec["by"])
        self.season, self._time = spec["season"], spec["time"]
        self._store.in_order = "starts_at" if self.windows.timed else "rowid"
        self._references: list[Profile] = []

    def _make(
        self, windows: Windows, season: str | None, time: str | None, keep: Any, rules: Any, in_a_row: int | None,
        references: list[Any], options: dict[str, Any],
    ) -> None:  # fmt: skip
        profiles: list[Profile] = []
        for source in references:
            if isinstance(source, Profile) and not profiles:
                profiles.append(source)
            elif profiles:
                profiles.append(source if isinstance(source, Profile) else profile(source, like=profiles[0]))
            else:
                profiles.append(profile(source, time=time, **options))
        if not profiles[0].rows:
            raise DriftInputError(
                f"the reference {profiles[0].name} has no rows; nothing can be compared with it"
            )
        told: list[dict[str, Any]] = [
            {"file": self._store.put_profile(p), "info": p.info().model_dump(), "phase": None}
            for p in profiles
        ]
        if season is not None:
            parts = self._seasons(references[0], profiles[0], windows, season, time)
            told += [{"file": self._store.put_profile(p), "info": None, "phase": n} for n, p in parts.items()]
        self._store.create({
            "spec": {
                "seconds": windows.seconds, "rows": windows.rows, "by": windows.by, "season": season, "time": time,
                "keep": keep, "folder": self._store.folder.name,
            },
            "rules": _rules(as_rules(rules), in_a_row or 1), "reference": told, "state": "quiet", "latest_at": None,
        })  # fmt: skip

    def _seasons(
        self, source: Any, whole: Profile, windows: Windows, season: str, time: str | None
    ) -> dict[int, Profile]:
        """Return the reference's part of each phase of the season, where its rows say when they are of."""
        length = windows.length
        by = None if length is None else monitor_judging.unit_of(length)
        if by is None or length is None or isinstance(source, Profile) or (time or whole.plan.time) is None:
            return {}
        try:
            split = profile(source, like=whole, by=by, time=time)
        except DriftInputError:  # more windows than a profile has
            return {}
        return monitor_judging.phases(split, by, season, length)  # type: ignore[arg-type]  # checked

    def _open(
        self,
        row: dict[str, Any],
        asked: Windows | None,
        season: str | None,
        reference: Any,
        options: dict[str, Any],
    ) -> None:
        spec, said = row["spec"], []
        if asked is not None and (asked.seconds, asked.rows, asked.by) != (
            spec["seconds"],
            spec["rows"],
            spec["by"],
        ):
            said.append("windows")
        if season is not None and season != spec["season"]:
            said.append("season")
        if reference is not None:
            from aios_workbench.drift.sources import open_source

            # told apart without counting it: its name may be another, its rows and columns may not
            info = reference.info() if isinstance(reference, Profile) else open_source(reference).info()
            first = row["reference"][0]["info"]
            if (info.rows, info.columns) != (first["rows"], first["columns"]) and "columns" not in options:
                said.append(f"reference ({first['rows']:,} rows of {first['name']})")
        if said:
            raise ConflictError(
                f"monitor '{self.name}' exists with another {' and another '.join(said)}; leave that out to go on with "
                "it, take another name, or call Monitor(name).delete() first"
            )

    def _row(self) -> dict[str, Any]:
        row = self._store.row()
        if row is None:
            raise NotFoundError(f"monitor '{self.name}' was deleted; make it again with a reference")
        return row

    # -- reading

    @property
    def rules(self) -> Rules:
        """What makes a window drifted; `in_a_row` of them make an alert."""
        return Rules.model_validate(self._row()["rules"])

    @property
    def state(self) -> str:
        """``"quiet"``, or ``"alert"`` from an alert until it is over."""
        return str(self._row()["state"])

    @property
    def alerts(self) -> list[MonitorAlert]:
        """All alerts, the oldest first."""
        return [_alert(a) for a in self._store.alerts()]

    def history(self) -> pd.DataFrame:
        """Return the windows in their order: rows, verdict, share of drifted columns, summary, changepoint.

        The same is in ``aios.sql("select * from drift_windows")``.
        """
        import pandas as pd

        rows = [
            {
                "window": w["window_id"], "starts_at": pd.Timestamp(w["starts_at"], unit="s", tz="UTC"),
                "status": w["status"], "rows": w["rows"], "batches": w["batches"], "drifted": w["drifted"],
                "share": w["share"], "columns": w["drifted_columns"], "changepoint": w["changepoint"] or [],
                "compared_with": w["compared_with"], "summary": w["summary"],
            }
            for w in self._store.windows()
        ]  # fmt: skip
        return pd.DataFrame(
            rows, columns=None if rows else ["window", "starts_at", "status", "rows", "drifted"]
        )

    def report(self, window: str) -> DriftReport:
        """Return the report of a window.

        Raises
        ------
        NotFoundError
            When there is none.
        """
        return self._store.report(window)

    def reference_profiles(self) -> list[Profile]:
        """Return what windows are compared with, read once."""
        if not self._references:
            told = [r for r in self._row()["reference"] if r["phase"] is None]
            self._references = [self._store.profile(r["file"]) for r in told]
        return self._references

    # -- observing

    def observe(
        self, batch: Any, at: Any = None, *, id: str | None = None, progress: Callable[[float, str], None] | None = None  # noqa: A002 - what people call it
    ) -> DriftReport | None:  # fmt: skip
        """Add a batch to its window and compare the window with its reference.

        Parameters
        ----------
        batch
            Whatever `aios.drift.open_source` takes, or a `Profile` that was counted like the reference.
        at : datetime, date, str or float, optional
            When it is of; now if not given. An earlier one than before is a late batch: it goes to its own window.
        id : str, optional
            Of the batch: a second one with the same id changes nothing, so whoever delivers may do so twice.

        Returns
        -------
        DriftReport or None
            Of the window so far, the newest of several; None for a batch without rows.
        """
        when = moment(at)
        batch_id = uuid.uuid4().hex if id is None else str(id)
        if id is not None and self._store.batch(batch_id) is not None:
            return self._known(batch_id)
        counted = batch
        if not isinstance(batch, Profile):
            # the long part, without the lock: many may count at once
            counted = profile(
                batch, like=self.reference_profiles()[0], by=self.windows.by, time=self._time, progress=progress
            )  # fmt: skip
        if not counted.rows:
            return None
        with self._store.locked():
            if self._store.batch(batch_id) is not None:
                return self._known(batch_id)
            reports = self._take(counted, when, batch_id, named=id is not None)
        self._tell()
        return reports[-1] if reports else None

    def settle(self, now: Any = None) -> list[MonitorAlert]:
        """Close the windows that have ended by now, though no later batch came; return the alerts that makes."""
        when = moment(now)
        before = len(self._store.alerts())
        with self._store.locked():
            step = self._step(when)
            self._conclude(step, {})
        self._tell()
        return self.alerts[before:]

    def delete(self) -> None:
        """Forget the monitor and all it saw."""
        with self._store.locked():
            self._store.delete()

    # -- inside; all under the lock

    def _known(self, batch: str) -> DriftReport | None:
        gone = self._store.batch(batch) or []
        return self._store.report(gone[-1]) if gone and self._store.window(gone[-1]) else None

    def _step(self, when: float) -> Commit:
        step = Commit(self._row())
        step.at = when
        step.latest_at = when if step.latest_at is None else max(step.latest_at, when)
        running = _hooks.step()
        step.run_id, step.step = getattr(running, "run_id", None), getattr(running, "step", None)
        return step

    def _take(self, counted: Profile, when: float, batch: str, *, named: bool) -> list[DriftReport]:
        step = self._step(when)
        step.batch, step.rows = batch, counted.rows
        parts = self._placed(counted, when, batch if named else None)
        if self.windows.by is not None and parts:  # the rows' own time says how late it is
            step.latest_at = max(self._row()["latest_at"] or parts[-1][0].starts_at, parts[-1][0].starts_at)
        filled: dict[str, tuple[dict[str, Any], Profile]] = {}
        for where, part in parts:
            step.went_to.append(where.window)
            row = self._store.window(where.window)
            if row is None:
                row = {
                    "window_id": where.window, "starts_at": where.starts_at, "ends_at": where.ends_at,
                    "status": "open", "rows": 0, "batches": 0,
                }  # fmt: skip
            whole = part if not row.get("profile") else self._store.profile(row["profile"]).merged(part)
            row = {**row, "rows": whole.rows, "batches": row["batches"] + 1}
            row["profile"] = self._store.put_profile(whole)
            filled[where.window] = (row, whole)
        return self._conclude(step, filled)

    def _placed(self, counted: Profile, when: float, batch: str | None) -> list[tuple[Place, Profile]]:
        """Return the windows a batch goes to, in order, with its part for each."""
        if self.windows.by is not None:
            if counted.by != self.windows.by:
                raise DriftInputError(
                    f"monitor '{self.name}' gathers by {self.windows.by}, this profile is by {counted.by}; make it "
                    f"with aios.drift.profile(…, by={self.windows.by!r})"
                )
            places = [(place_named(name, self.windows.by), name) for name in counted.windows]
            found = [(p, counted.window(name)) for p, name in places if p is not None]
            return sorted(found, key=lambda f: f[0].starts_at)
        if self.windows.seconds is not None:
            return [(place(when, self.windows.seconds), counted)]
        known = self._store.windows()
        if self.windows.rows is not None and known and known[-1]["status"] == "open":
            return [(Place(known[-1]["window_id"], known[-1]["starts_at"]), counted)]
        number = 1 + max((int(w["window_id"]) for w in known if w["window_id"].isdecimal()), default=0)
        name = batch if batch is not None and self.windows.rows is None else f"{number:06d}"
        taken = {w["window_id"] for w in known}
        while name in taken:  # a batch that is called like another's number
            name += "+"
        return [(Place(name, when), counted)]

    def _conclude(self, step: Commit, filled: dict[str, tuple[dict[str, Any], Profile]]) -> list[DriftReport]:
        """Judge what was filled, close what has ended, see whether that is an alert; write all of it at once."""
        rules, reports = self.rules, []
        known = {w["window_id"]: w for w in self._store.windows()}
        changed: dict[str, dict[str, Any]] = {}
        for name, (row, whole) in filled.items():
            references = self._compared_with(row, list(known.values()))
            compared = monitor_judging.judged(f"{self.name}, {name}", whole, references, rules)
            row.update(monitor_judging.figures(compared), report=self._store.put_report(compared))
            reports.append(compared)
            known[name] = changed[name] = row
        for row in known.values():
            if row["status"] == "open" and self._ended(row, step.latest_at or 0.0):
                row["status"] = "closed"
                changed[row["window_id"]] = row
        order = (
            sorted(known.values(), key=lambda w: w["starts_at"])
            if self.windows.timed
            else list(known.values())
        )
        changed |= {row["window_id"]: row for row in monitor_judging.mark_changepoints(order)}
        step.state, alert = monitor_judging.alert(self.name, step.state, order, rules.in_a_row)
        if alert is not None:
            step.alerts.append(alert)
        step.windows = list(changed.values())
        step.dropped = dropped(order, self._row()["spec"]["keep"])
        self._store.commit(step)
        self._store.sweep()
        return reports

    def _compared_with(self, row: dict[str, Any], known: list[dict[str, Any]]) -> list[Profile]:
        """Return what a window is compared with: earlier ones of its season, together, or the references."""
        length = self.windows.length
        if self.season is not None and length is not None:
            found = monitor_judging.of_season(self._store, row, known, self.season, length)
            if found is not None:
                return [found]
            own = phase(row["starts_at"], self.season, length)
            told = [r["file"] for r in self._row()["reference"] if r["phase"] == own]
            if told:
                return [self._store.profile(told[0])]
        return self.reference_profiles()

    def _ended(self, row: dict[str, Any], latest: float) -> bool:
        if self.windows.rows is not None:
            return bool(row["rows"] >= self.windows.rows)
        return row["ends_at"] is None or bool(row["ends_at"] <= latest)

    def _tell(self) -> None:
        """Call `on_alert` with what nobody was told yet; outside the lock, so that it may do as it likes."""
        if self.on_alert is None:
            return
        for row in self._store.alerts():
            if row["told_at"] is None and self._store.claim(row["seq"]):
                try:
                    self.on_alert(_alert(row))
                except Exception:
                    self._store.unclaim(row["seq"])
                    logging.getLogger("aios_workbench").exception(
                        "monitor '%s' could not tell its alert; it tries again with the next batch", self.name
                    )

    def __repr__(self) -> str:
        row = self._store.row()
        if row is None:
            return f"<Monitor {self.name!r}: deleted>"
        windows = self._store.windows()
        last = f"; {windows[-1]['window_id']}: {windows[-1]['summary']}" if windows else ""
        return f"<Monitor {self.name!r}: {row['state']}, {len(windows)} windows{last}>"


def _rules(rules: Rules, in_a_row: int | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rules.model_dump_json())
    return found if in_a_row is None else {**found, "in_a_row": in_a_row}


def _alert(row: dict[str, Any]) -> MonitorAlert:
    return MonitorAlert(
        row["monitor"],
        row["window_id"],
        row["kind"],
        row["at"],
        tuple(row["drifted_columns"]),
        row["message"],
    )
