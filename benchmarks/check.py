"""What the check of a notebook finds, and at what price: ours beside ruff, nbval and pynblint on one labelled corpus.

    .venv/bin/python benchmarks/check.py [--only workbench,ruff,pynblint,nbval] [--cells 60]

The corpus is that of the tests (tests/promote/corpus): notebooks with known defects, each with a twin without. A tool
is said to find a defect when it reports anything that means it anywhere in the notebook; a report of that kind on the
twin is a false alarm. What a tool was never meant to find counts against nobody: "knows" says how many kinds of the
labelled defects it has a rule for, and recall is given over all defects and over those it knows. "unseen" are notebooks
written after our rules, to which none was fitted. Results go to benchmarks/results/ as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _peers import PEERS, clean_env, environment, keep, table

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "promote")]

#: a peer's report -> our rules that mean the same
RUFF = {
    "invalid-syntax": {"AIOS003"}, "F821": {"AIOS101", "AIOS102", "AIOS104", "AIOS113"}, "F401": {"AIOS111"},
    "F841": {"AIOS111"}, "F811": {"AIOS105"}, "A001": {"AIOS105"}, "F403": {"AIOS110"}, "F405": {"AIOS110"},
    "NPY002": {"AIOS121"}, "DTZ005": {"AIOS122"}, "DTZ011": {"AIOS122"}, "T100": {"AIOS210"}, "S105": {"AIOS301"},
    "S106": {"AIOS301"}, "S307": {"AIOS311"}, "S102": {"AIOS311"}, "S301": {"AIOS312"}, "S602": {"AIOS313"},
    "S605": {"AIOS313"}, "S506": {"AIOS314"}, "S501": {"AIOS315"}, "S608": {"AIOS316"}, "S108": {"AIOS203"},
    "PLR1722": {"AIOS216"}, "B018": set(), "PTH208": {"AIOS125"}, "PTH207": {"AIOS125"},
}  # fmt: skip
PYNBLINT = {
    "non-linear-execution": {"AIOS103", "AIOS104"}, "invalid-python-syntax": {"AIOS003"},
    "non-executed-cells": {"AIOS114"}, "empty-cells": {"AIOS004"},
}  # fmt: skip
#: what a run shows, under whatever name
NBVAL = {
    "failed": {
        "AIOS003",
        "AIOS101",
        "AIOS102",
        "AIOS104",
        "AIOS108",
        "AIOS109",
        "AIOS113",
        "AIOS141",
        "AIOS142",
        "AIOS143",
        "AIOS144",
        "AIOS201",
        "AIOS206",
        "AIOS209",
        "AIOS210",
        "AIOS216",
        "AIOS401",
    }
}

Reports = dict[Path, set[str]]


@dataclass
class Score:
    """How a tool did on a corpus."""

    defects: int = 0
    known: int = 0
    found: int = 0
    alarms: int = 0
    seconds: float = 0.0
    missed: list[str] = field(default_factory=list)


def ours(books: list[Path], specs: dict[Path, Any], runs: set[Path]) -> Reports:
    from aios_workbench.promote.checks import inspect

    return {b: {f.rule for f in inspect(b, specs[b], run=b in runs).findings} for b in books}


def ruff(books: list[Path], *_: Any) -> Reports:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--select",
        ",".join(c for c in RUFF if c != "invalid-syntax"),
        "--output-format",
        "json",
        *map(str, books),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return _meant(
        ((Path(e["filename"]), e["code"] or "invalid-syntax") for e in json.loads(done.stdout)), RUFF
    )


def pynblint(books: list[Path], *_: Any) -> Reports:
    python = Path(environment("check-pynblint", PEERS / "check_pynblint.txt"))
    said = []
    for book in books:
        out = book.with_suffix(".pynblint.json")
        command = [str(python.with_name("pynblint")), str(book), "-q", "-y", "-o", str(out)]
        subprocess.run(command, capture_output=True, check=False, timeout=60, env=clean_env())
        if out.exists():
            said += [(book, lint["slug"]) for lint in json.loads(out.read_text())["lints"]]
    return _meant(said, PYNBLINT)


def nbval(books: list[Path], *_: Any) -> Reports:
    """Strictly where outputs were saved, else only whether every cell runs: there is nothing to compare."""
    said = []
    for book in books:
        report = book.with_suffix(".xml")
        saved = any(cell.get("outputs") for cell in json.loads(book.read_text(encoding="utf-8"))["cells"])
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            "--rootdir",
            str(book.parent),
            "--nbval" if saved else "--nbval-lax",
            "--nbval-current-env",
            "--nbval-cell-timeout=20",
            f"--junitxml={report}",
            str(book),
        ]
        subprocess.run(
            command,
            capture_output=True,
            check=False,
            cwd=book.parent,
            env=clean_env(PYTHONPATH=str(ROOT), AIOS_HOME=str(book.parent / ".aios")),
        )
        suite = ET.parse(report).getroot()[0] if report.exists() else None  # - pytest wrote it
        if suite is None or int(suite.get("failures", 0)) + int(suite.get("errors", 0)):
            said.append((book, "failed"))
    return _meant(said, NBVAL)


def _meant(said: Iterable[tuple[Path, str]], means: dict[str, set[str]]) -> Reports:
    found: Reports = {}
    for book, word in said:
        found.setdefault(book, set()).update(means.get(word, set()))
    return found


TOOLS: dict[str, tuple[str, Callable[..., Reports], dict[str, set[str]] | None]] = {
    "workbench": ("AIOS Workbench", ours, None),
    "ruff": ("ruff", ruff, RUFF),
    "pynblint": ("pynblint", pynblint, PYNBLINT),
    "nbval": ("nbval (runs it)", nbval, NBVAL),
}


def scored(tool: str, cases: Any, folder: Path) -> dict[str, Score]:
    """Return a tool's scores by family and over all."""
    from corpus.kit import spec_of, write

    from aios_workbench.promote.spec import JobSpec

    _, call, means = TOOLS[tool]
    places: dict[Path, tuple[Any, bool]] = {}
    specs, runs = {}, set()
    for case in cases:
        for clean in (False, True):
            at = folder / tool / case.name / ("clean" if clean else "bad") / "nb"
            at.mkdir(parents=True)
            book = write(case, at, clean=clean)
            options = spec_of(case, clean=clean)
            places[book] = case, clean
            specs[book] = JobSpec(name="n", notebook=str(book), **options) if options is not None else None
            if case.run:
                runs.add(book)
    started = time.monotonic()
    reports = call(list(places), specs, runs)
    seconds = time.monotonic() - started
    known = set().union(*means.values()) if means is not None else None
    scores: dict[str, Score] = {}
    for book, (case, clean) in places.items():
        labels = {rule for rule, _ in case.labels}
        for name in (case.family, "all"):
            score = scores.setdefault(name, Score())
            score.seconds = seconds
            found = reports.get(book, set())
            if clean:
                score.alarms += len(found if means is None else found & labels)
                continue
            score.defects += len(labels)
            score.known += len(labels if known is None else labels & known)
            score.found += len(found & labels)
            score.missed += [f"{case.name}: {rule}" for rule in sorted(labels - found)]
    return scores


