"""What every peer's script does: read how often, time a chain and a fan-out, print one line of JSON.

A peer is a folder-less script run by its own Python: `python peers/x.py --steps 200 --repeats 3 --home DIR`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TAG = "AIOS-BENCH "


@dataclass(frozen=True)
class Options:
    """How many steps, how many repeats, and the folder for whatever the peer writes."""

    steps: int
    repeats: int
    home: Path


def options() -> Options:
    """Read the command line."""
    p = argparse.ArgumentParser()
    p.add_argument("--steps", type=int, default=200)
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--home", type=Path, required=True)
    a = p.parse_args()
    a.home.mkdir(parents=True, exist_ok=True)
    return Options(a.steps, a.repeats, a.home)


def per_step(o: Options, call: Callable[[], object], check: object = None) -> list[float]:
    """Time `call` and return milliseconds per step of each repeat; its value must equal `check` when given."""
    found = []
    for _ in range(o.repeats):
        began = time.perf_counter()
        value = call()
        found.append((time.perf_counter() - began) * 1e3 / o.steps)
        if check is not None and value != check:
            sys.exit(f"a wrong result: {value!r} instead of {check!r}")
    return found


def report(**found: object) -> None:
    """Hand the measurements to the caller."""
    print(TAG + json.dumps(found), flush=True)
