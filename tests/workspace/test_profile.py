"""Tables summed up: the same figures as pandas, honest about what is estimated or left out."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from stored import FRAME, HOSTILE

from aios_workbench.errors import ConflictError, CorruptArtifactError, ParameterError
from aios_workbench.workspace import Workspace
from aios_workbench.workspace import profile as profiling
from aios_workbench.workspace.models import ColumnProfile, TableProfile
from aios_workbench.workspace.tables import profile


def sum_up(ws: Workspace, value: Any, columns: list[str] | None = None) -> TableProfile:
    found = profile(ws, ws.artifacts.put(value), columns, "step")
    assert json.loads(json.dumps(found.model_dump(mode="json"), allow_nan=False))
    return found


def one(ws: Workspace, values: Any) -> ColumnProfile:
    return sum_up(ws, pd.DataFrame({"c": values})).columns[0]


def test_figures_are_those_of_pandas(ws: Workspace) -> None:
    r = np.random.default_rng(0)
    values = pd.Series(np.where(r.random(1000) < 0.1, np.nan, np.round(r.normal(size=1000), 2)))
    found = one(ws, values)
    assert (found.kind, found.rows, found.nulls, found.distinct) == (
        "number",
        1000,
        values.isna().sum(),
        values.nunique(),
    )
    assert (found.min, found.max, found.zeros) == (values.min(), values.max(), (values == 0).sum())
    assert found.mean == pytest.approx(values.mean())
    assert found.std == pytest.approx(values.std())
    assert [found.quantiles[str(q)] for q in profiling.QUANTILES] == pytest.approx(
        list(values.quantile(profiling.QUANTILES))
    )
    assert found.distinct_exact
    assert found.quantiles_exact
    assert found.histogram is not None
    counts, _ = np.histogram(values.dropna(), bins=found.histogram.edges)
    assert found.histogram.counts == pytest.approx(counts, abs=1)  # on a border, the last bit decides
    assert sum(found.histogram.counts) == values.notna().sum()


def test_every_type_has_its_kind(ws: Workspace) -> None:
    found = sum_up(ws, FRAME)
    kinds = {c.name: c.kind for c in found.columns}
    assert kinds == {
        "n": "number",
        "x": "number",
        "s": "text",
        "t": "time",
        "u": "time",
        "d": "time",
        "m": "number",
        "b": "boolean",
        "c": "text",
        "big": "number",
        "f": "number",
        "o": "boolean",
        "w": "number",
    }
    by = {c.name: c for c in found.columns}
    assert by["t"].min == "2025-03-30T01:30:00"
    assert [(f.value, f.count) for f in by["b"].top] == [(True, 3), (False, 1)]
    assert (by["c"].top[0].value, by["c"].top[0].count, by["c"].nulls, by["c"].distinct) == ("x", 2, 1, 2)
    assert by["big"].max == str(2**62)
    assert by["x"].infinite == 1
    assert (found.rows, found.duplicates, found.total_columns, found.code) == (4, 0, 13, "step.profile()")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            [1, 2, 2, 9],
            {
                "edges": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5],
                "counts": [1, 2, 0, 0, 0, 0, 0, 0, 1],
            },
        ),
        ([1.5] * 3, {"edges": [1.0, 2.0], "counts": [3]}),
        (
            [0.0, math.inf, math.nan, 1.0],
            {"edges": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], "counts": [1, 0, 0, 0, 1]},
        ),
        ([math.nan, None], None),
        ([math.inf, -math.inf], None),
        ([True, False], None),
        (["a"], None),
    ],
    ids=str,
)
def test_bins_are_equal_and_whole_numbers_get_whole_ones(ws: Workspace, values: Any, expected: Any) -> None:
    found = one(ws, pd.Series(values, dtype="int64") if values == [1, 2, 2, 9] else values).histogram
    assert (found and found.counts) == (expected and expected["counts"])
    if expected:
        assert found is not None
        assert found.edges == pytest.approx(expected["edges"])


@pytest.mark.parametrize(
    "values",
    [
        [1e308, -1e308, 1e308],
        [5e-324, 0.0],
        [2**63 - 1, -(2**63)],
        pd.array([2**64 - 1, 0], dtype="UInt64"),
        pd.to_datetime(["1677-09-22", "2262-04-11"]),
        [None, None],
        [],
        [b"\xff", b"a"],
        pd.array([0.1, None, np.nan], dtype="Float64"),
        ["x" * 100_000, "\x00", "<img src=x onerror=alert(1)>"],
        pd.to_timedelta([1, None], unit="s"),
        pd.period_range("2026", periods=3, freq="D"),
    ],
    ids=range(12),
)
def test_extremes_are_summed_up_without_an_error(ws: Workspace, values: Any) -> None:
    found = one(ws, values)
    assert found.rows == len(values)
    assert len(json.dumps(found.model_dump(mode="json"))) < 20_000


def test_duplicates_are_whole_rows(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame(
        {"a": [1, 1, 2, None], "b": ["x", "x", "x", "x"]}, index=pd.Index([5, 6, 7, 8], name="id")
    )
    assert sum_up(ws, frame).duplicates == 1  # the index makes no difference
    assert sum_up(ws, frame, ["a"]).duplicates is None
    monkeypatch.setattr(profiling, "_DUPLICATE_CELLS", 3)
    assert sum_up(ws, frame).duplicates is None


def test_large_tables_are_estimated_and_say_so(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    n = 20_000
    frame = pd.DataFrame(
        {
            "id": range(n),
            "few": np.arange(n) % 7,
            "word": [f"w{i % 15_000}" for i in range(n)],
            "unique": [f"u{i}" for i in range(n)],
        }
    )
    monkeypatch.setattr(profiling, "EXACT_ROWS", 1000)
    by = {c.name: c for c in sum_up(ws, frame).columns}
    assert (by["id"].distinct_exact, by["id"].quantiles_exact, by["few"].distinct_exact) == (
        False,
        False,
        True,
    )
    assert by["id"].distinct == pytest.approx(n, rel=0.1)
    assert by["id"].quantiles["0.5"] == pytest.approx(n / 2, rel=0.05)
    assert by["few"].distinct == 7
    assert {f.count for f in by["word"].top} <= {1, 2}  # likely candidates, counted exactly
    assert by["word"].nulls == 0


def test_very_large_tables_are_sampled_and_say_so(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "MAX_CELLS", 5000)
    found = sum_up(ws, pd.DataFrame({"a": np.arange(20_000) % 2, "b": 1.5}))
    assert found.rows == 20_000
    assert found.sampled == pytest.approx(2500, rel=0.2)
    assert found.columns[0].rows == found.sampled
    assert found.columns[0].mean == pytest.approx(0.5, abs=0.05)
    assert (found.columns[0].distinct_exact, found.duplicates) == (False, None)


def test_wide_tables_come_in_parts(ws: Workspace) -> None:
    frame = pd.DataFrame(np.arange(4000).reshape(2, 2000), columns=[f"c{i}" for i in range(2000)])
    found = sum_up(ws, frame)
    assert (len(found.columns), found.total_columns) == (profiling.MAX_COLUMNS, 2000)
    later = sum_up(ws, frame, ["c1999", "c0"])
    assert [(c.name, c.max) for c in later.columns] == [("c1999", 3999), ("c0", 2000)]
    assert later.code == "step.profile(columns=['c1999', 'c0'])"


def test_hostile_names_and_values(ws: Workspace) -> None:
    frame = pd.DataFrame([[f"{n}'; --", *[1] * 5] for n in HOSTILE])
    frame.columns = pd.Index(HOSTILE[:6])
    found = sum_up(ws, frame)
    assert [c.name for c in found.columns] == HOSTILE[:6]
    assert found.columns[0].distinct == len(HOSTILE)


def test_arrays_have_profiles_and_the_rest_says_why_not(ws: Workspace) -> None:
    found = sum_up(ws, np.array([[1.0, np.nan], [3.0, np.inf]]))
    assert [(c.name, c.nulls, c.infinite, c.mean) for c in found.columns] == [
        ("0", 0, 0, 2.0),
        ("1", 1, 1, None),
    ]
    with pytest.raises(ConflictError, match="not a table"):
        sum_up(ws, {"a": 1})
    with pytest.raises(ParameterError, match="did you mean 'big'"):
        sum_up(ws, FRAME, ["bigg"])
    artifact = ws.artifacts.put(FRAME)
    ws.artifacts.path(artifact).write_bytes(b"nothing")
    with pytest.raises(CorruptArtifactError):
        profile(ws, artifact)
