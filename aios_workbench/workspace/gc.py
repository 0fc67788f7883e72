"""Garbage collection: what no run, step, gate or graph refers to any more leaves the disk.

Safe beside processes at work, by four rules. (1) A run is only deleted while it is over, in the transaction
that looks. (2) Blobs younger than an hour stay: whoever is about to refer to one has just written or touched
it. (3) References are read after the runs are gone and a pause, from the catalog and, for runs that are not
over, from the journal as well. (4) A blob is renamed, looked at again, and put back if somebody touched it in
between; from then on a writer misses it and writes it anew.
"""

# ruff: noqa: S608 - statements are put together from text of this module; values are bound

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from aios_workbench.errors import CorruptArtifactError, NotFoundError
from aios_workbench.workspace import locks
from aios_workbench.workspace.gc_drift import delete_drift
from aios_workbench.workspace.gc_objects import REMOTE, bundle_objects, delete_objects
from aios_workbench.workspace.gc_tunings import delete_tunings, folder_size
from aios_workbench.workspace.home import Workspace
from aios_workbench.workspace.remote import BlobStore

YOUNG_SECONDS = 3600.0
SETTLE_SECONDS = 2.0
_DAY = 86_400.0
_HASH_LENGTH = 64
_OVER = "status in ('succeeded', 'failed', 'cancelled')"
_TABLES = ("steps", "attempts", "gates", "metrics", "logs", "events", "signals", "spend", "map_parts", "dead_letters",
           "loop_iterations", "compensations")  # fmt: skip
_BATCH = 200


class Journal(Protocol):
    """What the collector asks of the engine's journal."""

    def entries(self) -> Iterable[tuple[str, str, float]]:
        """Entry, run id and time of creation of everything journaled."""

    def references(self, entries: Iterable[str]) -> set[str]:
        """Hashes of the values these entries refer to."""

    def delete(self, entries: list[str]) -> None:
        """Forget these entries."""


@dataclass
class Collected:
    """What was deleted, or with `dry_run` would be."""

    dry_run: bool = False
    runs: int = 0
    journal: int = 0
    artifacts: int = 0
    artifact_bytes: int = 0
    files: int = 0
    file_bytes: int = 0
    folders: int = 0
    folder_bytes: int = 0
    locks: int = 0

    @property
    def bytes(self) -> int:
        """All bytes freed; rows leave room in the databases, which keep their size."""
        return self.artifact_bytes + self.file_bytes + self.folder_bytes

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return {**asdict(self), "bytes": self.bytes}


