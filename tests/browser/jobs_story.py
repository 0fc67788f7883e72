"""Jobs of every kind in a workspace, written as the engine writes them: nothing of it needs a kernel."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import nbformat

from aios_workbench.promote import JobSpec, promote
from aios_workbench.workspace import Workspace, dumps

HOSTILE = "<img src=x onerror=window.__hit=1>"
CELLS = (
    ("rows: int = 200\nlabel: str = 'claims'", ["parameters"]),
    (f"print({HOSTILE!r})", []),
    ("total = rows * 2\ntotal", []),
    ("raise KeyError('price')", []),
)


def write_notebook(path: Path, *more: str, parameters: str | None = None) -> Path:
    """Write a notebook of four cells, and more of them."""
    book = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    for number, (source, tags) in enumerate(CELLS):
        text = parameters if parameters is not None and number == 0 else source
        book.cells.append(nbformat.v4.new_code_cell(text, metadata={"tags": tags}, id=f"cell-{number}"))
    book.cells += [nbformat.v4.new_code_cell(s, id=f"more-{n}") for n, s in enumerate(more)]
    nbformat.write(book, path)
    return path


def make_job(ws: Workspace, name: str, by: str = "ana", **options: Any) -> str:
    """Promote the notebook of that name; return the job's id."""
    notebook = ws.project / f"{options.pop('notebook', 'nightly')}.ipynb"
    if not notebook.exists():
        write_notebook(notebook)
    return promote(ws, notebook, JobSpec(name=name, notebook=notebook.name, **options), by).job_id


def add_run(
    ws: Workspace, job_id: str, number: int, status: str, back: float, seconds: float | None, **more: Any
) -> str:
    """Write a run that began `back` seconds ago and took so long."""
    began = time.time() - back
    row = {
        "job_run_id": f"jr-{job_id[4:10]}-{number}", "job_id": job_id, "version": 1, "tick_at": began - 1, "trigger":
        "schedule", "status": status, "attempt": 0 if status == "skipped" else 1, "params": dumps({"rows": 200}),
        "queued_at": began, "started_at": None if status in ("skipped", "queued") else began,
        "ended_at": None if seconds is None else began + seconds, "error": None, **more,
    }  # fmt: skip
    names = ", ".join(row)
    marks = ", ".join(f":{n}" for n in row)
    ws.catalog.write(f"insert into job_runs ({names}) values ({marks})", **row)
    return str(row["job_run_id"])


def past(ws: Workspace, job_id: str, ends: str) -> list[str]:
    """Write a history, a letter a run, oldest first: succeeded, failed, Timeout, sKipped, cancelled."""
    words = {"s": "succeeded", "f": "failed", "t": "timeout", "k": "skipped", "c": "cancelled"}
    errors = {
        "failed": {"type": "KeyError", "message": "'price'", "traceback": "Traceback …\nKeyError: 'price'"},
        "timeout": {"type": "Timeout", "message": "took longer than 30 min"},
        "skipped": {"type": "Skipped", "message": f"the run before it was still going {HOSTILE}"},
        "cancelled": {"type": "Cancelled", "message": "cancelled by ana"},
    }
    out = []
    for n, letter in enumerate(ends):
        status, back = words[letter], 86_400.0 * (len(ends) - n) - 60
        error = errors.get(status)
        seconds = 0.0 if status == "skipped" else 40.0 + 400 * ((n * 7) % 5) * (status != "failed")
        out.append(add_run(ws, job_id, n, status, back, seconds, error=dumps(error) if error else None))
    return out


def log_of(ws: Workspace, job_run_id: str) -> Path:
    """Return the log of a run; its folder is made."""
    row = ws.catalog.one("select job_id from job_runs where job_run_id = :id", id=job_run_id)
    assert row is not None
    folder = ws.root / "jobs" / row["job_id"] / "runs" / job_run_id
    folder.mkdir(parents=True, exist_ok=True)
    ws.catalog.write(
        "update job_runs set folder = :f where job_run_id = :id",
        f=folder.relative_to(ws.root).as_posix(),
        id=job_run_id,
    )
    return folder / "log.txt"


def add_cells(ws: Workspace, job_run_id: str, *states: str) -> None:
    """Write how far the cells of a run are; each has printed a line, in order."""
    log, now = log_of(ws, job_run_id), time.time()
    text = b""
    for position, state in enumerate(states, start=1):
        begun = state in ("succeeded", "failed", "running")
        at = len(text)
        text += f"cell {position} says {HOSTILE}\n".encode() if begun else b""
        row = {
            "run": job_run_id, "position": position, "state": state, "began": now - 30 if begun else None,
            "ended": now - 20 if state in ("succeeded", "failed") else None, "at": at if begun else None,
            "to": len(text) if state in ("succeeded", "failed") else None,
        }  # fmt: skip
        ws.catalog.write(
            "insert into job_cells (job_run_id, attempt, position, cell, status, started_at, ended_at, log_from, "
            "log_to) values (:run, 1, :position, :position, :state, :began, :ended, :at, :to)",
            **row,
        )
    log.write_bytes(text)


def end_cell(ws: Workspace, job_run_id: str, position: int, text: str, state: str = "succeeded") -> None:
    """Let a cell that runs say something and end."""
    log = log_of(ws, job_run_id)
    with log.open("ab") as f:
        f.write(text.encode())
    ws.catalog.write(
        "update job_cells set status = :s, ended_at = :now, log_to = :to where job_run_id = :id and position = :p",
        s=state, now=time.time(), to=log.stat().st_size, id=job_run_id, p=position,
    )  # fmt: skip


def tell(ws: Workspace, kind: str = "job.run") -> None:
    """Have the open panels look."""
    ws.catalog.event(kind)
    ws.catalog.flush()
