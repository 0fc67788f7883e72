"""Names and values that break SQL, HTML or a careless dictionary are names and values like any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from aios_workbench.drift.columntables import Table
from aios_workbench.drift.comparison import compare
from aios_workbench.drift.plan import plan
from aios_workbench.drift.scan import scan
from aios_workbench.drift.sources import open_source
from aios_workbench.drift.tables import CountTable
from tests.drift.conftest import HOSTILE

Make = Callable[..., pd.DataFrame]


def counts(table: Table) -> dict[str, int]:
    assert isinstance(table, CountTable)
    return dict(zip(table.values, table.counts.tolist(), strict=True))


@pytest.mark.parametrize("kind", ["frame", "arrow", "stream", "parquet", "files", "relation"])
def test_every_name_and_value_is_counted(kind: str, hostile: Make, tmp_path: Path) -> None:
    frame = hostile()
    path = tmp_path / "it's [a] *folder*" / "rows.parquet"
    path.parent.mkdir()
    frame.to_parquet(path)
    con = duckdb.connect()
    sides = {
        "frame": lambda: frame, "arrow": lambda: pa.Table.from_pandas(frame),
        "stream": lambda: pa.Table.from_pandas(frame).to_reader(), "parquet": lambda: path,
        "files": lambda: path.parent, "relation": lambda: con.from_arrow(pa.Table.from_pandas(frame)),
    }  # fmt: skip
    source = open_source(sides[kind]())
    if kind != "relation":  # DuckDB itself gives other names to some
        assert list(source.columns) == list(frame.columns)
    tables = scan(source, plan(source))[1][""]
    for name, real in zip(source.columns, frame.columns, strict=True):
        if frame[real].dtype != "datetime64[us]" and name in tables and isinstance(tables[name], CountTable):
            assert counts(tables[name]) == frame[real].dropna().value_counts().to_dict()
    assert {"select", "case", "🦆"} <= set(tables)


def test_a_report_tells_them_apart(hostile: Make) -> None:
    before, after = hostile(), hostile()
    after["CASE"] = "other"
    report = compare(before, after)
    assert {n for n, c in report.columns.items() if c.verdict == "drifted"} == {"CASE"}
    assert set(HOSTILE) <= set(report.columns)
    assert report.columns["case"].verdict == "stable"


@pytest.mark.parametrize("name", [n for n in HOSTILE if n])
def test_a_hostile_name_can_be_everything(name: str, hostile: Make) -> None:
    frame = hostile()
    report = compare(frame, frame, by=name, columns=["steady"])
    assert len(report.windows) == frame[name].nunique(dropna=False)
    report = compare(frame, frame, target=name, kinds={name: "categorical"}, columns=["steady"])
    assert report.columns[name].role == "target"
    assert not report.drifted
