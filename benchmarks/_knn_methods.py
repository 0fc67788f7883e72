"""What each method would take: run in processes of their own, asked for one or several recall targets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _peers import PEERS, environment, reported

HERE = Path(__file__).resolve().parent
PATIENCE = 7200
OURS = "AIOS Workbench"
LEAST = 5.0  # CPU seconds for Optuna where our tuner takes less, or was not asked

Found = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A data set's folder, the recall targets, which grid and where it is kept, and our tuner's budget."""

    at: Path
    targets: list[float]
    grid: str
    kept: Path
    budget: float

    @property
    def listed(self) -> str:
        """The targets as an argument."""
        return ",".join(map(str, self.targets))


def call(script: str, *arguments: object, pins: str = "") -> Found:
    """Run a method's script and return its report. Raise RuntimeError saying why there is none."""
    python = environment(script.replace("_", "-"), PEERS / pins) if pins else sys.executable
    command = [python, str(PEERS / f"{script}.py"), *map(str, arguments)]
    found: Found = reported(
        command, PATIENCE, OMP_WAIT_POLICY="PASSIVE", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1",
        PYTHONPATH=str(HERE.parent),
    )  # fmt: skip
    return found


def tuner(task: Task, _: list[Found]) -> list[Found]:
    """Ours: for each target a tuning stopped at its first verified answer, and one that had all its time."""
    return [tuned(task, target, 0, whole=whole) for whole in (False, True) for target in task.targets]


def tuned(task: Task, target: float, seed: int, *, whole: bool = False) -> Found:
    """Return what one tuning of ours chose."""
    said = call("knn_workbench", task.at, target, task.budget, seed, *(["whole"] if whole else []))
    if said["error"] or not said["params"]:
        raise RuntimeError(f"{said['status']}: {said['error'] or 'no index was chosen'}")
    times = {key: said[key] for key in ("cpu_s", "wall_s")}
    method = f"{OURS}, {task.budget:g} s" if whole else OURS
    return {"method": method, "target": target, "params": said["params"], "said": said, **times}


def autotune(task: Task, _: list[Found]) -> list[Found]:
    """Faiss's own: one search serves all targets."""
    return _shared("faiss AutoTune, 6 keys", call("knn_autotune", task.at, task.listed))


def autofaiss(task: Task, _: list[Found]) -> list[Found]:
    """autofaiss, bisected and by default."""
    said = call("knn_autofaiss", task.at, task.listed, pins="knn_autofaiss.txt")
    default = {
        "method": "autofaiss, default",
        "choice": said["choices"].pop("default"),
        **said["spent"]["default"],
    }
    return [*_shared("autofaiss, bisected", said), *({"target": t, **default} for t in task.targets)]


def optuna(task: Task, found: list[Found]) -> list[Found]:
    """Optuna, with the CPU time our slowest tuning took."""
    given = max([f["cpu_s"] for f in found if f["method"] == OURS] + [LEAST])
    return _shared(
        "Optuna, equal time", call("knn_optuna", task.at, task.listed, given, pins="knn_optuna.txt")
    )


def grid(task: Task, _: list[Found]) -> list[Found]:
    """The fastest of the grid's points; its time is that of all."""
    import _knn_grid

    points, seconds = _knn_grid.run(task.at, task.kept, task.grid)
    best = [(t, _knn_grid.best(points, t)) for t in task.targets]
    label = f"grid ({len(points)} points)"
    return [{"method": label, "target": t, "choice": b["choice"], "cpu_s": seconds} for t, b in best if b]


METHODS: dict[str, Callable[[Task, list[Found]], list[Found]]] = {
    "tuner": tuner,
    "autotune": autotune,
    "autofaiss": autofaiss,
    "optuna": optuna,
    "grid": grid,
}


def answers(task: Task, methods: list[str]) -> tuple[list[Found], dict[str, str]]:
    """Return every method's answers, and why a method has none."""
    found: list[Found] = [
        {"method": "exact (faiss Flat)", "target": t, "choice": {"key": "Flat"}} for t in task.targets
    ]
    absent: dict[str, str] = {}
    for name in methods:
        print(f"{task.at.name}: {name} ...", file=sys.stderr, flush=True)
        try:
            found += METHODS[name](task, found)
        except (RuntimeError, OSError) as e:
            absent[name] = str(e)
    return found, absent


def _shared(label: str, said: Found) -> list[Found]:
    both = {key: said[key] for key in ("cpu_s", "wall_s") if key in said}
    spent = said.get("spent", {})
    return [
        {"method": label, "target": float(t), "choice": choice, **spent.get(t, both)}
        for t, choice in said["choices"].items()
    ]
