"""What of a map is finished: one row per stored part, its dead letters beside it, in one transaction."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aios_workbench.engine.job import Job
from aios_workbench.engine.mapping.source import Piece
from aios_workbench.engine.mapping.work import Batch, Outcome, Row, join
from aios_workbench.errors import AiosError
from aios_workbench.workflow import StepSpec, digest
from aios_workbench.workspace import Artifact, Part, dumps, upsert

#: Up to here a result is stored as an ordinary value, which the screens can look into.
SMALL_ITEMS, SMALL_BYTES = 10_000, 32 * 2**20
OPEN, REDRIVING, REDRIVEN, DROPPED = "open", "redriving", "redriven", "dropped"
_NOTHING = Artifact("", "list", "list", 0)
_KEYS = ("run_id", "step", "item")


def key_of(spec: StepSpec, inputs: dict[str, str]) -> str:
    """Return the identity of a map's work, but for the items: code, other inputs, and what becomes of errors."""
    others = {name: hash_ for name, hash_ in inputs.items() if name != spec.item}
    return digest([spec.code_hash, others, spec.item, spec.batches, spec.on_error])


class Parts:
    """The parts of one map of one run."""

    def __init__(self, job: Job) -> None:
        self.job, self.ws = job, job.ws
        self.key = key_of(job.spec, {n: a.hash for n, a in job.inputs.items()})
        self.done: dict[int, Row] = {}
        self.items = self.reused = 0
        self.ws.catalog.flush()
        rows = self.ws.catalog.query(
            "select * from map_parts where run_id = :r and step = :s order by first",
            r=job.run_id, s=job.spec.name,
        )  # fmt: skip
        self._known = {row["first"]: row for row in rows if row["key"] == self.key}
        self._forget([row for row in rows if row["key"] != self.key])
        self._redriving = self._waiting()

    # -- what is to be done

    def batches(self, piece: Piece) -> Iterator[Batch]:
        """Yield what is to be done of a piece; what is finished and unharmed counts as done."""
        stop = piece.first + piece.items
        at = piece.first
        for row in [r for f, r in sorted(self._known.items()) if piece.first <= f < stop]:
            if not self._counts(row, piece, at):
                self._forget([row])
                continue
            yield from self._between(piece, at, row["first"])
            holes = self._holes(row)
            if holes:
                before = {**row, "tried": {i: self._redriving[i] for i in holes}}
                yield Batch(row["first"], row["items"], piece, holes, before)
            else:
                self._counted(row)
                self.reused += row["items"]
            at = row["first"] + row["items"]
        yield from self._between(piece, at, stop)

    def prefix(self) -> list[Piece]:
        """Return what is stored from the first item on without a gap; the rest does not count."""
        found: list[Piece] = []
        for first, row in sorted(self._known.items()):
            if first == self.items and self._counts(row, Piece(first, row["items"], _NOTHING), first):
                self._counted(row)
                found.append(Piece(first, row["items"], row["artifact"]))
            else:
                self._forget([row])
        return found

    def _between(self, piece: Piece, start: int, stop: int) -> Iterator[Batch]:
        size = self.job.spec.batch
        for first in range(start, stop, size):
            yield Batch(first, min(size, stop - first), piece)

    def _counts(self, row: Row, piece: Piece, at: int) -> bool:
        """True when a part was made from these items, and its bytes are as they were."""
        if (
            row["source"] != piece.hash
            or row["first"] < at
            or row["first"] + row["items"] > piece.first + piece.items
        ):
            return False
        try:
            row["artifact"] = self.ws.artifacts.find(row["output"])
        except AiosError:
            return False
        if row["artifact"].type != "list" and self._holes(row):
            return False  # what failed has no place in it
        return self.ws.artifacts.intact(row["artifact"])

    def _holes(self, row: Row) -> list[int]:
        return [i for i in self._redriving if row["first"] <= i < row["first"] + row["items"]]

    def _waiting(self) -> dict[int, int]:
        rows = self.ws.catalog.query(
            "select item, attempts from dead_letters where run_id = :r and step = :s and status = :redriving "
            "order by item", r=self.job.run_id, s=self.job.spec.name, redriving=REDRIVING,
        )  # fmt: skip
        return {row["item"]: row["attempts"] for row in rows}

    def _forget(self, rows: Iterable[Row]) -> None:
        """Parts that do not count, and their letters: the items are done again."""
        for row in rows:
            self._known.pop(row["first"], None)
            with self.ws.catalog.transaction() as con:
                told = {"r": self.job.run_id, "s": self.job.spec.name, "first": row["first"]}
                con.execute("delete from map_parts where run_id = :r and step = :s and first = :first", told)
                con.execute(_DELETE_LETTERS, {**told, "stop": row["first"] + row["items"]})

    # -- what was done

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Store what was done: neighbours become one part."""
        stored = []
        for group in _neighbours([o for o in outcomes if o.items]):
            artifact = self._put(group)
            items = [(letter, self.ws.artifacts.put(letter.value)) for o in group for letter in o.letters]
            stored.append((group, artifact, items))
        if not stored:
            return
        self.ws.catalog.flush()  # the descriptions of what is stored come before what refers to it
        with self.ws.catalog.transaction() as con:
            for group, artifact, items in stored:
                row = self._row(group, artifact)
                con.execute(upsert("map_parts", row, ("run_id", "step", "first")), row)
                first, stop = row["first"], row["first"] + row["items"]
                told = {"r": self.job.run_id, "s": self.job.spec.name, "first": first, "stop": stop}
                if group[0].batch.holes:
                    self._mend(con, group[0])
                else:
                    con.execute(_DELETE_LETTERS, told)
                for letter, value in items:
                    line = self._letter(letter, value)
                    con.execute(upsert("dead_letters", line, _KEYS), line)
                self._counted({**row, "artifact": artifact})

    def _counted(self, row: Row) -> None:
        self.done[row["first"]] = row
        self.items += row["items"]

    def _put(self, group: list[Outcome]) -> Artifact:
        values = join([o.values for o in group], self.job.spec.name)
        return (
            self.ws.artifacts.put_list(values) if isinstance(values, list) else self.ws.artifacts.put(values)
        )

    def _row(self, group: list[Outcome], artifact: Artifact) -> Row:
        items = sum(o.items for o in group)
        before = group[0].batch.before or {}
        return {
            "run_id": self.job.run_id, "step": self.job.spec.name, "first": group[0].batch.first, "items": items,
            "key": self.key, "source": group[0].batch.piece.hash, "status": "succeeded", "output": artifact.hash,
            "results": (artifact.shape or (0,))[0],
            "attempts": sum(o.attempts for o in group) + (before.get("attempts") or items),
            "failed": sum(len(o.letters) for o in group), "skipped": sum(o.skipped for o in group),
            "started_at": group[0].began, "ended_at": max(o.ended for o in group), "executor": self.job.executor,
        }  # fmt: skip

    def _letter(self, letter: Any, value: Artifact) -> Row:
        error = letter.error
        return {
            "run_id": self.job.run_id, "step": self.job.spec.name, "item": letter.item, "status": OPEN,
            "type": error["type"], "reason": error["message"][:2000], "traceback": error["traceback"],
            "attempts": letter.attempts, "value": preview(letter.value), "artifact": value.hash, "at": time.time(),
            "redriven_by": None,
        }  # fmt: skip

    def _mend(self, con: Any, outcome: Outcome) -> None:
        """Say of the letters that were tried again that they are settled; those that failed again follow."""
        for item in outcome.batch.holes:
            con.execute(
                "update dead_letters set status = :redriven, redriven_by = :r, at = :now "
                "where run_id = :r and step = :s and item = :i",
                {
                    "redriven": REDRIVEN,
                    "r": self.job.run_id,
                    "s": self.job.spec.name,
                    "i": item,
                    "now": time.time(),
                },
            )

    # -- the whole

    def result(self) -> Artifact:
        """Return all results as one value: small ones as they are, large ones as a list of their parts."""
        rows = [self.done[first] for first in sorted(self.done)]
        artifacts = [row["artifact"] for row in rows]
        results, size = sum(row["results"] for row in rows), sum(a.bytes for a in artifacts)
        lists = all(a.type == "list" for a in artifacts)
        if size <= SMALL_BYTES and (results <= SMALL_ITEMS or not lists):
            values = [self.ws.artifacts.get(a) for a in artifacts]
            return self.ws.artifacts.put(join(values, self.job.spec.name) if values else [])
        parts = [Part(a, row["results"]) for a, row in zip(artifacts, rows, strict=True)]
        return self.ws.artifacts.put_parts(parts)

    def counts(self) -> dict[str, int]:
        """Return items, dead letters and skipped items of what is done."""
        return {k: sum(row[k] for row in self.done.values()) for k in ("items", "failed", "skipped")}


_DELETE_LETTERS = (
    "delete from dead_letters where run_id = :r and step = :s and item >= :first and item < :stop"
)


def _neighbours(outcomes: Sequence[Outcome]) -> Iterator[list[Outcome]]:
    """Group what follows each other within a piece; what fills holes of a part stays alone."""
    group: list[Outcome] = []
    for outcome in sorted(outcomes, key=lambda o: o.batch.first):
        if group and not (
            not outcome.batch.holes and not group[-1].batch.holes
            and outcome.batch.piece.hash == group[-1].batch.piece.hash
            and outcome.batch.first == group[-1].batch.first + group[-1].items
            and isinstance(outcome.values, list) and isinstance(group[-1].values, list)
        ):  # fmt: skip
            yield group
            group = []
        group.append(outcome)
    if group:
        yield group


def preview(value: Any) -> str:
    """Return the start of a value as a person reads it."""
    try:
        text = dumps(value) if isinstance(value, (dict, list)) else repr(value)
    except Exception as e:  # noqa: BLE001 - a broken __repr__ must not hide the failure
        text = f"({type(value).__name__}; its repr raises {type(e).__name__})"
    return text[:200].encode("utf-8", "replace").decode()


def chained(batches: Iterable[Iterable[Batch]]) -> Iterator[Batch]:
    """Flatten."""
    return itertools.chain.from_iterable(batches)