def collect(
    ws: Workspace, journal: Journal, *, alive: Callable[[str | None], bool], keep_days: float = 30.0,
    keep_runs: int = 20, dry_run: bool = False, now: float | None = None, settle: float = SETTLE_SECONDS,
) -> Collected:  # fmt: skip
    """Delete what nothing needs any more.

    Parameters
    ----------
    journal : Journal
        The engine's; this layer knows no engine.
    alive : callable
        Whether the process with an executor id lives.
    keep_days : float
        Runs that ended less long ago stay.
    keep_runs : int
        So many newest runs of each workflow stay, however old.
    now : float, optional
        Epoch seconds; the clock's if not given.
    settle : float
        Seconds between deleting runs and reading references, when other processes are at work: what those
        decided on the ground of a run that is now gone is written down by then.

    Returns
    -------
    Collected
    """
    now = time.time() if now is None else now
    done = Collected(dry_run)
    ws.catalog.flush()
    before = now - keep_days * _DAY
    chosen = _old_runs(ws, before, keep_runs)
    if not dry_run:
        batches = [chosen[start : start + _BATCH] for start in range(0, len(chosen), _BATCH)]
        chosen = [run for batch in batches for run in _delete_runs(ws, batch, before)]
        _delete_loose_rows(ws, before)
    old = set(chosen)
    done.runs = len(old)
    busy = any(alive(name) for name in locks.known(ws))
    entries = list(journal.entries())
    known = {row["run_id"] for row in ws.catalog.query("select run_id from runs")} - old
    orphans = [e for e, run, at in entries if run not in known and (run in old or at < now - YOUNG_SECONDS)]
    done.journal = len(orphans)
    if not dry_run:
        journal.delete(orphans)
        if busy and old:
            time.sleep(settle)
    needed = references(ws, without=old if dry_run else ())
    going = {row["run_id"] for row in ws.catalog.query(f"select run_id from runs where not {_OVER}")}
    needed |= journal.references([e for e, run, _ in entries if run in going])
    needed |= _beside(ws, needed) | _within(ws, needed)
    promoted = bundle_objects(ws)
    _delete_blobs(ws, needed, promoted, now, done)
    if not dry_run and not busy:
        _delete_descriptions(ws, needed, now)
    _delete_folders(ws, min(before, now - YOUNG_SECONDS), keep_runs, done)
    _delete_spilled(ws, now, done)
    tuned = delete_tunings(ws, min(before, now - YOUNG_SECONDS), dry_run=dry_run)
    done.folders, done.folder_bytes = done.folders + tuned[0], done.folder_bytes + tuned[1]
    done.files, done.file_bytes = done.files + tuned[2], done.file_bytes + tuned[3]
    drifted = delete_drift(ws, now - YOUNG_SECONDS, dry_run=dry_run)
    done.folders, done.folder_bytes = done.folders + drifted[0], done.folder_bytes + drifted[1]
    done.files, done.file_bytes = done.files + drifted[2], done.file_bytes + drifted[3]
    _delete_locks(ws, now, done)
    return done


def references(ws: Workspace, without: Iterable[str] = ()) -> set[str]:
    """Return the hashes of all values that runs, steps, gates and graphs of the catalog refer to.

    Parameters
    ----------
    without : iterable of str
        Runs that do not count.
    """
    ws.catalog.flush()
    needed: set[str] = set()
    gone = json.dumps(list(without))
    kept = "run_id not in (select value from json_each(:gone))"
    for row in ws.catalog.query(f"select param_refs, seed, spec_hash from runs where {kept}", gone=gone):
        needed.update(_hashes(json.loads(row["param_refs"])))
        needed.update(_hashes(json.loads(row["seed"])))
        for record in json.loads(row["seed"]).values():
            needed.update((record.get("inputs") or {}).values())
    for row in ws.catalog.query(f"select output, kept, inputs from steps where {kept}", gone=gone):
        needed.update(filter(None, (row["output"], row["kept"])), json.loads(row["inputs"] or "{}").values())
    needed.update(
        r["data"] for r in ws.catalog.query(f"select data from gates where {kept}", gone=gone) if r["data"]
    )
    for table, column in (
        ("map_parts", "output"),
        ("loop_iterations", "output"),
        ("dead_letters", "artifact"),
    ):
        rows = ws.catalog.query(f"select {column} as hash from {table} where {kept}", gone=gone)
        needed.update(row["hash"] for row in rows)
    # For good: what was done once is not done again because the run that did it was deleted.
    needed.update(
        r["output"] for r in ws.catalog.query("select output from effects where output is not null")
    )
    needed |= _beside(ws, needed)
    needed |= _within(ws, needed)
    specs = f"select spec from specs where spec_hash in (select spec_hash from runs where {kept})"
    for row in ws.catalog.query(specs, gone=gone):
        needed.update(_hashes(json.loads(row["spec"])))
    return needed


def _beside(ws: Workspace, needed: set[str]) -> set[str]:
    """Return the hashes of what these values show of themselves."""
    rows = ws.catalog.query("select hash, meta from artifacts where meta like '%\"shown\"%'")
    return {h for row in rows if row["hash"] in needed for h in _hashes(json.loads(row["meta"]))}


def _within(ws: Workspace, needed: set[str]) -> set[str]:
    """Return the hashes of the parts that these values are stored in."""
    found: set[str] = set()
    for row in ws.catalog.query("select hash from artifacts where kind = 'parts'"):
        if row["hash"] in needed:
            with contextlib.suppress(NotFoundError, CorruptArtifactError):
                found.update(p.artifact.hash for p in ws.artifacts.parts(ws.artifacts.find(row["hash"])))
    return found


