"""Looking at a stored table of ten million rows: seconds and the kernel's memory, beside pandas loading it.

    .venv/bin/python benchmarks/inspector.py [--rows 10000000] [--rounds 3] [--home FOLDER]

The table (ten columns: numbers, texts, times, booleans, categories) is stored as a step's output would be, once, in a
temporary folder or in FOLDER, where it is found again next time. Every question is asked in a fresh process that has
imported what a notebook has (the workbench, pandas); "first" has the import of DuckDB in it, "again" is the median of
the next three. Memory is the highest resident size while asking ("peak") and the one after it ("kept"), less the one
before. pandas reads the same Parquet file and does the same; its "again" still has the frame in memory. Results go to
benchmarks/results/ as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _peers import TAG, keep, reported, table

HERE = Path(__file__).resolve().parent
AGAIN = 3

#: name -> (label, what the workbench is asked; None: a profile)
QUESTIONS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "first": ("first page", {}),
    "deep": ("page at 90 %", {"offset": 0.9}),
    "sorted": ("sorted by a number", {"sort": [{"column": "amount", "descending": True}]}),
    "sorted_text": ("sorted by a text of 2 million values", {"sort": [{"column": "customer"}]}),
    "sorted_deep": ("the same by number, page at 50 %", {"sort": [{"column": "amount"}], "offset": 0.5}),
    "sorted_text_deep": ("the same by text, page at 50 %", {"sort": [{"column": "customer"}], "offset": 0.5}),
    "filtered": (
        "two filters, sorted",
        {
            "sort": [{"column": "at", "descending": True}],
            "filters": [
                {"column": "state", "op": "=", "value": "NY"},
                {"column": "amount", "op": ">", "value": 100},
            ],
        },
    ),
    "profile": ("profile of all columns", None),
}


def build(home: Path, rows: int) -> str:
    """Store the table and return its hash."""
    import numpy as np
    import pandas as pd

    from aios_workbench.workspace import Workspace

    r = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.arange(rows),
            "amount": r.lognormal(3, 1, rows),
            "score": np.where(r.random(rows) < 0.05, np.nan, r.normal(size=rows)),
            "quantity": r.integers(0, 100, rows),
            "state": pd.Categorical.from_codes(r.integers(0, 5, rows), ["NY", "CA", "TX", "WA", "FL"]),
            "customer": pd.Series(r.integers(0, 2_000_000, rows)).map("c{:07d}".format),
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(r.integers(0, 63_000_000, rows), unit="s"),
            "flag": r.random(rows) < 0.1,
            "price": np.round(r.gamma(2, 50, rows), 2),
            "note": pd.Series(r.choice(["fine", "late", "sent back"], rows)).where(r.random(rows) < 0.8),
        }
    )
    ws = Workspace(home / ".aios")
    artifact = ws.artifacts.put(frame)
    ws.close()
    return artifact.hash


def workbench(home: Path, hash_: str, name: str) -> Callable[[], object]:
    """Return a call that answers a question from the file."""
    from aios_workbench.workspace import Workspace

    ws = Workspace(home / ".aios")
    asked = QUESTIONS[name][1]

    def call() -> object:
        from aios_workbench.workspace.models import TableQuery
        from aios_workbench.workspace.tables import profile, table

        artifact = ws.artifacts.find(hash_)
        if asked is None:
            return len(profile(ws, artifact).columns)
        rows = (artifact.shape or (0,))[0]
        query = TableQuery.model_validate({**asked, "offset": int(asked.get("offset", 0) * rows)})
        return len(table(ws, artifact, query).rows)

    return call


def pandas(home: Path, hash_: str, name: str) -> Callable[[], object]:
    """Return a call that answers the same question with pandas, loading the file when it is first asked."""
    import pandas as pd

    path = home / ".aios" / "artifacts" / hash_[:2] / f"{hash_}.parquet"
    asked = QUESTIONS[name][1]
    loaded: list[pd.DataFrame] = []

    def call() -> object:
        if not loaded:
            loaded.append(pd.read_parquet(path))
        frame = loaded[0]
        if asked is None:
            described = frame.describe(include="all")
            return described, frame.nunique(), frame.isna().sum()
        for f in asked.get("filters", ()):
            column = frame[f["column"]]
            frame = frame[column == f["value"] if f["op"] == "=" else column > f["value"]]
        for s in asked.get("sort", ()):
            frame = frame.sort_values(s["column"], ascending=not s.get("descending"), na_position="last")
        start = int(asked.get("offset", 0) * len(frame))
        return frame.iloc[start : start + 50].to_dict("records")

    return call


def memory(what: str) -> float:
    """Return this process's resident size (VmRSS) or its highest (VmHWM) in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what + ":")) / 1024


