"""A workflow over time: how often it succeeds, how long it takes, which steps are slow or flaky.

The figures are over the newest `WINDOW` runs at most, fewer for workflows of very many steps, so that an answer
takes a moment however long the history is; `total` counts all runs. SQL sums up, nothing is loaded twice.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence

from aios_workbench.errors import NotFoundError, hint
from aios_workbench.observe.models import History, HistoryRun, StepHistory
from aios_workbench.observe.overview import error_text
from aios_workbench.observe.stored import OVER, Row
from aios_workbench.workspace import Workspace, dumps
from aios_workbench.workspace.locks import alive

WINDOW = 1000
_STEP_ROWS = 12_000
_TREND_RUNS = 200
_SHOWN = 200


def history(ws: Workspace, workflow: str, limit: int = 50, before: float | None = None) -> History:
    """Return a workflow's runs, newest first, and what they say about it.

    Parameters
    ----------
    limit : int
        How many runs to list.
    before : float, optional
        List only runs created before this time (epoch seconds): for paging. The figures are over the same runs.

    Returns
    -------
    History
        `success_rate` is over runs that are over, cancelled ones left out. `p50` and `p95` are seconds of runs that
        succeeded. `trend` is how many seconds a run takes longer than the one before it: the Theil-Sen slope over
        the newest 200 succeeded runs, which a few odd runs cannot move. In `steps`, figures are over executions:
        a cached step is none. `share` is the step's part of all steps' seconds; `flaky_rate` the share of
        executions that needed a retry, or failed where a later run succeeded with the same code and inputs.

    Raises
    ------
    NotFoundError
        When no run of that name is stored.
    """
    ws.catalog.flush()
    total = _count(ws, workflow)
    if not total:
        names = [r["workflow"] for r in ws.catalog.query("select distinct workflow from runs limit 1000")]
        raise NotFoundError(
            f"no run of a workflow '{workflow}' in {ws.root}{hint(workflow, names)}; `aios runs` lists all runs"
        )
    page = ws.catalog.query(
        "select * from runs where workflow = :w and (:before is null or created_at < :before) "
        "order by created_at desc, run_id desc limit :n", w=workflow, before=before, n=limit + 1,
    )  # fmt: skip
    shown = page[:limit]
    window = _window(ws, workflow, before)
    took = [r[1] for r in window if r[2] == "succeeded" and r[1] is not None]
    ended = [r[2] for r in window if r[2] in ("succeeded", "failed")]
    ids = [r["run_id"] for r in shown]
    return History(
        workflow=workflow, runs=_runs(ws, shown), total=total, more=len(page) > limit,
        success_rate=ended.count("succeeded") / len(ended) if ended else None,
        p50=quantile(took, 0.5), p95=quantile(took, 0.95), trend=trend(took[:_TREND_RUNS][::-1]),
        steps=_steps(ws, [r[0] for r in window], ids), code=_code(workflow, limit, before),
    )  # fmt: skip


def _code(workflow: str, limit: int, before: float | None) -> str:
    given = "" if limit == 50 else f", limit={limit}"
    return f"aios.history({workflow!r}{given}{'' if before is None else f', before={before!r}'})"


def quantile(values: Sequence[float], at: float) -> float | None:
    """Return a quantile, linear between the two nearest values; None of nothing.

    Examples
    --------
    >>> quantile([1.0, 2.0, 4.0], 0.5), quantile([1.0, 2.0], 0.95), quantile([], 0.5)
    (2.0, 1.95, None)
    """
    if not values:
        return None
    ranked = sorted(values)
    place = at * (len(ranked) - 1)
    low = int(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


def trend(values: Sequence[float]) -> float | None:
    """Return the Theil-Sen slope: the median of the slopes of all pairs; None for fewer than five values.

    P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968).

    Examples
    --------
    >>> trend([1.0, 2.0, 3.0, 400.0, 5.0, 6.0]), trend([1.0])
    (1.0, None)
    """
    if len(values) < 5:
        return None
    slopes = [
        (values[j] - values[i]) / (j - i) for i in range(len(values)) for j in range(i + 1, len(values))
    ]
    return float(statistics.median(slopes))


def _count(ws: Workspace, workflow: str) -> int:
    row = ws.catalog.one("select count(*) as n from runs where workflow = :w", w=workflow)
    return int(row["n"]) if row else 0


def _window(ws: Workspace, workflow: str, before: float | None) -> list[tuple[str, float | None, str]]:
    """Return id, seconds and status of the newest runs, newest first, bounded by how many steps they have."""
    rows = ws.catalog.query(
        "select run_id, status, ended_at - started_at as took from runs where workflow = :w "
        "and (:before is null or created_at < :before) order by created_at desc, run_id desc limit :n",
        w=workflow, before=before, n=WINDOW,
    )  # fmt: skip
    if not rows:
        return []
    one = ws.catalog.one("select count(*) as n from steps where run_id = :r", r=rows[0]["run_id"])
    keep = max(20, _STEP_ROWS // max(1, one["n"] if one else 1))
    return [
        (r["run_id"], None if r["took"] is None else max(0.0, r["took"]), r["status"]) for r in rows[:keep]
    ]


def _runs(ws: Workspace, rows: Sequence[Row]) -> list[HistoryRun]:
    ids = dumps([r["run_id"] for r in rows])
    counts = {r["run_id"]: r for r in ws.catalog.query(
        "select run_id, count(*) as total, count(case when status = 'succeeded' then 1 end) as done, "
        "sum(cached) as cached from steps "
        "where run_id in (select value from json_each(:ids)) group by run_id", ids=ids,
    )}  # fmt: skip
    retries: dict[str, int] = {}
    for key, n in _retries(ws, ids).items():
        retries[key[0]] = retries.get(key[0], 0) + n
    jobs = {r["job_run_id"]: r["name"] for r in ws.catalog.query(
        "select r.job_run_id, j.name from job_runs r join jobs j using (job_id) "
        "where r.job_run_id in (select value from json_each(:ids))",
        ids=dumps([r["job_run_id"] for r in rows if r["job_run_id"]]),
    )}  # fmt: skip
    living: dict[str | None, bool] = {}
    return [_run(ws, row, counts.get(row["run_id"], {}), retries, jobs, living) for row in rows]


def _run(
    ws: Workspace,
    row: Row,
    counts: Row,
    retries: dict[str, int],
    jobs: dict[str, str],
    living: dict[str | None, bool],
) -> HistoryRun:
    status, owner = row["status"], row["owner"]
    if status == "running":
        if owner not in living:
            living[owner] = alive(ws, owner)
        status = status if living[owner] else "interrupted"
    error = json.loads(row["error"]) if row["error"] else None
    duration = None
    if status in OVER and row["started_at"] is not None and row["ended_at"] is not None:
        duration = max(0.0, row["ended_at"] - row["started_at"])
    return HistoryRun(
        run_id=row["run_id"], status=status, created_at=row["created_at"], duration=duration, user=row["user"],
        source=row["source"], job=jobs.get(row["job_run_id"] or ""), steps_done=counts.get("done") or 0,
        steps_total=counts.get("total") or 0, cached=counts.get("cached") or 0, retries=retries.get(row["run_id"], 0),
        error=None if error is None else (error_text(row["error"]) or "")[:_SHOWN],
        failed_step=(error or {}).get("step") or None, params=_params(row["params"]),
        parent_run_id=row["parent_run_id"],
    )  # fmt: skip


def _params(stored: str) -> str:
    shown = ", ".join(f"{k}={v}" for k, v in json.loads(stored or "{}").items())
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"


def _retries(ws: Workspace, ids: str) -> dict[tuple[str, str], int]:
    """Count, per run and step, failed attempts after which the same step was tried again."""
    rows = ws.catalog.query(
        "select s.run_id, s.step, count(*) as n from steps s join attempts a on a.run_id = s.run_id and "
        "a.step = s.step and a.status in ('failed', 'timeout') and a.attempt < s.attempts "
        "where s.run_id in (select value from json_each(:ids)) and s.attempts > 1 group by s.run_id, s.step", ids=ids,
    )  # fmt: skip
    return {(r["run_id"], r["step"]): r["n"] for r in rows}


def _steps(ws: Workspace, window: Sequence[str], shown: Sequence[str]) -> list[StepHistory]:
    """Sum the steps up, in the order of the newest run; steps that are no more follow."""
    ids = dumps(list(window))
    rows = ws.catalog.query(
        "select run_id, step, kind, status, cached, code_hash, inputs, ended_at - started_at as took from steps "
        "where run_id in (select value from json_each(:ids))", ids=ids,
    )  # fmt: skip
    retries = _retries(ws, ids)
    place = {r: i for i, r in enumerate(window)}
    on_page = {r: i for i, r in enumerate(shown)}
    rows.sort(key=lambda r: place[r["run_id"]])  # newest run first, so that the steps of now come first
    found: dict[str, _Sums] = {}
    for row in rows:
        sums = found.get(row["step"])
        if sums is None:
            sums = found[row["step"]] = _Sums(row["step"], len(shown))
        sums.add(row, retries.get((row["run_id"], row["step"]), 0), on_page.get(row["run_id"]))
    everything = sum(s.seconds for s in found.values())
    return [s.told(everything) for s in found.values()]


class _Sums:
    """One step over the runs, newest first."""

    def __init__(self, step: str, shown: int) -> None:
        self.step = step
        self.durations: list[float | None] = [None] * shown
        self.took: list[float] = []
        self.seconds = 0.0
        self.runs = self.cached = self.succeeded = self.failed = self.retries = self.flaky = 0
        self.good: set[tuple[str, str]] = set()  # code and inputs a later run succeeded with

    def add(self, row: Row, retries: int, at: int | None) -> None:
        status = row["status"]
        if row["cached"]:
            self.cached += 1
            return
        if status not in ("succeeded", "failed"):
            return
        took = None if row["took"] is None else max(0.0, row["took"])
        self.runs += 1
        self.retries += retries
        same = (row["code_hash"], row["inputs"])
        if status == "succeeded":
            self.succeeded += 1
            if took is not None and row["kind"] != "gate":
                self.took.append(took)
            self.good.add(same)
        else:
            self.failed += 1
        if retries or (status == "failed" and same in self.good):
            self.flaky += 1
        if took is not None:
            self.seconds += took if row["kind"] != "gate" else 0.0
            if at is not None:
                self.durations[at] = took

    def told(self, everything: float) -> StepHistory:
        seen = self.runs + self.cached
        return StepHistory(
            step=self.step, runs=self.runs, success_rate=self.succeeded / self.runs if self.runs else None,
            cache_rate=self.cached / seen if seen else None, p50=quantile(self.took, 0.5),
            p95=quantile(self.took, 0.95), share=self.seconds / everything if everything > 0 else None,
            retries=self.retries, failures=self.failed, flaky_rate=self.flaky / self.runs if self.runs else None,
            durations=self.durations,
        )  # fmt: skip