def _hashes(value: Any) -> Iterator[str]:
    """Yield every value under a key `hash`, however deep."""
    if isinstance(value, dict):
        if isinstance(value.get("hash"), str):
            yield value["hash"]
        for inner in value.values():
            yield from _hashes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _hashes(inner)


def _old_runs(ws: Workspace, before: float, keep: int) -> list[str]:
    rows = ws.catalog.query(
        "select run_id from (select *, row_number() over (partition by workflow order by created_at desc) as n "
        f"from runs) r where n > :keep and {_DELETABLE}", keep=keep, before=before,
    )  # fmt: skip
    return [row["run_id"] for row in rows]


_DELETABLE = (
    f"r.{_OVER} and coalesce(r.ended_at, r.created_at) < :before and not exists (select 1 from job_runs j "
    # a retried job run finds its workflows' runs by their keys and goes on with them
    "where j.job_run_id = r.job_run_id and j.status in ('queued', 'running'))"
)


def _delete_runs(ws: Workspace, run_ids: list[str], before: float) -> list[str]:
    """Delete runs that are still over: somebody may have resumed one since it was chosen."""
    with ws.catalog.transaction() as con:
        rows = con.execute(
            f"select run_id from runs r where run_id in (select value from json_each(:ids)) and {_DELETABLE}",
            {"ids": json.dumps(run_ids), "before": before},
        ).fetchall()
        found = [row[0] for row in rows]
        for table in ("runs", *_TABLES):
            con.execute(
                f"delete from {table} where run_id in (select value from json_each(:ids))",
                {"ids": json.dumps(found)},
            )
    return found


#: An event that may start a job stays until every job that listens has heard of it, however long no worker lived.
_OLD_EVENTS = """
delete from events where run_id is null and at < :before and
(kind not in ('told', 'drift.alert', 'run.ended', 'job.ended') or seq <= coalesce((
  select min(cast(s.seen as bigint)) from job_sources s join jobs j on j.job_id = s.job_id
  where j.status = 'active' and s.source in ('events', 'ends')), 9223372036854775807))
"""


def _delete_loose_rows(ws: Workspace, before: float) -> None:
    with ws.catalog.transaction() as con:
        con.execute("delete from specs where spec_hash not in (select spec_hash from runs)")
        con.execute(
            "delete from environments where hash not in (select environment from runs where environment is not null)"
        )
        con.execute(_OLD_EVENTS, {"before": before})
        con.execute("delete from job_alerts where status <> 'waiting' and at < :before", {"before": before})
        con.execute("delete from job_alarms where ended_at < :before", {"before": before})
        con.execute(
            "delete from executors where ended_at < :before and executor_id not in (select owner from runs where "
            "owner is not null) and executor_id not in (select owner from job_runs where owner is not null)",
            {"before": before},
        )


def _delete_blobs(
    ws: Workspace, needed: set[str], promoted: set[str] | None, now: float, done: Collected
) -> None:
    files = delete_objects(ws, promoted, now - YOUNG_SECONDS, dry_run=done.dry_run)
    done.files, done.file_bytes = done.files + files[0], done.file_bytes + files[1]
    if ws.artifacts.remote is not None:
        _delete_remote(ws.artifacts.remote, needed, promoted, now, done)
        return
    for path in ws.artifacts.folder.glob("*/*"):
        with contextlib.suppress(FileNotFoundError):
            stat = path.stat()
            if stat.st_mtime > now - YOUNG_SECONDS or not path.is_file():
                continue
            if path.name.startswith("."):  # a write or a collection that was killed
                if not done.dry_run:
                    path.unlink()
                done.files += 1
                done.file_bytes += stat.st_size
            elif len(path.stem) == _HASH_LENGTH and path.stem not in needed:
                if not done.dry_run and not _discard(path, now):
                    continue
                done.artifacts += 1
                done.artifact_bytes += stat.st_size


