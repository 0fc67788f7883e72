"""Two data sets in, a report out: what drifted is found, what did not is left in peace, wherever the rows lie."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from aios_workbench import drift
from aios_workbench.drift.comparison import compare
from aios_workbench.drift.profiles import load_profile, profile
from aios_workbench.errors import DriftInputError
from tests.drift.conftest import mixed

Frames = tuple[pd.DataFrame, pd.DataFrame]


def verdicts(report: drift.DriftReport) -> dict[str, str]:
    return {n: c.verdict for n, c in report.columns.items()}


def test_what_drifted_is_found(frames: Frames) -> None:
    report = compare(*frames)
    found = verdicts(report)
    assert report.drifted
    assert {n for n, v in found.items() if v == "drifted"} == {"income", "zeros", "city"}
    assert found["id"] == "skipped"
    assert found["steady"] == found["age"] == found["member"] == "stable"
    assert (report.data.reference.rows, report.data.current.rows) == (2_000, 2_000)
    assert report.data.current.first is not None


def test_nothing_is_found_in_nothing() -> None:
    report = compare(mixed(seed=1), mixed(seed=2))
    assert not report.drifted
    assert set(verdicts(report).values()) <= {"stable", "skipped"}
    assert report.schema_changes == []


@pytest.mark.parametrize("kind", ["parquet", "csv", "polars", "arrow", "sql", "profile", "saved"])
def test_the_same_is_found_wherever_the_rows_lie(kind: str, frames: Frames, tmp_path: Path) -> None:
    wanted = compare(*frames)
    sides: list[object] = []
    for i, frame in enumerate(frames):
        path = tmp_path / f"side{i}.{'csv' if kind == 'csv' else 'parquet'}"
        (frame.to_csv if kind == "csv" else frame.to_parquet)(path, index=False)
        make: dict[str, Callable[[], object]] = {
            "parquet": lambda path=path: path, "csv": lambda path=path: path,
            "polars": lambda frame=frame: pl.from_pandas(frame),
            "arrow": lambda frame=frame: pl.from_pandas(frame).to_arrow(),
            "sql": lambda path=path: f"select * from '{path}'",
            "profile": lambda frame=frame, i=i: profile(frame, like=sides[0] if i else None),  # type: ignore[arg-type]
            "saved": lambda frame=frame, i=i: load_profile(
                profile(frame, like=sides[0] if i else None).save(tmp_path / f"{i}.profile", raw=True)  # type: ignore[arg-type]
            ),
        }  # fmt: skip
        sides.append(make[kind]())
    found = compare(*sides)
    assert verdicts(found) == verdicts(wanted)
    for name, column in wanted.columns.items():
        assert found.columns[name].effect == pytest.approx(column.effect, abs=1e-3)
    for name in ("age", "city", "member"):  # counted by value: the same to the last digit
        column, other = wanted.columns[name], found.columns[name]
        assert (other.reference, other.current) == (column.reference, column.current)
        assert other.categories == column.categories


def test_a_stored_reference_is_not_read_again(frames: Frames, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    frames[0].to_parquet(path)
    saved = profile(path).save(tmp_path / "reference.profile")
    path.unlink()
    report = compare(load_profile(saved), frames[1])
    assert verdicts(report) == verdicts(compare(*frames))
    assert report.data.reference.stored
    assert report.data.raw  # what the current side holds is told
    both = compare(load_profile(saved), profile(frames[1], like=load_profile(saved)).without_raw())
    assert not both.data.raw
    assert verdicts(both) == verdicts(report)


def test_windows(frames: Frames) -> None:
    report = compare(*frames, by="month")
    assert report.windows == ["2026-01", "2026-02", "2026-03"]
    income = report.columns["income"].windows
    assert [w.window for w in income] == report.windows
    assert sum(w.rows for w in income) == 2_000
    assert all(w.verdict == "drifted" for w in income)
    again = compare(profile(frames[0]), profile(frames[1], by="month", like=profile(frames[0])))
    assert again.windows == report.windows


def test_time_that_moves_on_is_no_drift_but_other_hours_are() -> None:
    r = np.random.default_rng(0)
    at = pd.Timestamp("2026-01-05") + pd.to_timedelta(r.integers(0, 28 * 86_400, 3_000), unit="s")
    before = pd.DataFrame({"at": at, "x": r.normal(0, 1, 3_000)})
    later = before.assign(at=before["at"] + pd.Timedelta(days=364))
    column = compare(before, later).columns["at"]
    assert column.verdict == "stable"
    assert column.current is not None
    assert column.current.minimum == later["at"].min().timestamp()
    night = before.assign(
        at=before["at"].dt.normalize() + pd.to_timedelta(r.integers(0, 6 * 3600, 3_000), unit="s")
    )
    column = compare(before, night).columns["at"]
    assert column.verdict == "drifted"
    assert [p.name for p in column.parts if p.verdict == "drifted"] == ["hour"]


def test_the_shape_comes_first(frames: Frames) -> None:
    before, after = frames
    after = after.rename(columns={"income": "annual_income"}).drop(columns="member").assign(new=1.0)
    after["age"] = after["age"].astype(str) + " years"
    report = compare(before, after.assign(annual_income=before["income"]))
    changed = {(c.column, c.change) for c in report.schema_changes}
    assert {("income", "renamed"), ("member", "missing"), ("new", "new"), ("age", "type")} <= changed
    assert report.drifted
    assert report.columns["member"].verdict == report.columns["new"].verdict == "skipped"


def test_a_null_jump_and_a_new_category_are_found(frames: Frames) -> None:
    before = mixed(seed=1)
    after = mixed(seed=2)
    after.loc[after.index % 2 == 0, "steady"] = np.nan
    after.loc[after.index % 5 == 0, "city"] = "Aachen"
    report = compare(before, after)
    assert report.columns["steady"].verdict == report.columns["city"].verdict == "drifted"
    assert report.columns["steady"].statistics["null_shift"].value == pytest.approx(0.5)


def test_correlation_alone_is_found_by_the_whole() -> None:
    r = np.random.default_rng(0)
    x, y = r.normal(size=(2, 4_000))
    before = pd.DataFrame({"a": x, "b": y})
    after = pd.DataFrame({"a": x, "b": 0.8 * x + 0.6 * y})
    report = compare(before, after)
    assert set(verdicts(report).values()) == {"stable"}
    assert report.drifted
    assert report.data.multivariate is not None
    assert report.data.multivariate.correlations[0].verdict == "drifted"


def test_texts_and_vectors_are_compared_by_what_is_computed_of_them() -> None:
    r = np.random.default_rng(0)
    words = np.array(["the", "claim", "was", "settled", "after", "a", "long", "letter", "from", "abroad"])

    def texts(low: int, high: int) -> list[str]:
        return [" ".join(r.choice(words, r.integers(low, high))) for _ in range(400)]

    before = pd.DataFrame({"note": texts(8, 14), "v": list(r.normal(0, 1, (400, 4)))})
    after = pd.DataFrame({"note": texts(20, 30), "v": list(r.normal(3, 1, (400, 4)))})
    report = compare(before, after)
    note, v = report.columns["note"], report.columns["v"]
    assert (note.kind, v.kind) == ("text", "embedding")
    assert note.verdict == v.verdict == "drifted"
    assert {"length", "words"} <= {p.name for p in note.parts}


def test_the_model_is_measured_window_by_window() -> None:
    r = np.random.default_rng(0)
    n = 4_000

    def rows(flipped: float) -> pd.DataFrame:
        score = r.random(n)
        label = (r.random(n) < score).astype(int)
        late = np.arange(n) >= n // 2
        label = np.where(late & (r.random(n) < flipped), 1 - label, label)
        month = np.where(late, "2026-05-10", "2026-04-10")
        return pd.DataFrame(
            {"y": label, "p": (score > 0.5).astype(int), "score": score, "at": pd.to_datetime(month)}
        )

    options = {"target": "y", "prediction": "p", "score": "score", "by": "month"}
    report = compare(rows(0.0), rows(0.4), **options)  # type: ignore[arg-type]
    assert report.performance is not None
    assert [(w.window, w.verdict) for w in report.performance.windows] == [
        ("2026-04", "stable"), ("2026-05", "drifted"),
    ]  # fmt: skip
    late = compare(rows(0.0), rows(0.4).drop(columns="y"), **options)  # type: ignore[arg-type]
    assert late.performance is not None
    assert all(w.estimated and not w.labelled for w in late.performance.windows)
    assert "y" not in [c.column for c in late.schema_changes]


def test_progress_reaches_the_end(frames: Frames) -> None:
    said: list[float] = []
    compare(*frames, progress=lambda fraction, text: said.append(fraction))
    assert said == sorted(said)
    assert said[-1] == 1.0


def test_an_interrupt_ends_it(frames: Frames) -> None:
    def stop(fraction: float, text: str) -> None:
        if fraction > 0.2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(*frames, progress=stop)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "incom"}, "did you mean 'income'"),
        ({"kinds": {"age": "numerical"}}, "did you mean 'numeric'"),
        ({"kinds": {"agee": "numeric"}}, "did you mean 'age'"),
        ({"columns": ["citi"]}, "did you mean 'city'"),
        ({"by": "mnth"}, "did you mean 'month'"),
        ({"time": "city", "by": "day"}, "not of dates or times"),
        ({"rules": "onest"}, "did you mean 'honest'"),
        ({"sample_rows": 0}, "sample_rows is 0"),
        ({"memory_limit": "lots"}, "a limit is like '1GB'"),
        ({"target": "city", "prediction": "city"}, "as target and as prediction"),
    ],
)
def test_wrong_options_are_told(options: dict[str, object], words: str, frames: Frames) -> None:
    with pytest.raises(DriftInputError, match=words):
        compare(*frames, **options)  # type: ignore[arg-type]


def test_no_rows() -> None:
    frame = mixed(100)
    with pytest.raises(DriftInputError, match="has no rows"):
        compare(frame.iloc[:0], frame)
    report = compare(frame, frame.iloc[:0])
    assert report.drifted
    assert report.schema_changes[0].change == "empty"


def test_one_row_says_that_it_is_too_few() -> None:
    report = compare(mixed(200), mixed(200).iloc[:1])
    assert set(verdicts(report).values()) <= {"few", "skipped"}
    assert report.drifted is None


def test_profiles_of_other_plans_are_refused(frames: Frames) -> None:
    with pytest.raises(DriftInputError, match="like=reference"):
        compare(profile(frames[0]), profile(frames[1].assign(income=frames[1]["income"] * 7)))
    with pytest.raises(DriftInputError, match="is for data that is read"):
        compare(profile(frames[0]), frames[1], kinds={"age": "categorical"})


def test_dates_and_decimals() -> None:
    frame = pd.DataFrame({"d": [dt.date(2026, 1, 1 + i % 28) for i in range(300)], "x": range(300)})
    report = compare(frame, frame)
    assert [p.name for p in report.columns["d"].parts] == ["weekday"]
    assert not report.drifted


def test_it_is_at_hand_as_aios_says() -> None:
    import aios_workbench as aios

    assert aios.drift.compare is compare
    assert aios.drift.profile is profile
