"""Overhead per step of a chain and of a fan-out of 200 steps: the workbench, DBOS alone, its peers and the limits.

Then a fan-out of thousands of steps beside DBOS alone (time, memory), what a worker costs while it has nothing to do,
and how soon a run goes on when its kernel was killed.

    .venv/bin/python benchmarks/engine.py [--rounds 3] [--steps 200] [--only aios,dbos] [--wide 5000]

Every peer runs in a process of its own, peers that are not ours in a virtual environment of their own, made once
with uv under the user's cache folder from the pins in peers/*.txt. A round runs each peer once, so that a busy
minute of the machine falls on all of them; medians are taken over all rounds. What could not be run is reported
as "not measured", never as a number. Nothing phones home. Results go to benchmarks/results/ as JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import _engine_map
from _peers import PEERS, clean_env, environment, keep, reported, table

HERE = Path(__file__).resolve().parent
PEER_SECONDS = 600


@dataclass(frozen=True)
class Peer:
    """A script in peers/, the pins of its environment (none: ours), and repeats per round (slow ones: one)."""

    script: str
    pins: str = ""
    repeats: int = 3


PROCESSES = {
    "raw": Peer("raw.py"),
    "dbos": Peer("dbos_alone.py"),
    "aios": Peer("workbench.py"),
    "hamilton": Peer("hamilton_cache.py", "hamilton.txt"),
    "dagster": Peer("dagster_job.py", "dagster.txt", repeats=1),
    "prefect": Peer("prefect_flow.py", "prefect.txt", repeats=1),
}

#: row -> (process, key in its report, label)
ROWS = {
    "python": ("raw", "python", "plain Python calls"),
    "sqlite": ("raw", "sqlite", "SQLite commit, WAL/NORMAL"),
    "sqlite_full": ("raw", "sqlite_full", "SQLite commit, WAL/FULL"),
    "dbos": ("dbos", "", "DBOS alone, WAL/NORMAL"),
    "aios_wait": ("aios", "until_done", "AIOS Workbench, run and wait"),
    "aios": ("aios", "", "AIOS Workbench, run and result"),
    "hamilton": ("hamilton", "", "Hamilton with cache"),
    "dagster": ("dagster", "", "Dagster, SQLite"),
    "prefect": ("prefect", "", "Prefect, until recorded"),
}

LATENCIES = {
    "run_returns": "wf.run() returns",
    "first_state": "first step state visible",
    "one_step_run": "one-step run, submit to done",
    "first_run_of_process": "first run of a process",
}


def python_for(name: str, peer: Peer) -> str:
    """Return the Python of a peer. Raise RuntimeError if its environment cannot be made."""
    return environment(name, PEERS / peer.pins) if peer.pins else sys.executable


def measure(name: str, peer: Peer, steps: int, home: Path) -> dict[str, object]:
    """Run a peer's script once and return its report. Raise RuntimeError saying why there is none."""
    command = [python_for(name, peer), str(PEERS / peer.script), "--steps", str(steps)]
    command += ["--repeats", str(peer.repeats), "--home", str(home)]
    report: dict[str, object] = reported(command, PEER_SECONDS, cwd=home.parent, AIOS_HOME=str(home / "aios"))
    return report


def import_times(times: int = 9) -> dict[str, list[float]]:
    """Return milliseconds of `import aios_workbench`, alone and with Workflow used, in fresh processes."""
    statements = {
        "import": "import aios_workbench",
        "import_and_workflow": "import aios_workbench as a; a.Workflow('x')",
    }
    found: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(times):
        for name, statement in statements.items():
            code = (
                f"import time; t = time.perf_counter(); {statement}; print((time.perf_counter() - t) * 1e3)"
            )
            done = subprocess.run(
                [sys.executable, "-c", code],
                env=clean_env(),
                capture_output=True,
                text=True,
                check=False,
                cwd=HERE.parent,
            )
            if done.returncode == 0:
                found[name].append(float(done.stdout))
    return {
        name: values[1:] for name, values in found.items() if len(values) > 1
    }  # the first wrote the bytecode


def collect(
    names: list[str], rounds: int, steps: int
) -> tuple[dict[str, list[dict[str, object]]], dict[str, str]]:
    """Run every peer once per round; return the reports, and why a peer has none."""
    reports: dict[str, list[dict[str, object]]] = {name: [] for name in names}
    absent: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="aios-bench-", ignore_cleanup_errors=True) as folder:
        for n in range(rounds):
            for name in names:
                if name in absent:
                    continue
                began = time.monotonic()
                try:
                    reports[name].append(measure(name, PROCESSES[name], steps, Path(folder) / f"{name}-{n}"))
                except (RuntimeError, OSError) as e:
                    absent[name] = str(e)
                    reports[name] = []
                took = time.monotonic() - began
                print(f"round {n + 1} of {rounds}: {name}, {took:.0f} s", file=sys.stderr, flush=True)
    return reports, absent


def pooled(reports: list[dict[str, object]], *keys: str) -> list[float]:
    """Join one list of measurements over all reports; empty when it was not measured."""
    values: list[float] = []
    for report in reports:
        found: object = report
        for key in filter(None, keys):
            found = found.get(key, []) if isinstance(found, dict) else []
        values += found if isinstance(found, list) else []
    return values


def median(values: list[float]) -> float | None:
    """Return the median, or None of nothing."""
    return statistics.median(values) if values else None


def number(value: float | None, digits: int = 3) -> str:
    """Format a measurement to about three significant digits."""
    if value is None:
        return "not measured"
    return f"{value:.{max(0, digits - len(str(int(value))))}f}" if value >= 1 else f"{value:.{digits}f}"


