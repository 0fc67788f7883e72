"""What a value came from and what came from it, over runs where outputs were cached or taken over.

A node is a step of the run that really made the value. Runs are crossed only where the engine reused an output:
two steps that happen to return equal values are not related.
"""

from __future__ import annotations

from collections import deque

from aios_workbench.errors import NotFoundError
from aios_workbench.observe.models import Lineage, LineageEdge, LineageNode
from aios_workbench.observe.stored import Stored, call, read
from aios_workbench.workspace import Artifact, Workspace

MAX_NODES = 500
_MAX_REUSES = 200


def lineage(ws: Workspace, run_id: str, step: str, depth: int = 20) -> Lineage:
    """Return the ancestors and the descendants of a step's output.

    Parameters
    ----------
    depth : int
        How many steps to follow in each direction.

    Returns
    -------
    Lineage
        `truncated` when the depth or 500 nodes were not enough. Parameters are the leaves.

    Raises
    ------
    NotFoundError
        When there is no such run or step.
    """
    run = read(ws, run_id)
    run.step(step)
    return _Walk(ws, run, step, depth).go()


class _Walk:
    def __init__(self, ws: Workspace, run: Stored, step: str, depth: int) -> None:
        self.ws, self.asked, self.depth = ws, (run, step), depth
        self.runs: dict[str, Stored | None] = {run.run_id: run}
        run._others = self.runs
        self.nodes: dict[str, LineageNode] = {}
        self.edges: dict[tuple[str, str, str], LineageEdge] = {}
        self.truncated = False

    def go(self) -> Lineage:
        run, step = self.asked
        focus = run.maker(step) or self.asked
        self._node(focus)
        up, down = self._up(focus), self._down(focus)
        return Lineage(
            focus=_id(focus), nodes=list(self.nodes.values()), edges=list(self.edges.values()), up=up, down=down,
            truncated=self.truncated, code=call(run.run_id, f".lineage({step!r})"),
        )  # fmt: skip

    def _up(self, focus: tuple[Stored, str]) -> list[str]:
        found: dict[str, None] = {}
        todo = deque([(focus, 0)])
        seen = {_id(focus)}
        while todo:
            (run, step), level = todo.popleft()
            spec = run.spec_of(step)
            if spec is None:
                continue
            target = _id((run, step))
            for argument, hash_ in run.inputs(step).items():
                parent = spec.deps.get(argument)
                source = (
                    self._parameter(run, argument, hash_)
                    if parent is None
                    else self._parent(run, parent, hash_, level, todo, seen)
                )
                if source is None:
                    continue
                self._edge(source, target, argument)
                found[source] = None
        return list(found)

    def _parent(
        self,
        run: Stored,
        parent: str,
        hash_: str,
        level: int,
        todo: deque[tuple[tuple[Stored, str], int]],
        seen: set[str],
    ) -> str | None:
        if parent not in run.steps:
            return None
        place = (
            (run.maker(parent) or (run, parent)) if run.steps[parent]["output"] == hash_ else (run, parent)
        )
        source = _id(place)
        if source not in self.nodes and not self._room(level):
            return None
        self._node(place, hash_)
        if source not in seen:
            seen.add(source)
            todo.append((place, level + 1))
        return source

    def _down(self, focus: tuple[Stored, str]) -> list[str]:
        found: dict[str, None] = {}
        todo = deque([(focus, 0)])
        seen = {_id(focus)}
        while todo:
            place, level = todo.popleft()
            for run, name in (place, *self._reuses(place)):
                for consumer in run.spec.steps:
                    for argument, parent in consumer.deps.items():
                        if parent != name or not self._took(run, consumer.name, argument, place):
                            continue
                        target = (run, consumer.name)
                        if _id(target) not in self.nodes and not self._room(level):
                            continue
                        self._node(target)
                        self._edge(_id(place), _id(target), argument)
                        found[_id(target)] = None
                        if _id(target) not in seen:
                            seen.add(_id(target))
                            todo.append((target, level + 1))
        return list(found)

    def _took(self, run: Stored, consumer: str, argument: str, place: tuple[Stored, str]) -> bool:
        """True when a step was really called with the value: one that was itself reused was called elsewhere."""
        row = run.steps.get(consumer)
        if row is None or row["started_at"] is None or row["cached"]:
            return False
        output = place[0].steps[place[1]]["output"]
        return output is not None and run.inputs(consumer).get(argument) == output

    def _reuses(self, place: tuple[Stored, str]) -> list[tuple[Stored, str]]:
        """Return the steps of other runs that took their output from this one."""
        source, step = place
        output = source.steps[step]["output"]
        if output is None:
            return []
        rows = self.ws.catalog.query(
            "select run_id, step from steps where output = :o and cached = 1 and run_id <> :r limit :n",
            o=output, r=source.run_id, n=_MAX_REUSES + 1,
        )  # fmt: skip
        self.truncated |= len(rows) > _MAX_REUSES
        found = []
        for row in rows[:_MAX_REUSES]:
            run = self._run(row["run_id"])
            made = run.maker(row["step"]) if run else None
            if run is not None and made is not None and _id(made) == _id(place):
                found.append((run, row["step"]))
        return found

    def _run(self, run_id: str) -> Stored | None:
        if run_id not in self.runs:
            try:
                self.runs[run_id] = read(self.ws, run_id, self.runs)
            except NotFoundError:  # collected just now
                self.runs[run_id] = None
        return self.runs[run_id]

    def _room(self, level: int) -> bool:
        if level < self.depth and len(self.nodes) < MAX_NODES:
            return True
        self.truncated = True
        return False

    def _parameter(self, run: Stored, name: str, hash_: str) -> str | None:
        id_ = f"{run.run_id}?{name}"
        if id_ not in self.nodes:
            if len(self.nodes) >= MAX_NODES:
                self.truncated = True
                return None
            node = LineageNode(
                id=id_, run_id=run.run_id, parameter=name, hash=hash_, created_at=run.row["created_at"]
            )
            self.nodes[id_] = self._described(node)
        return id_

    def _node(self, place: tuple[Stored, str], hash_: str | None = None) -> None:
        run, step = place
        if _id(place) in self.nodes:
            return
        row = run.steps[step]
        node = LineageNode(id=_id(place), run_id=run.run_id, step=step, hash=row["output"] or hash_,
                           created_at=row["ended_at"] or row["started_at"])  # fmt: skip
        self.nodes[node.id] = self._described(node)

    def _described(self, node: LineageNode) -> LineageNode:
        """Add what the value is, and whether it is still on the disk."""
        node.exists = False
        if node.hash is None:
            return node
        try:
            artifact: Artifact = self.ws.artifacts.find(node.hash)
        except NotFoundError:
            return node
        node.type, node.bytes = artifact.type, artifact.bytes
        node.shape = None if artifact.shape is None else list(artifact.shape)
        node.exists = self.ws.artifacts.exists(artifact)
        return node

    def _edge(self, source: str, target: str, argument: str) -> None:
        self.edges[source, target, argument] = LineageEdge(source=source, target=target, argument=argument)


def _id(place: tuple[Stored, str]) -> str:
    return f"{place[0].run_id}/{place[1]}"