def _delete_remote(
    remote: BlobStore, needed: set[str], promoted: set[str] | None, now: float, done: Collected
) -> None:
    """Delete blobs of a store that cannot rename: who refers to one again writes it again, so it is young then."""
    for path, modified, size in remote.listed():
        stem = _stem(path)
        bundled = "/bundles/" in path
        if bundled and (promoted is None or f"/{REMOTE}/" not in path):
            continue
        if modified > now - YOUNG_SECONDS or stem in (
            promoted if bundled and promoted is not None else needed
        ):
            continue
        if not done.dry_run and not remote.discard(path, now - YOUNG_SECONDS):
            continue
        if len(stem) == _HASH_LENGTH:
            done.artifacts, done.artifact_bytes = done.artifacts + 1, done.artifact_bytes + size
        else:  # a write that was killed
            done.files, done.file_bytes = done.files + 1, done.file_bytes + size


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _discard(path: Path, now: float) -> bool:
    """Delete a blob unless it was touched meanwhile."""
    aside = path.with_name(f".{path.name}.gc")
    path.rename(aside)
    if aside.stat().st_mtime > now - YOUNG_SECONDS:
        if path.exists():  # and written anew: the same bytes
            aside.unlink()
        else:
            aside.rename(path)
        return False
    aside.unlink()
    return True


def _delete_descriptions(ws: Workspace, needed: set[str], now: float) -> None:
    """Forget what was collected. A living process does not describe a value twice, so only when there is none."""
    old = ws.catalog.query("select * from artifacts where created_at < :before", before=now - YOUNG_SECONDS)
    remote = ws.artifacts.remote
    if remote is None:
        there = {path.stem for path in ws.artifacts.folder.glob("*/*")}
    else:
        there = {_stem(path) for path, *_ in remote.listed()}
    gone = [row["hash"] for row in old if row["hash"] not in needed and row["hash"] not in there]
    ws.catalog.write(
        "delete from artifacts where hash in (select value from json_each(:gone))", gone=json.dumps(gone)
    )


def _delete_folders(ws: Workspace, before: float, keep: int, done: Collected) -> None:
    """Delete what `aios run notebook.ipynb` left; the newest stay."""
    with contextlib.suppress(FileNotFoundError):
        folders = sorted((ws.root / "notebook-runs").iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
        for folder in folders[keep:]:
            if folder.stat().st_mtime < before:
                done.folders += 1
                done.folder_bytes += folder_size(folder)
                if not done.dry_run:
                    shutil.rmtree(folder, ignore_errors=True)


def _delete_spilled(ws: Workspace, now: float, done: Collected) -> None:
    """Delete what queries of killed processes spilled."""
    for folder in (ws.root / "tmp").glob("query-*"):
        with contextlib.suppress(FileNotFoundError):
            if folder.stat().st_mtime < now - YOUNG_SECONDS:
                done.folders += 1
                done.folder_bytes += folder_size(folder)
                if not done.dry_run:
                    shutil.rmtree(folder, ignore_errors=True)


def _delete_locks(ws: Workspace, now: float, done: Collected) -> None:
    """Delete lock files of dead processes that left nothing to adopt."""
    for path in (ws.root / "executors").iterdir():
        with contextlib.suppress(OSError):
            if path.suffix == ".new" and path.stat().st_mtime < now - YOUNG_SECONDS:
                done.files += 1
                done.file_bytes += path.stat().st_size
                if not done.dry_run:
                    path.unlink()
            if path.suffix != ".lock":
                continue
            with path.open(encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its process lives
                left = ws.catalog.one(
                    f"select 1 from runs where owner = :id and not {_OVER} union all "
                    "select 1 from job_runs where owner = :id and status = 'running' limit 1", id=path.stem,
                )  # fmt: skip
                if left is None and path.exists():
                    done.locks += 1
                    if not done.dry_run:
                        path.unlink()
