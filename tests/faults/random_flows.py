"""Random workflows, from nothing but a number: what they are made of, and what must come of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

KINDS = (
    "plain",
    "plain",
    "plain",
    "retry",
    "fallback",
    "cached",
    "gate",
    "loop",
    "map",
    "skip",
    "undo",
    "undo",
)
ROUNDS = 3  # of a loop
ITEMS = 5  # of a map


@dataclass(frozen=True)
class Node:
    """A step: what it needs, what is special about it, and the number it adds."""

    name: str
    kind: str
    deps: tuple[str, ...]
    constant: int


@dataclass(frozen=True)
class Plan:
    """A workflow; one that is doomed fails in its last step, and is undone."""

    seed: int
    nodes: tuple[Node, ...]
    doomed: bool

    @property
    def name(self) -> str:
        """The workflow's name."""
        return f"random-{self.seed}"


def plan(seed: int) -> Plan:
    """Draw a workflow of four to nine steps, each needing up to three of those before it."""
    rng = random.Random(seed)
    nodes: list[Node] = []
    for i in range(rng.randint(4, 9)):
        kind = rng.choice(KINDS)
        if seed % 25 == 7 and i == 1:
            kind = "process"  # an interpreter of its own takes its time: a few are enough
        usable = [n.name for n in nodes if n.kind != "skip"]
        most = min(1 if kind == "loop" else 3, len(usable))
        if kind == "loop" and not usable:
            kind = "plain"
        deps = rng.sample(usable, rng.randint(1, most)) if most else []
        nodes.append(Node(f"s{i}", kind, tuple(sorted(deps)), rng.randint(1, 100)))
    return Plan(seed, tuple(nodes), doomed=seed % 5 == 0)


def values(drawn: Plan) -> dict[str, int]:
    """What each step's output must be; steps that are skipped have none."""
    found: dict[str, int] = {}
    for node in drawn.nodes:
        if node.kind != "skip":
            times = ROUNDS if node.kind == "loop" else 1
            base = sum(found[d] for d in node.deps)
            if node.kind == "map":
                base = sum(2 * (base + i) for i in range(ITEMS))
            found[node.name] = base + times * node.constant
    return found
