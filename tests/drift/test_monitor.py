"""A monitor: windows that fill, alerts after some in a row, seasons, what comes late or twice, what is kept."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aios_workbench as aios
from aios_workbench import _hooks
from aios_workbench.drift import monitor_judging, retention, seasons
from aios_workbench.drift.comparison import compare
from aios_workbench.drift.monitor import Monitor, MonitorAlert
from aios_workbench.drift.monitor_windows import LENGTHS, moment, place, place_named, windows_of
from aios_workbench.drift.profiles import profile
from aios_workbench.drift.windows import label
from aios_workbench.errors import ConflictError, DriftInputError, NotFoundError
from aios_workbench.workspace import Workspace, gc_drift, workspace

DAY = seasons.DAY
START = dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)  # a Monday


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))
    made = workspace()
    yield made
    made.close()


def rows(n: int = 300, shift: float = 0.0, seed: int = 0) -> pd.DataFrame:
    r = np.random.default_rng(seed)
    return pd.DataFrame({"income": r.normal(shift, 1, n), "city": r.choice(["Bonn", "Ulm", "Kiel"], n)})


DATES = dt.datetime.fromisoformat("1971-01-01"), dt.datetime.fromisoformat("2100-01-01")


def day(n: float) -> dt.datetime:
    return START + dt.timedelta(days=n)


Make = Callable[..., Monitor]


@pytest.fixture
def make(ws: Workspace) -> Make:
    reference = profile(rows(2000, seed=99))

    def monitor(**options: Any) -> Monitor:
        # 300 rows show chance, too: an effect of .3 is none of it
        return Monitor("claims", reference, **{"window": "1d", "rules": {"effect": 0.3}, **options})

    return monitor


def fed(monitor: Monitor, shifts: list[float], first: int = 0) -> list[MonitorAlert]:
    """Give a monitor a batch a day."""
    for i, shift in enumerate(shifts, first):
        monitor.observe(rows(shift=shift, seed=i), day(i), id=f"day {i}")
    return monitor.alerts


# ---------------------------------------------------------------- windows


def test_batches_fill_a_window_and_each_gives_the_report_so_far(make: Make) -> None:
    monitor = make(window="7d")
    parts = [rows(seed=i) for i in range(3)]
    reports = [monitor.observe(p, day(i)) for i, p in enumerate(parts)]
    assert [r.data.current.rows for r in reports if r is not None] == [300, 600, 900]
    assert monitor.history()["window"].tolist() == ["2026-01-05"]
    whole = compare(profile(rows(2000, seed=99)), pd.concat(parts))
    # rare values were put into cells of several when the window was stored: bounded, not exact
    assert reports[-1].columns["income"].psi == pytest.approx(whole.columns["income"].psi, abs=0.02)
    assert reports[-1].columns["city"].psi == pytest.approx(whole.columns["city"].psi, abs=1e-9)
    assert monitor.report("2026-01-05").columns["city"].psi == reports[-1].columns["city"].psi


def test_windows_of_rows_close_when_they_are_full(make: Make) -> None:
    monitor = make(window=500)
    for i in range(5):
        monitor.observe(rows(seed=i), day(i))
    history = monitor.history()
    assert history["rows"].tolist() == [600, 600, 300]
    assert history["status"].tolist() == ["closed", "closed", "open"]


def test_without_a_window_each_batch_is_one(make: Make) -> None:
    monitor = make(window=None)
    monitor.observe(rows(seed=1), day(5), id="first")
    monitor.observe(rows(seed=2), day(2))  # the clock went backwards: still the second
    monitor.observe(rows(seed=3), day(3), id="000002")
    history = monitor.history()
    assert history["window"].tolist() == ["first", "000001", "000002"]
    assert set(history["status"]) == {"closed"}


def test_rows_go_to_windows_by_their_own_time(ws: Workspace) -> None:
    def timed(first: int, days: int) -> pd.DataFrame:
        frame = rows(300 * days, seed=100 + first)
        return frame.assign(when=[START + dt.timedelta(days=first + i % days) for i in range(len(frame))])

    monitor = Monitor("timed", timed(-60, 10), by="day")
    monitor.observe(timed(0, 3))
    monitor.observe(timed(2, 2))
    late = monitor.observe(timed(1, 1))
    history = monitor.history()
    assert history["rows"].tolist() == [300, 600, 600, 300]
    assert history["status"].tolist() == ["closed", "closed", "closed", "open"]
    assert history["batches"].tolist() == [1, 2, 2, 1]
    assert late is not None
    assert late.data.current.rows == 600
    assert late.name.endswith("2026-01-06")


def test_a_batch_that_comes_late_goes_to_its_own_window(make: Make) -> None:
    monitor = make()
    fed(monitor, [0, 0, 0])
    monitor.observe(rows(shift=1.5, seed=50), day(1))
    history = monitor.history()
    assert history["rows"].tolist() == [300, 600, 300]
    assert history["drifted"].tolist() == [False, True, False]
    assert history["status"].tolist() == ["closed", "closed", "open"]
    monitor.observe(rows(seed=51), day(-3))
    assert monitor.history()["window"].tolist() == ["2026-01-02", "2026-01-05", "2026-01-06", "2026-01-07"]
    assert monitor.history()["status"].tolist() == ["closed", "closed", "closed", "open"]


def test_a_batch_that_comes_twice_counts_once(make: Make) -> None:
    monitor = make()
    first = monitor.observe(rows(), day(0), id="a")
    second = monitor.observe(rows(), day(0), id="a")
    assert first is not None
    assert second is not None
    assert second.data.id == first.data.id
    assert monitor.history()["rows"].tolist() == [300]
    monitor.observe(rows(), day(0))
    assert monitor.history()["rows"].tolist() == [600]


def test_a_batch_without_rows_changes_nothing(make: Make) -> None:
    monitor = make()
    assert monitor.observe(rows(0), day(0)) is None
    assert len(monitor.history()) == 0


def test_a_missing_column_is_drift_and_named(make: Make) -> None:
    monitor = make()
    report = monitor.observe(rows().drop(columns="income"), day(0))
    assert report is not None
    assert report.drifted
    assert monitor.history()["columns"].tolist() == [["income"]]


# ---------------------------------------------------------------- alerts


def test_an_alert_comes_after_so_many_in_a_row_once_and_then_it_is_over(make: Make) -> None:
    told: list[MonitorAlert] = []
    monitor = make(in_a_row=2, on_alert=told.append)
    fed(monitor, [0, 1, 0, 1, 1, 1, 1, 0, 1, 0, 0, 0])
    assert [(a.kind, a.window) for a in monitor.alerts] == [
        ("drift", "2026-01-09"),
        ("recovered", "2026-01-15"),
    ]
    assert told == monitor.alerts
    assert monitor.alerts[0].columns == ("income",)
    assert "drifted in 2 windows in a row, 2026-01-08 to 2026-01-09" in monitor.alerts[0].message
    assert monitor.state == "quiet"
    events = aios.sql("select data from events where kind = 'drift.alert' order by seq")["data"]
    assert [('"kind":"drift"' in e, '"window":"2026-01-09"' in e) for e in events] == [
        (True, True),
        (False, False),
    ]


def test_a_window_counts_when_it_is_closed(make: Make) -> None:
    monitor = make()
    for _ in range(3):
        report = monitor.observe(rows(shift=2), day(0))
        assert report is not None
        assert report.drifted
    assert monitor.alerts == []
    assert [a.kind for a in monitor.settle(day(1.5))] == ["drift"]
    assert monitor.state == "alert"
    assert monitor.settle(day(9)) == []


def test_windows_too_small_to_tell_neither_end_a_row_nor_add_to_it(make: Make) -> None:
    monitor = make(in_a_row=2)
    monitor.observe(rows(shift=2), day(0))
    monitor.observe(rows(5), day(1))
    monitor.observe(rows(shift=2), day(2))
    monitor.settle(day(9))
    assert monitor.history()["drifted"].tolist() == [True, None, True]
    assert [a.window for a in monitor.alerts] == ["2026-01-07"]


@given(st.lists(st.sampled_from([True, False, None]), max_size=30), st.integers(1, 4))
def test_alerts_alternate_and_stand_on_a_row_of_windows(verdicts: list[bool | None], in_a_row: int) -> None:
    state, seen = "quiet", []
    windows: list[dict[str, Any]] = []
    for i, verdict in enumerate(verdicts):
        windows.append({
            "window_id": str(i), "status": "closed", "drifted": verdict, "drifted_columns": ["x"], "summary": "s",
        })  # fmt: skip
        state, found = monitor_judging.alert("m", state, windows, in_a_row)
        if found is not None:
            seen.append(found)
            told = [v for v in verdicts[: i + 1] if v is not None][-in_a_row:]
            assert told == [found["kind"] == "drift"] * in_a_row
    assert [f["kind"] for f in seen] == [("drift", "recovered")[i % 2] for i in range(len(seen))]
    assert state == ("alert" if len(seen) % 2 else "quiet")


def test_who_cannot_be_told_is_told_with_the_next_batch(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    def tell(alert: MonitorAlert) -> None:
        told.append(alert.kind)
        if len(told) == 1:
            raise RuntimeError("the mail server is down")

    monitor = make(window=None, on_alert=tell)
    with caplog.at_level(logging.ERROR, "aios_workbench"):
        assert monitor.observe(rows(shift=2), day(0)) is not None
    assert "could not tell its alert" in caplog.text
    monitor.observe(rows(shift=2), day(1))
    monitor.observe(rows(shift=2), day(2))
    assert told == ["drift", "drift"]


def test_on_alert_may_use_the_monitor(make: Make) -> None:
    monitor = make(window=None)
    monitor.on_alert = lambda _alert: monitor.observe(rows(seed=7), day(1), id="inner")
    monitor.observe(rows(shift=2), day(0), id="outer")
    assert monitor.history()["window"].tolist() == ["outer", "inner"]


def test_an_alert_in_a_step_names_the_run(make: Make, monkeypatch: pytest.MonkeyPatch, ws: Workspace) -> None:
    class Running:
        run_id, step = "run-1", "watch"

    monkeypatch.setattr(_hooks, "_step", Running)
    make(window=None).observe(rows(shift=2), day(0))
    found = ws.catalog.one("select run_id, step from events where kind = 'drift.alert'")
    assert found == {"run_id": "run-1", "step": "watch"}


# ---------------------------------------------------------------- seasons, references, changepoints


def weekly(i: int, n: int = 300) -> pd.DataFrame:
    """A day of a business that is always different at weekends."""
    weekend = (START + dt.timedelta(days=i)).weekday() >= 5
    return rows(n, shift=1.0 if weekend else 0.0, seed=200 + i)


def test_a_season_is_compared_with_itself(ws: Workspace) -> None:
    reference = rows(2000, seed=99)
    options: dict[str, Any] = {"window": "1d", "rules": {"effect": 0.3}}
    plain, seasonal = (
        Monitor("plain", reference, **options),
        Monitor("s", reference, season="week", **options),
    )
    for i in range(21):
        for monitor in (plain, seasonal):
            monitor.observe(weekly(i), day(i))
    drifted = [i for i, d in enumerate(plain.history()["drifted"]) if d]
    assert drifted == [5, 6, 12, 13, 19, 20]
    # the reference does not say when its rows are of: the first weekend is unlike it
    told = seasonal.history()
    assert [i for i, d in enumerate(told["drifted"]) if d] == [5, 6]
    assert told["compared_with"].tolist()[12:14] == ["1 earlier windows, same season"] * 2
    assert told["compared_with"].tolist()[19] == "2 earlier windows, same season"
    seasonal.observe(rows(shift=3.0), day(26))  # a Saturday like no other
    seasonal.observe(weekly(33), day(33))
    assert seasonal.history()["drifted"].tolist()[-2:] == [True, False]
    assert seasonal.history()["compared_with"].tolist()[-1] == "3 earlier windows, same season"


def test_a_reference_that_says_when_has_seasons_of_its_own(ws: Workspace) -> None:
    past = pd.concat([weekly(i).assign(when=day(i)) for i in range(-28, 0)])
    monitor = Monitor("s", past, window="1d", season="week", rules={"effect": 0.3})
    for i in range(7):
        monitor.observe(weekly(i).assign(when=day(i)), day(i))
    assert not any(monitor.history()["drifted"])
    assert {w.endswith(", same season") for w in monitor.history()["compared_with"]} == {True}
    assert Monitor("s").observe(weekly(5).assign(when=day(7)), day(7)).drifted  # a weekend on a Monday


def test_of_several_references_the_nearest_counts(ws: Workspace) -> None:
    monitor = Monitor("two", rows(2000), window=None, references=[rows(2000, shift=1.0, seed=3)])
    near = [monitor.observe(rows(shift=s, seed=5), id=f"{s}") for s in (0.0, 1.0, 2.5)]
    assert [r.drifted for r in near if r is not None] == [False, False, True]


def test_a_changepoint_is_marked(make: Make) -> None:
    monitor = make(rules={"effect": 5.0})  # nothing is drifted, the figures tell
    fed(monitor, [0.0] * 6 + [0.6] * 6)
    monitor.settle(day(30))
    marked = monitor.history().set_index("window")["changepoint"]
    assert {w: c for w, c in marked.items() if c} == {"2026-01-11": ["income"]}


def test_a_changepoint_is_found_where_it_is_and_chance_has_none() -> None:
    r = np.random.default_rng(1)
    found = [seasons.changepoint(np.r_[r.normal(0, 1, 20), r.normal(3, 1, 15)], seed=i) for i in range(20)]
    assert all(c is not None and abs(c.index - 20) <= 2 and c.p_value <= 0.01 for c in found)
    calm = [seasons.changepoint(r.normal(size=25), seed=i) for i in range(200)]
    assert sum(c is not None and c.p_value <= 0.05 for c in calm) <= 20  # of 200, at 5 %
    many = {str(i): r.normal(size=20) for i in range(40)}
    assert len(seasons.changepoints(many)) <= 2


@pytest.mark.parametrize("values", [[], [1.0] * 20, [0.0] * 7, [0.0, float("nan")] * 8, [float("inf")] * 9])
def test_too_few_or_equal_values_have_no_changepoint(values: list[float]) -> None:
    assert seasons.changepoint(values) is None


# ---------------------------------------------------------------- keeping


def test_a_monitor_goes_on_where_it_was_and_refuses_to_be_another(make: Make) -> None:
    fed(make(in_a_row=2), [0, 2])
    again = Monitor("claims")
    fed(again, [2, 2], first=2)
    assert [a.window for a in again.alerts] == ["2026-01-07"]
    assert again.rules.in_a_row == 2
    assert make(in_a_row=3).rules.in_a_row == 3
    for options, what in (
        ({"window": "7d"}, "windows"), ({"season": "week"}, "season"), ({"window": None, "by": "day"}, "windows"),
    ):  # fmt: skip
        with pytest.raises(ConflictError, match=f"exists with another {what}"):
            make(**options)
    with pytest.raises(ConflictError, match="another reference"):
        Monitor("claims", rows(1234), window="1d", rules={"effect": 0.3})
    again.delete()
    with pytest.raises(DriftInputError, match="there is no monitor 'claims'"):
        Monitor("claims")
    with pytest.raises(NotFoundError, match="was deleted"):
        again.observe(rows(), day(0))


def test_what_is_kept_no_more_goes_with_its_files(make: Make) -> None:
    monitor = make(keep=3)
    fed(monitor, [0] * 6)
    assert monitor.history()["window"].tolist() == ["2026-01-08", "2026-01-09", "2026-01-10"]
    with pytest.raises(NotFoundError, match="no report of window '2026-01-05'"):
        monitor.report("2026-01-05")
    assert aios.sql("select count(*) as n from drift_batches")["n"][0] == 3
    # a late one to a window that is gone does not come back to stay
    monitor.observe(rows(), day(0), id="late")
    assert monitor.history()["window"].tolist() == ["2026-01-08", "2026-01-09", "2026-01-10"]


@given(st.lists(st.sampled_from(["open", "closed"]), max_size=12), st.integers(1, 5))
def test_open_windows_are_always_kept(states: list[str], keep: int) -> None:
    windows = [{"window_id": str(i), "status": s, "starts_at": i * DAY} for i, s in enumerate(states)]
    for how in (retention.checked_keep(keep), retention.checked_keep(f"{keep}d"), None):
        gone = retention.dropped(windows, how)
        assert all(states[int(w)] == "closed" for w in gone)
        assert str(len(states) - 1) not in gone
        if how is None:
            assert gone == []


def test_the_collector_deletes_what_nobody_refers_to(make: Make, ws: Workspace) -> None:
    monitor = make()
    fed(monitor, [0, 0])
    folder = monitor._store.folder
    kept = {p.name for p in folder.iterdir()}
    (folder / "profile-left").write_text("a process was killed here")
    (ws.root / "drift" / "nobodys-12345678").mkdir()
    young = gc_drift.delete_drift(ws, 0.0, dry_run=False)
    assert young == (0, 0, 0, 0)
    later = max(p.stat().st_mtime for p in [folder, *folder.iterdir()]) + 10
    assert gc_drift.delete_drift(ws, later, dry_run=True)[0::2] == (
        1,
        1 + len(kept - needed(monitor) - {"lock"}),
    )
    gc_drift.delete_drift(ws, later, dry_run=False)
    assert {p.name for p in folder.iterdir()} == needed(monitor) | {"lock"}
    assert [p.name for p in (ws.root / "drift").iterdir()] == [folder.name]
    assert monitor.report("2026-01-05").drifted is False
    assert monitor.observe(rows(), day(1)) is not None


def needed(monitor: Monitor) -> set[str]:
    """The files a monitor refers to."""
    found = {r["file"] for r in (monitor._store.row() or {})["reference"]}
    return found | {w[k] for w in monitor._store.windows() for k in ("profile", "report")}


def test_what_is_stored_holds_no_rare_value(make: Make) -> None:
    monitor = make()
    batch = rows()
    batch.loc[0, "city"], batch.loc[1, "income"] = "Only Me", 1234.56789
    monitor.observe(batch, day(0))
    stored = b"".join(p.read_bytes() for p in monitor._store.folder.iterdir())
    assert b"Only Me" not in stored
    assert b"1234.56789" not in stored
    catalog = monitor._ws.catalog.query("select * from drift_windows")
    assert "Only Me" not in str(catalog)


@pytest.mark.parametrize(("options", "message"), [
    ({"window": "soon"}, "window is 'soon'; give a length such as '7d'"), ({"window": 0}, "window is 0 rows"),
    ({"window": "1d", "by": "day"}, "two ways to say the same"), ({"window": None, "by": "dy"}, "by is 'dy'"),
    ({"in_a_row": 0}, "in_a_row is 0"), ({"keep": 0}, "keep is 0"), ({"keep": "ever"}, "keep is 'ever'"),
    ({"season": "weak"}, "no season 'weak'; did you mean 'week'"), ({"season": "day"}, "too long to come again"),
    ({"window": 100, "season": "week"}, "needs windows of time"), ({"rules": "honst"}, "no rules 'honst'"),
    ({"reference": rows(0)}, "no rows"),
])  # fmt: skip
def test_a_wrong_option_of_a_monitor_is_refused(ws: Workspace, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DriftInputError, match=message):
        Monitor("wrong", **{"reference": rows(), "window": "1d", **options})
    with pytest.raises(DriftInputError, match="there is no monitor"):
        Monitor("wrong")


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_a_monitor_needs_a_name(ws: Workspace, name: str) -> None:
    with pytest.raises(DriftInputError, match="needs a name"):
        Monitor(name, rows())


def test_hostile_names_of_monitors_are_apart(ws: Workspace) -> None:
    names = ["../../etc", "a/b", "A b", "a b", "🐙", "'; drop table drift_windows; --", '"><img src=x>']
    for name in names:
        Monitor(name, profile(rows(40)), window=None).observe(rows(40), id=name)
    assert {Monitor(n).history()["window"][0] for n in names} == set(names)
    folders = list((ws.root / "drift").iterdir())
    assert len(folders) == len(names)
    assert not (ws.root.parent / "etc").exists()


# ---------------------------------------------------------------- moments


@given(st.floats(0, 4e9), st.sampled_from([60.0, 3600.0, DAY, 7 * DAY, 1234.0]))
def test_every_moment_lies_in_its_window(at: float, seconds: float) -> None:
    found = place(at, seconds)
    assert found.ends_at is not None
    assert found.starts_at <= at < found.ends_at
    assert place(found.starts_at, seconds) == found
    assert moment(found.window) == pytest.approx(found.starts_at, abs=1e-3)


@given(st.datetimes(*DATES), st.sampled_from(sorted(LENGTHS)))
def test_windows_of_rows_own_time_are_found_by_their_names(when: dt.datetime, by: str) -> None:
    start: dt.datetime = pd.Timestamp(when).to_period(
        {"hour": "h", "day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}[by]
    ).start_time.to_pydatetime()  # fmt: skip
    found = place_named(label(start, by), by)
    assert found is not None
    assert found.starts_at == start.replace(tzinfo=dt.UTC).timestamp()
    assert found.ends_at is not None
    assert found.starts_at <= when.replace(tzinfo=dt.UTC).timestamp() < found.ends_at


def test_moments_are_taken_in_every_form() -> None:
    same = 1767312000.0
    forms = ["2026-01-02", dt.date(2026, 1, 2), dt.datetime.fromisoformat("2026-01-02"), pd.Timestamp("2026-01-02"),
             same, int(same), "2026-01-02T01:00:00+01:00", np.float64(same)]  # fmt: skip
    assert {moment(f) for f in forms} == {same}
    for wrong in ("soon", [], float("nan"), float("inf"), 1e300):
        with pytest.raises(DriftInputError, match="at is"):
            moment(wrong)
    assert windows_of(dt.timedelta(hours=2), None).seconds == 7200