def lines(scores: dict[str, dict[str, Score]], family: str) -> list[list[str]]:
    out = []
    for tool, by_family in scores.items():
        s = by_family[family]
        told = s.found + s.alarms
        out.append([
            TOOLS[tool][0], str(s.defects), str(s.known), str(s.found), f"{s.found / max(1, s.defects):.2f}",
            f"{s.found / s.known:.2f}" if s.known else "-", str(s.alarms), f"{s.found / told:.2f}" if told else "-",
        ])  # fmt: skip
    return out


def speed(cells: int) -> list[list[str]]:
    """Return how long one static check takes: first, with what it imports, and again."""
    code = (
        "import sys, time; t = time.perf_counter(); from pathlib import Path\n"
        "from aios_workbench.promote.checks import inspect\n"
        "inspect(Path(sys.argv[1])); first = time.perf_counter() - t; c = time.process_time()\n"
        "t = time.perf_counter(); inspect(Path(sys.argv[1]))\n"
        "print(first, time.perf_counter() - t, time.process_time() - c)"
    )
    import nbformat

    source = (
        "import pandas as pd\nimport numpy as np\n\n"
        "def step_{i}(frame, limit=3):\n    out = frame[frame['a'] > limit].copy()\n"
        "    for k, v in enumerate(out['a']):\n        out.loc[k, 'b'] = np.sqrt(v) + {i}\n    return out\n\n"
        "%matplotlib inline\nframe_{i} = step_{i}(pd.DataFrame({{'a': range({i}, {i} + 9)}}))\n"
        "print(frame_{i}.describe())\n"
    )
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source.format(i=i)) for i in range(cells)]
    )
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "n.ipynb"
        nbformat.write(book, path)
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)],
            capture_output=True,
            text=True,
            check=True,
            env=clean_env(PYTHONPATH=str(ROOT)),
        )
    first, again, cpu = map(float, done.stdout.split())
    return [
        [f"{cells} cells, with every import", "-", f"{first:.2f} s"],
        [f"{cells} cells, again", "<= 1 s", f"{again:.2f} s ({cpu:.2f} s of CPU)"],
    ]


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default=",".join(TOOLS), help="some of %(default)s")
    p.add_argument("--cells", type=int, default=60)
    a = p.parse_args()
    from corpus import CASES, UNSEEN

    load, told, absent = os.getloadavg()[0], {}, {}  # type: float, dict[str, Any], dict[str, str]
    with tempfile.TemporaryDirectory(prefix="aios-bench-", ignore_cleanup_errors=True) as made:
        for name, cases in (("corpus", CASES), ("unseen", UNSEEN)):
            told[name] = {}
            for tool in a.only.split(","):
                print(f"{name}: {tool} ...", file=sys.stderr, flush=True)
                try:
                    told[name][tool] = scored(tool, cases, Path(made).resolve() / name)
                except (RuntimeError, OSError, subprocess.SubprocessError) as e:
                    absent[tool] = str(e)
    head = ["tool", "defects", "knows", "found", "of all", "of known", "false alarms", "precision"]
    for name, scores in told.items():
        for family in next(iter(scores.values()), {}):
            if name == "corpus" or family == "all":
                print(f"\n{name}: {family}\n" + table(head, lines(scores, family)))
    for tool, why in absent.items():
        print(f"{TOOLS[tool][0]}: not measured, {why}")
    print("\n" + table(["speed of ours, nothing run", "bar", "measured"], speed(a.cells)))
    keep(
        "check",
        load,
        scores={
            n: {t: {f: vars(s) for f, s in by.items()} for t, by in each.items()} for n, each in told.items()
        },
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