def ratio(value: float | None, base: float | None) -> str:
    """Format how many times `base` a value is."""
    return "-" if value is None or not base else f"{number(value / base)} x"


def wide(steps: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Measure one wide fan-out per engine and round, side by side; each in a process of its own."""
    found: dict[str, list[dict[str, float]]] = {"dbos": [], "aios": []}
    for _ in range(rounds):
        for engine, reports in found.items():
            with tempfile.TemporaryDirectory(prefix="aios-bench-", ignore_cleanup_errors=True) as folder:
                command = [sys.executable, str(PEERS / "wide.py"), "--steps", str(steps), "--home", folder]
                home = str(Path(folder) / "aios")
                with contextlib.suppress(RuntimeError):
                    reports.append(
                        reported(command, PEER_SECONDS, cwd=Path(folder), WIDE_ENGINE=engine, AIOS_HOME=home)
                    )
    return found


def show_wide(steps: int, found: dict[str, list[dict[str, float]]]) -> None:
    """Print the wide fan-out with its ratios to DBOS alone."""
    columns = ("seconds", "ms", "peak_mb", "grown_mb")
    middle = {e: {c: median([r[c] for r in reports]) for c in columns} for e, reports in found.items()}
    rows = [
        [label, *(number(middle[e][c]) for c in columns), ratio(middle[e]["ms"], middle["dbos"]["ms"])]
        for e, label in (("dbos", "DBOS alone"), ("aios", "AIOS Workbench"))
    ]
    print("\n" + table([f"fan-out of {steps:,}", "s", "ms/step", "peak MB", "grown MB", "/ dbos"], rows))


def life(rounds: int) -> dict[str, Any]:
    """Measure an idle worker, and how soon it goes on with a killed kernel's run."""
    with tempfile.TemporaryDirectory(prefix="aios-bench-", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, str(PEERS / "life.py"), "--repeats", str(3 * rounds), "--home", folder]
        found: dict[str, Any] = reported(command, PEER_SECONDS, cwd=Path(folder), AIOS_HOME=f"{folder}/aios")
    recovery = found["recovery_s"]
    rows = [
        ["idle worker, % of one processor", number(found["idle_percent"]), "< 1"],
        ["idle worker, MB", number(found["idle_mb"]), "< 250"],
        ["killed kernel's run goes on after, s (median)", number(median(recovery)), "< 2"],
        ["the same, longest", number(max(recovery)), ""],
    ]
    print("\n" + table(["the life of a worker", "", "bar"], rows))
    return found


def main() -> int:
    """Measure, print, write."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--steps", type=int, default=200)
    p.add_argument("--wide", type=int, default=5000, help="steps of the wide fan-out; 0: leave it out")
    p.add_argument("--only", default="", help=f"some of {','.join(PROCESSES)}")
    p.add_argument("--items", type=int, default=1_000_000, help="of the section map")
    p.add_argument("--section", choices=("all", "steps", "map"), default="all")
    a = p.parse_args()
    if a.section != "steps":
        load = os.getloadavg()[0]
        figures_of_map = _engine_map.show(*_engine_map.measure(a.rounds, a.items), a.items)
        keep("engine-map", load, rounds=a.rounds, **figures_of_map)
        if a.section == "map":
            return 1 if "aios" in figures_of_map["not_measured"] else 0
    names = [n for n in PROCESSES if not a.only or n in a.only.split(",")]
    load = os.getloadavg()[0]
    reports, absent = collect(names, a.rounds, a.steps)

    figures = {}
    for row, (process, key, label) in ROWS.items():
        chain, fan = (pooled(reports.get(process, []), key, what) for what in ("chain", "fan_out"))
        first = reports[process][0] if reports.get(process) else {}
        version = str(first.get(f"{key}_version" if key else "version", ""))
        figures[row] = {"label": label, "version": version, "chain_ms": chain, "fan_out_ms": fan}
    medians = {row: (median(f["chain_ms"]), median(f["fan_out_ms"])) for row, f in figures.items()}
    base, ours = medians["dbos"], medians["aios"]
    lines = [
        [
            " ".join(filter(None, (str(figures[row]["label"]), str(figures[row]["version"])))),
            *(number(m) for m in medians[row]),
            *(ratio(m, b) for m, b in zip(medians[row], base, strict=True)),
            *(ratio(m, b) for m, b in zip(medians[row], ours, strict=True)),
        ]
        for row in ROWS
        if ROWS[row][0] in names
    ]
    head = [
        f"overhead per step, {a.steps} steps",
        "chain ms",
        "fan-out ms",
        "/ dbos",
        "/ dbos",
        "/ aios",
        "/ aios",
    ]
    print(table(head, lines))

    latency = {key: pooled(reports.get("aios", []), key) for key in LATENCIES}
    imports = import_times() if "aios" in names else {}
    rows = [[label, number(median(latency[key]))] for key, label in LATENCIES.items()]
    rows.append(["import aios_workbench", number(median(imports.get("import", [])))])
    rows.append(["the same, and a Workflow", number(median(imports.get("import_and_workflow", [])))])
    if "aios" in names:
        print("\n" + table(["AIOS Workbench", "ms"], rows))
    for name, why in absent.items():
        print(f"\nnot measured: {name}: {why}")
    wider = wide(a.wide, a.rounds) if a.wide and {"aios", "dbos"} <= set(names) else {}
    if wider:
        show_wide(a.wide, wider)
    lived = life(a.rounds) if "aios" in names else {}
    keep(
        "engine", load, steps=a.steps, rounds=a.rounds, rows=figures, latency_ms=latency, import_ms=imports,
        wide=wider, life=lived, not_measured=absent,
    )  # fmt: skip
    return 1 if "aios" in absent or "dbos" in absent else 0


if __name__ == "__main__":
    raise SystemExit(main())
