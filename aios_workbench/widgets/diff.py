"""From states to messages: a whole state where the graph itself changed, otherwise only what moved."""

from __future__ import annotations

from aios_workbench.widgets.protocol import GraphPatch, GraphState, NodeChange, NodeMoves, StepNode


class Differ:
    """Turns successive states into the least that has to be sent.

    A patch holds everything since its base, so any single one brings a reader up to date. When it would hold
    more than a quarter of the graph, the whole state is sent and becomes the next base.

    Parameters
    ----------
    first : GraphState
        What the reader has already.
    """

    def __init__(self, first: GraphState) -> None:
        self.seq = self._base = first.seq
        self.state = first
        self._by_name = {n.name: n for n in first.nodes}
        self._changed: dict[str, StepNode] = {}
        self._metrics = self._gates = False

    def update(self, state: GraphState) -> GraphState | GraphPatch | None:
        """Return what to send so that a reader sees `state`, or None when it does already."""
        last = self.state
        moved = [n for n, old in zip(state.nodes, last.nodes, strict=False) if n is not old and n != old]
        same = (
            [_shape(n) for n in moved] == [_shape(self._by_name.get(n.name)) for n in moved]
            and len(state.nodes) == len(last.nodes)
            and (state.workflow, state.description, state.problem)
            == (last.workflow, last.description, last.problem)
            and (state.run and state.run.run_id) == (last.run and last.run.run_id)
        )
        metrics, gates = state.metrics != last.metrics, state.gates != last.gates
        if same and not (moved or metrics or gates or state.run != last.run or state.logs != last.logs):
            return None
        self.seq += 1
        state.seq = self.seq
        if not same:
            self._begin(state)
            return state
        self.state = state
        for node in moved:
            self._by_name[node.name] = self._changed[node.name] = node
        self._metrics |= metrics
        self._gates |= gates
        if len(self._changed) > max(32, len(state.nodes) // 4):
            self._begin(state)
            return state
        return GraphPatch(
            base=self._base, seq=self.seq, now=state.now, logs=state.logs, run=state.run,
            nodes=[change(n) for n in self._changed.values()],
            metrics=state.metrics if self._metrics else None, gates=state.gates if self._gates else None,
        )  # fmt: skip

    def _begin(self, state: GraphState) -> None:
        self.state = state
        self._base = state.seq
        self._by_name = {n.name: n for n in state.nodes}
        self._changed = {}
        self._metrics = self._gates = False


def change(node: StepNode) -> NodeChange:
    """Return what a run has changed of a step."""
    return NodeChange.model_construct(None, name=node.name, **_moves(node))


def apply(state: GraphState, patch: GraphPatch) -> GraphState:
    """Return the state a reader of `state` and `patch` sees; the browser does the same.

    A patch for another base says nothing about this state.
    """
    if patch.base != state.seq:
        return state
    changed = {n.name: n for n in patch.nodes}
    update = {
        "seq": patch.seq, "now": patch.now, "logs": patch.logs, "run": patch.run,
        "nodes": [
            n.model_copy(update=_moves(changed[n.name])) if n.name in changed else n for n in state.nodes
        ],
        "metrics": state.metrics if patch.metrics is None else patch.metrics,
        "gates": state.gates if patch.gates is None else patch.gates,
    }  # fmt: skip
    return state.model_copy(update=update)


def _shape(node: StepNode | None) -> object:
    return node and (node.name, node.kind, node.deps, node.after, node.tags, node.max_attempts)


def _moves(node: NodeMoves) -> dict[str, object]:
    return {field: getattr(node, field) for field in NodeMoves.model_fields}
