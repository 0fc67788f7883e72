"""Layered drawing of a graph, left to right: Sugiyama's method with barycenter ordering, deterministic.

Source: K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures",
IEEE Trans. SMC 11(2), 1981.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_SWEEPS = 6


@dataclass
class Layout:
    """Where nodes and edges go; the unit is a pixel.

    Attributes
    ----------
    at : dict
        Node -> left upper corner.
    routes : dict
        Edge (from, to) -> the points it passes between the two nodes, left and right of each layer it crosses.
    """

    width: float = 0.0
    height: float = 0.0
    at: dict[str, tuple[float, float]] = field(default_factory=dict)
    routes: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=dict)


def depths(upstream: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return each node's layer: one more than the deepest it waits for. Nodes come after what they wait for."""
    found: dict[str, int] = {}
    for name, before in upstream.items():
        found[name] = max((found[b] + 1 for b in before if b in found), default=0)
    return found


def arrange(
    upstream: Mapping[str, Sequence[str]],
    size: tuple[float, float],
    gap: tuple[float, float],
    lane: float = 14.0,
) -> Layout:
    """Return positions for nodes of one `size`, `gap` apart.

    Parameters
    ----------
    upstream : mapping
        Node -> what it waits for, in topological order.
    lane : float
        Height kept free for an edge that crosses a layer.
    """
    depth = depths(upstream)
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    before: dict[str, list[str]] = {}
    chains: dict[tuple[str, str], list[str]] = {}
    stand_ins: set[str] = set()
    for name, ups in upstream.items():
        layers[depth[name]].append(name)
        before[name] = []
        for up in ups:
            if up not in depth:
                continue
            last, chain = up, []
            for between in range(depth[up] + 1, depth[name]):
                dummy = f"\0{up}\0{name}\0{between}"
                layers[between].append(dummy)
                stand_ins.add(dummy)
                before[dummy] = [last]
                chain.append(dummy)
                last = dummy
            before[name].append(last)
            chains[up, name] = chain
    _order(layers, before)

    (width, height), (gap_x, gap_y) = size, gap
    sizes = {n: lane if n in stand_ins else height for layer in layers for n in layer}
    totals = [sum(sizes[n] for n in layer) + gap_y * (len(layer) - 1) for layer in layers]
    out = Layout(len(layers) * (width + gap_x) - gap_x if layers else 0.0, max(totals, default=0.0))
    middle: dict[str, tuple[float, float]] = {}
    for i, layer in enumerate(layers):
        y = (out.height - totals[i]) / 2
        for n in layer:
            middle[n] = (i * (width + gap_x), y + sizes[n] / 2)
            if n not in stand_ins:
                out.at[n] = (i * (width + gap_x), y)
            y += sizes[n] + gap_y
    for edge, chain in chains.items():
        points: list[tuple[float, float]] = []
        for dummy in chain:
            x, y = middle[dummy]
            points += [(x, y), (x + width, y)]
        out.routes[edge] = points
    return out


def _order(layers: list[list[str]], before: Mapping[str, Sequence[str]]) -> None:
    """Sort each layer by the middle of its neighbours, forwards and backwards in turn."""
    after: dict[str, list[str]] = {n: [] for layer in layers for n in layer}
    for n, ups in before.items():
        for up in ups:
            after[up].append(n)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        neighbours = before if forward else after
        for i in range(1, len(layers)) if forward else range(len(layers) - 2, -1, -1):
            fixed = {n: k for k, n in enumerate(layers[i - 1 if forward else i + 1])}
            weight = {}
            for k, n in enumerate(layers[i]):
                near = [fixed[m] for m in neighbours[n] if m in fixed]
                weight[n] = sum(near) / len(near) if near else float(k)
            layers[i].sort(key=weight.__getitem__)
