"""What the demo does, in order, and what it checks on the way."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.demo.source import NOTEBOOK, held, notebook_workflow
from aios_workbench.errors import AiosError

if TYPE_CHECKING:
    from collections.abc import Callable

MARKER = ".aios-demo"
HELD = "triage"  # the step in which the first worker dies
POLICY = {
    "review": {"decision": "approve", "values": {"decision": "by score", "comment": "the demo's policy"}}
}
SCHEDULE, ZONE = "0 6 * * *", "Europe/Berlin"
PATIENCE = 60.0
# Should this process be killed itself, its workers end by and by.
_WORKER = (sys.executable, "-m", "aios_workbench.cli", "worker", "--exit-when-idle", "60")


class DemoError(AiosError):
    """The demo could not go on."""


def prepare(out: Path, *, keep: bool) -> Path:
    """Return the demo's folder, emptied unless `keep`; a folder that is not a demo's is never touched."""
    if not NOTEBOOK.exists():
        raise DemoError(f"the demo needs {NOTEBOOK}: run it in a checkout of the repository")
    out = out.expanduser().resolve()
    if out.exists() and not (out / MARKER).exists() and (not out.is_dir() or any(out.iterdir())):
        raise DemoError(f"{out} exists and is not an earlier demo's; choose another folder with --out")
    if out.exists() and not keep:
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).touch()
    (out / ".gitignore").write_text("*\n", encoding="utf-8")
    for name in ("AIOS_DATABASE_URL", "AIOS_ARTIFACTS", "AIOS_JOB_RUN", "AIOS_PARAMETERS", "AIOS_GATES"):
        os.environ.pop(name, None)
    os.environ["AIOS_HOME"] = str(out / ".aios")
    return out


@dataclass
class Demo:
    """One pass through everything; `facts` is what it found, `problems` what did not hold."""

    out: Path
    path: Path | None
    say: Callable[[str], None]
    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def go(self) -> None:
        """Do it all; raises DemoError where it cannot go on."""
        from aios_workbench.workspace import workspace

        started = time.monotonic()
        try:
            self.ws = workspace()
            run_id = self._run_and_kill()
            self._resume(run_id)
            self._promote()
            self._conclude(run_id)
        finally:
            self._stop_workers()
            self.facts["seconds"] = round(time.monotonic() - started, 1)
            self.facts["problems"] = self.problems

    # -- a run, its worker killed in the middle

    def _run_and_kill(self) -> str:
        from aios_workbench.engine import journal, submit
        from aios_workbench.govern import actor

        shutil.copyfile(NOTEBOOK, self.out / NOTEBOOK.name)
        workflow = notebook_workflow(self.out / NOTEBOOK.name)
        definition = workflow.definition(HELD)
        workflow.step(**definition.options)(held(definition.fn))
        values = workflow.validate({"path": str(self.path)} if self.path else {})
        self.say(f"workflow {workflow.name}: {len(workflow.steps)} steps, from {NOTEBOOK.name}")
        hold = self.out / "hold"
        hold.mkdir(exist_ok=True)
        (hold / "reached").unlink(missing_ok=True)
        first = self._worker(AIOS_DEMO_HOLD=str(hold))
        spec = submit.compile_workflow(self.ws, workflow)
        refs, run_id = submit.store_params(self.ws, values), submit.new_run_id(workflow.name)
        submit.write_run(self.ws, spec, values, refs, run_id=run_id, policy=POLICY, source="demo", by=actor())
        journal.enqueue(self.ws, run_id, 0, {}, journal.WORKER_QUEUE)
        self.say(f"run {run_id} is in the workers' queue")
        self._until(f"step '{HELD}' to be reached", lambda: self._reached(run_id, hold), run_id)
        before = self._steps(run_id)
        done = [s for s, row in before.items() if row["status"] == "succeeded"]
        executor = self._executor(first)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        self.workers.remove(first)
        self.say(
            f"kill -9 {first.pid} ({executor}) inside '{HELD}', {len(done)} of {len(before)} steps finished"
        )
        self._until("the run to read as interrupted", lambda: self._status(run_id) == "interrupted", run_id)
        self.facts["run"] = {"run_id": run_id, "killed": executor, "killed_in": HELD, "finished_before": done}
        self._before = before
        return run_id

    def _resume(self, run_id: str) -> None:
        second = self._worker()
        self._until("another worker to finish the run", lambda: self._status(run_id) == "succeeded", run_id)
        run, after = self.facts["run"], self._steps(run_id)
        run |= {"status": self._status(run_id), "resumed_by": self._executor(second)}
        same = ("started_at", "ended_at", "output", "attempts")
        run["redone"] = [
            s for s in run["finished_before"] if any(after[s][c] != self._before[s][c] for c in same)
        ]
        kept = run["finished_before"]
        run["steps"] = [
            {"step": s, "status": row["status"], "attempts": row["tries"], "executors": row["executors"].split(","),
             "seconds": round((row["ended_at"] or 0) - (row["started_at"] or 0), 3), "kept": s in kept}
            for s, row in after.items()
        ]  # fmt: skip
        self._check(not run["redone"], f"finished steps were done again: {run['redone']}")
        self._check(
            len(run["finished_before"]) >= 6, "the worker was killed before half of the steps were finished"
        )
        for step in run["steps"]:
            own = [run["killed"]] if step["kept"] else [run["resumed_by"]]
            expected = [run["killed"], run["resumed_by"]] if step["step"] == HELD else own
            if step["step"] != "review":  # a gate has no attempts
                self._check(
                    step["executors"] == expected,
                    f"{step['step']} ran in {step['executors']}, not {expected}",
                )
        gate = self.ws.catalog.one("select * from gates where run_id = :r", r=run_id) or {}
        self.facts["gate"] = {
            "step": gate.get("step"),
            "status": gate.get("status"),
            "by": gate.get("decided_by"),
        }
        self._check(
            (gate.get("status"), gate.get("decided_by")) == ("approved", "policy"), f"the gate is {gate}"
        )
        self.say(f"resumed by {run['resumed_by']}: only '{HELD}' and what follows; gate approved by policy")

    # -- a job, one tick of it

    def _promote(self) -> None:
        from aios_workbench.govern import actor
        from aios_workbench.promote import JobSpec, Schedule, get, history, promote

        self._worker()
        now = time.time()
        ticks, _ = Schedule(SCHEDULE, ZONE).between(now - 3 * 86_400, now, 3)
        spec = JobSpec(
            name="claims-triage-daily", notebook=NOTEBOOK.name, schedule=SCHEDULE, timezone=ZONE, missed="latest",
            parameters={"path": str(self.path)} if self.path else {}, gates=POLICY, timeout="5m", retries=1,
        )  # fmt: skip
        earlier = {r["job_run_id"] for r in history(self.ws)}
        job = promote(self.ws, self.out / NOTEBOOK.name, spec, by=actor(), now=ticks[-1] - 60)
        self.say(
            f"promoted {job.name} v{job.version}: '{SCHEDULE}' {ZONE}; the last tick is due, two workers compete"
        )

        def runs() -> list[dict[str, Any]]:
            return [r for r in history(self.ws, job.name) if r["job_run_id"] not in earlier]

        over = ("succeeded", "failed", "timeout", "cancelled")
        self._until("the scheduled job to run", lambda: any(r["status"] in over for r in runs()))
        fired = [r for r in runs() if r["status"] != "skipped"]
        last = fired[0]
        again = get(self.ws, job.name)
        self.facts["job"] = {
            "name": job.name, "version": job.version, "schedule": SCHEDULE, "timezone": ZONE, "ticks_fired": len(fired),
            "job_run_id": last["job_run_id"], "tick_at": last["tick_at"], "status": last["status"],
            "seconds": round(last["duration"] or 0, 1), "ran_in": last["owner"], "next_tick_at": again.next_tick_at,
        }  # fmt: skip
        self.facts["files"] = {
            "executed_notebook": last["files"].get("executed.ipynb"), "html_report": last["files"].get("report.html"),
        }  # fmt: skip
        self._check(last["status"] == "succeeded", f"the job run {last['status']}: {last['reason']}")
        self._check(len(fired) == 1, f"the tick fired {len(fired)} times")
        self._check((again.next_tick_at or 0) > now, "the next tick does not lie ahead")
        self.say(f"job run {last['job_run_id']}: {last['status']} in {self.facts['job']['seconds']} s")

    # -- the balance

    def _conclude(self, run_id: str) -> None:
        from aios_workbench.engine import find_run
        from aios_workbench.govern import head, verify
        from aios_workbench.widgets.picture import save_picture

        picture = save_picture(find_run(run_id), self.out / "claims-triage.svg")
        self.facts["files"]["graph_picture"] = str(picture)
        for name, file in self.facts["files"].items():
            self._check(bool(file) and Path(file).stat().st_size > 0, f"there is no {name}")
        rows = self.ws.catalog.query(
            "select name, value, unit from metrics where run_id = :r order by rowid", r=run_id
        )
        self.facts["kpis"] = {r["name"]: {"value": r["value"], "unit": r["unit"]} for r in rows}
        for name in ("decided_automatically", "hours_saved", "false_positives", "recall"):
            self._check(name in self.facts["kpis"], f"the figure {name} was not recorded")
        broken = verify(self.ws)
        self.facts["audit"] = {"rows": head(self.ws)[0], "intact": broken is None}
        self._check(broken is None, f"the audit trail is broken: {broken}")

    # -- helpers

    def _worker(self, **env: str) -> subprocess.Popen[bytes]:
        number = len(list(self.out.glob("worker-*.log"))) + 1
        path = self.out / f"worker-{number}.log"
        with path.open("wb") as log:
            worker = subprocess.Popen(
                [*_WORKER], cwd=self.out, env={**os.environ, **env},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # Ctrl-C reaches us alone, and we end it in order
            )  # fmt: skip
        self.workers.append(worker)
        # Its row in the catalog comes first, its journal is ready when it says so.
        self._until("the worker to start", lambda: b" works on " in path.read_bytes())
        return worker

    def _executor(self, worker: subprocess.Popen[bytes]) -> str:
        row = self.ws.catalog.one(
            "select executor_id from executors where pid = :p order by started_at desc", p=worker.pid
        )
        return str(row["executor_id"]) if row else ""

    def _status(self, run_id: str) -> str:
        from aios_workbench.engine import control

        return control.run_status(self.ws, run_id)

    def _steps(self, run_id: str) -> dict[str, dict[str, Any]]:
        rows = self.ws.catalog.query(
            "select s.*, count(a.attempt) as tries, coalesce(group_concat(a.executor), '') as executors from steps s "
            "left join (select * from attempts order by attempt) a on a.run_id = s.run_id and a.step = s.step "
            "where s.run_id = :r group by s.step order by s.position", r=run_id,
        )  # fmt: skip
        return {row["step"]: row for row in rows}

    def _reached(self, run_id: str, hold: Path) -> bool:
        # The catalog hears of a finished step a few milliseconds after the step behind it may have started.
        steps = self._steps(run_id)
        going = {s for s, row in steps.items() if row["status"] == "running"}
        return (hold / "reached").exists() and going == {HELD}

    def _check(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)
            self.say(f"PROBLEM: {problem}")

    def _until(self, what: str, holds: Callable[[], bool], run_id: str = "") -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            dead = next((w for w in self.workers if w.poll() is not None), None)
            status = self._status(run_id) if run_id else ""
            if dead or status in ("failed", "cancelled") or time.monotonic() > deadline:
                why = (
                    f"a worker ended with code {dead.returncode}"
                    if dead
                    else status or f"{PATIENCE:g} s passed"
                )
                raise DemoError(
                    f"waited for {what}, but {why}; see `aios show` and the worker-*.log in {self.out}"
                )
            time.sleep(0.05)

    def _stop_workers(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            try:
                worker.wait(15)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
        self.workers.clear()