def ask(who: str, name: str, home: Path, hash_: str) -> dict[str, float]:
    """Measure one question in this process."""
    import pandas as pd

    import aios_workbench

    assert pd.__version__
    assert aios_workbench.Workflow
    call = (workbench if who == "aios" else pandas)(home, hash_, name)
    Path("/proc/self/clear_refs").write_text("5")  # forget the highest size so far
    before, seconds = memory("VmRSS"), []
    for _ in range(1 + AGAIN):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return {
        "first_s": seconds[0],
        "again_s": statistics.median(seconds[1:]),
        "peak_mb": memory("VmHWM") - before,
        "kept_mb": memory("VmRSS") - before,
    }


def measure(who: str, name: str, home: Path, hash_: str) -> dict[str, float]:
    """Measure one question in a fresh process."""
    command = [sys.executable, __file__, "--ask", who, name, hash_, "--home", str(home)]
    found: dict[str, float] = reported(command, 600)
    return found


def stored(home: Path, rows: int) -> str:
    """Return the hash of the table, made in a process of its own when it is not there."""
    note = home / f"table-{rows}.txt"
    if not note.exists():
        subprocess.run([sys.executable, __file__, "--build", str(rows), "--home", str(home)], check=True)
    return note.read_text()


def report(home: Path, rows: int, rounds: int) -> None:
    """Ask everything, print and write what was found."""
    load = os.getloadavg()[0]
    hash_ = stored(home, rows)
    found: dict[str, dict[str, dict[str, float]]] = {}
    lines = []
    for name, (label, _) in QUESTIONS.items():
        found[name] = {}
        for who in ("aios", "pandas"):
            taken = [measure(who, name, home, hash_) for _ in range(rounds)]
            found[name][who] = {key: statistics.median(t[key] for t in taken) for key in taken[0]}
        ours, theirs = found[name]["aios"], found[name]["pandas"]
        lines.append(
            [
                label,
                *(f"{f[k]:.2f}" for f in (ours, theirs) for k in ("first_s", "again_s")),
                *(f"{f[k]:,.0f}" for f in (ours, theirs) for k in ("peak_mb", "kept_mb")),
                f"{theirs['first_s'] / ours['first_s']:.1f}",
            ]
        )
    head = [
        f"{rows:,} rows, 10 columns",
        "first s",
        "again s",
        "pandas first s",
        "again s",
        "peak MB",
        "kept MB",
        "pandas peak",
        "kept",
        "ratio",
    ]
    print(table(head, lines))
    keep("inspector", load, rows=rows, rounds=rounds, questions=found)


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=10_000_000)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--home", type=Path)
    p.add_argument("--ask", nargs=3, help=argparse.SUPPRESS)
    p.add_argument("--build", type=int, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.ask:
        print(TAG + json.dumps(ask(a.ask[0], a.ask[1], a.home, a.ask[2])))
    elif a.build:
        (a.home / f"table-{a.build}.txt").write_text(build(a.home, a.build))
    elif a.home:
        a.home.mkdir(parents=True, exist_ok=True)
        report(a.home, a.rows, a.rounds)
    else:
        with tempfile.TemporaryDirectory(prefix="aios-inspector-") as folder:
            report(Path(folder), a.rows, a.rounds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
