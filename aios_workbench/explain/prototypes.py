"""Rows like a row, found by the nearest-neighbour index: alike in their values, or in why they are predicted so."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Literal

import numpy as np

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import given, tabular
from aios_workbench.explain.beyond_models import Neighbour, Prototypes
from aios_workbench.explain.names import value_text
from aios_workbench.explain.outside import placed
from aios_workbench.explain.rows import output_place

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.space import Space
    from aios_workbench.explain.tabular import Floats, Mask

#: Values are predicted otherwise when they are further apart than this share of the predictions' spread.
_OTHERWISE = 0.5
#: Up to so many rows every one is compared; beyond it neighbours are approximate.
_EXACT = 50_000


def prototypes(
    explanation: Explanation,
    row: int,
    n: int = 5,
    *,
    output: int | str | None = None,
    by: Literal["values", "contributions"] = "values",
) -> Prototypes:
    """Find the rows most like a row: those predicted alike, and the nearest that are predicted otherwise.

    Parameters
    ----------
    explanation : Explanation
    row : int
        Its position.
    n : int
        How many of each side.
    output : int or str, optional
        Place or name of the output; the one shown first if None.
    by : str
        "values": rows of the background with like values; numbers in their own spread, another category counts as a
        distance of one. "contributions": explained rows with like contributions, so for like reasons.

    Returns
    -------
    Prototypes
        Distances are Euclidean. Predicted alike is: the same class, or a value within half a standard deviation.

    Raises
    ------
    ExplainInputError
        When there is no such row, or the model is not at hand (of values).
    """
    if by not in ("values", "contributions"):
        raise ExplainInputError(f"by is {by!r}; rows are alike by 'values' or by 'contributions'")
    if n < 1:
        raise ExplainInputError(f"n is {n}; ask for one neighbour at least")
    at, place = tabular.row_place(explanation, row), output_place(explanation.data, output)
    space, x = tabular.space_of(explanation, "prototypes"), tabular.matrix_of(explanation, "prototypes")
    own = explanation.arrays.predictions
    if by == "values":
        live = explanation.at_hand("prototypes")
        frame, among = live.background, space.encode(live.background)
        predictions = np.asarray(live.predict(frame), np.float64)
        points, query = placed(among, x[[at]], [c.kind for c in space.columns])
    else:
        frame, among, predictions = tabular.frame_of(explanation, "prototypes"), x, own
        points, query = explanation.arrays.values[..., place], explanation.arrays.values[[at], :, place]
    alike = _alike(explanation, predictions, own[at], place)
    if by == "contributions":
        others = np.arange(len(among)) != at
        frame, among, points, predictions = frame[others], among[others], points[others], predictions[others]
        alike, positions = alike[others], np.flatnonzero(others)
    else:
        positions = np.arange(len(among))
    found = _nearest(points, query, alike, n)
    like, unlike = (
        [
            _neighbour(space, frame, among, x[at], int(i), d, float(predictions[i, place]), int(positions[i]))
            for i, d in side
        ]
        for side in found
    )
    return Prototypes(
        row=at, label=tabular.label_of(explanation, at), output=explanation.data.outputs[place],
        scale=explanation.data.scale, prediction=float(own[at, place]), by=by, among=len(among), like=like,
        unlike=unlike, words=_words(like, unlike, by),
        notes=["Values are of real rows: mind whose they are before you share this."] if like or unlike else [],
    )  # fmt: skip


def _alike(explanation: Explanation, predictions: Floats, own: Floats, place: int) -> Mask:
    """Return which rows are predicted like the one asked about."""
    data = explanation.data
    if len(data.outputs) > 1 and data.task == "multiclass":
        return np.asarray(predictions.argmax(axis=1) == own.argmax())
    if data.task == "binary":
        middle = 0.5 if data.scale == "probability" else 0.0
        return np.asarray((predictions[:, place] > middle) == (own[place] > middle))
    spread = float(explanation.arrays.predictions[:, place].std())
    return np.asarray(np.abs(predictions[:, place] - own[place]) <= _OTHERWISE * spread)


def _nearest(points: Floats, query: Floats, alike: Mask, n: int) -> tuple[list[tuple[int, float]], ...]:
    """Return place and distance of the nearest of both sides."""
    if not len(points):
        return [], []
    from aios_workbench.knn import Params, open_vectors
    from aios_workbench.knn.index import Index

    with tempfile.TemporaryDirectory() as folder:
        vectors = open_vectors(
            points, folder=folder, ids=np.arange(len(points)), metadata={"alike": alike.astype(int).tolist()}
        )
        few = len(points) <= _EXACT
        index = Index.build(vectors, Params(family="flat") if few else Params(family="hnsw"), folder=folder)
        sides = []
        for side in (1, 0):
            k = min(n, int((alike == bool(side)).sum()))
            hits = index.search(query[0], k, filter=f"alike = {side}") if k else None
            sides.append([] if hits is None else _told(hits.ids[0], hits.distances[0]))
    return tuple(sides)


def _told(ids: object, distances: Floats) -> list[tuple[int, float]]:
    return [(int(i), float(d)) for i, d in zip(np.asarray(ids), distances, strict=True) if i is not None]


def _neighbour(
    space: Space, frame: pd.DataFrame, among: Floats, row: Floats, at: int, distance: float, prediction: float,
    position: int,
) -> Neighbour:  # fmt: skip
    return Neighbour(
        position=position, label=value_text(frame.index[at]), distance=distance, prediction=prediction,
        values={c.name: tabular.text_at(space, j, float(among[at, j])) for j, c in enumerate(space.columns)},
        differs=[c.column for c in given.changes_between(space, row, among[at])],
    )  # fmt: skip


def _words(like: list[Neighbour], unlike: list[Neighbour], by: str) -> str:
    of = "values" if by == "values" else "reasons"
    if not like and not unlike:
        return "There is no other row."
    if not unlike:
        return f"All rows with like {of} are predicted alike."
    if not like:
        return f"No row with like {of} is predicted alike: this one is alone."
    if unlike[0].distance < like[0].distance:
        return f"The row with the likest {of} is predicted otherwise: this row is near the border."
    away = unlike[0].distance
    return f"The rows with the likest {of} are predicted alike; the nearest that is not is {away:.3g} away."
