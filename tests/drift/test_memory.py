"""Files larger than the memory there is: counted in a process that would die of loading them."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from aios_workbench.drift.comparison import compare
from aios_workbench.drift.counttable import BUCKETS, CountTable
from aios_workbench.drift.profiles import profile

ROWS = 1_500_000

_COMPARE = """
import resource, sys, threading
from aios_workbench.drift.comparison import compare
import pandas, scipy.stats, sklearn.ensemble, pyarrow.parquet  # as large without any data
import aios_workbench.drift.multivariate
compare("select i, i * 0.5 as x from range(100) r(i)", "select i, i * 0.5 as x from range(100) r(i)")
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = used + int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
report = compare(sys.argv[1], sys.argv[2], memory_limit="100MB", threads=1, sample_rows=2_000)
print(report.drifted, report.columns["x0"].verdict, report.columns["x1"].verdict, report.data.current.rows)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two files whose rows are 12 doubles: 144 MB each once loaded; of the second x0 is larger.

    The numbers are hashes: as good as drawn, and the same in every run (`random()` on several threads is not, and one
    drawing in a few hundred is told to have drifted, as it must be at this alpha).
    """
    folder = tmp_path_factory.mktemp("large")
    for side, shift in (("a", 0.0), ("b", 0.5)):
        columns = ", ".join(
            f"hash(i, {k}, '{side}') / 18446744073709551616.0 + {shift if k == 0 else 0} as x{k}"
            for k in range(12)
        )
        duckdb.sql(
            f"copy (select {columns} from range({ROWS}) r(i)) to '{folder}/{side}.parquet' (row_group_size 50000)"
        )
    return folder / "a.parquet", folder / "b.parquet"


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space, as only Linux does")
def test_files_larger_than_the_memory_are_compared(large: tuple[Path, Path]) -> None:
    spare = 260 * 2**20  # of 288 MB of rows
    assert spare < 2 * ROWS * 12 * 8
    done = subprocess.run(
        [sys.executable, "-c", _COMPARE, *map(str, large), str(spare)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["True", "drifted", "stable", str(ROWS)]


def test_a_text_that_explodes_is_counted_in_little(tmp_path: Path) -> None:
    path = tmp_path / "many.parquet"
    duckdb.sql(
        "copy (select case when i % 4 = 0 then 'common' else 'session-' || i || repeat('x', 40) end as s "
        f"from range(600000) r(i)) to '{path}'"
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table = profile(path, kinds={"s": "categorical"}, memory_limit="150MB", threads=1).columns["s"]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
    assert grown < 400
    assert isinstance(table, CountTable)
    assert (table.values[0], int(table.counts[0]), len(table.buckets)) == ("common", 150_000, BUCKETS)
    assert table.rows == 600_000
    assert table.distinct == pytest.approx(450_001, rel=0.1)


def test_few_categories_that_become_many_are_drift(tmp_path: Path) -> None:
    before, after = tmp_path / "before.parquet", tmp_path / "after.parquet"
    duckdb.sql(f"copy (select 'c' || i % 5 as s from range(60000) r(i)) to '{before}'")
    duckdb.sql(f"copy (select 'd' || i as s from range(60000) r(i)) to '{after}'")
    report = compare(before, after, kinds={"s": "categorical"})
    assert report.columns["s"].verdict == "drifted"
    assert report.columns["s"].statistics["total_variation"].value > 0.9
