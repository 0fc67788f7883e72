"""Which columns act together: what two of them do beyond what each does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

from aios_workbench.drift.ranking import Z95
from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import tabular
from aios_workbench.explain.asking import Asker, OutOfTime
from aios_workbench.explain.beyond_models import Interactions, Pair
from aios_workbench.explain.rows import output_place

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.tabular import Floats, Ints

_MOST_ROUNDS, _LEAST_ROUNDS = 64, 4
#: A tree's own interactions cost so many seconds at most; beyond it they are sampled.
_TREE_SECONDS = 10.0
#: Trees touch all their columns a little: less than this part of the predictions' spread is no finding.
_MATTERS = 0.02


def interactions(
    explanation: Explanation,
    *,
    output: int | str | None = None,
    columns: Sequence[str] | None = None,
    top: int = 8,
    rows: int = 100,
    tolerance: float = 0.05,
    seconds: float | None = 30.0,
    seed: int = 0,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Interactions:
    """Measure how strongly pairs of columns act together, over a sample of the explained rows.

    A pair's interaction in a row is its Shapley interaction index [1]_: the mean, over what else is known of the row,
    of f(both) - f(one) - f(other) + f(neither). Path-dependent trees give it exactly where that is quick, as shap does
    (its two halves added). Otherwise it is sampled: a share p of the columns is known, p uniform [2]_, and one sample
    of the rest serves all pairs, so that each pair costs about one prediction.

    Parameters
    ----------
    explanation : Explanation
    output : int or str, optional
        Place or name of the output; the one shown first if None.
    columns : sequence of str, optional
        Which columns' pairs; the `top` most important if None.
    top : int
    rows : int
        Rows at most, a sample.
    tolerance : float
        Sampling ends when no pair's interval is wider to either side than this share of the predictions' spread.
    seconds : float, optional
        When it is up, or `cancelled` says so, what is there is returned with its intervals.
    progress : callable, optional
        Is told the share that is done.

    Returns
    -------
    Interactions
        In the unit of the predictions.

    Raises
    ------
    ExplainInputError
        When there are no two columns, or the model is not at hand.

    References
    ----------
    .. [1] M. Grabisch, M. Roubens, "An axiomatic approach to the concept of interaction", Int. J. Game Theory 28, 1999.
    .. [2] G. Owen, "Multilinear extensions of games", Management Science 18, 1972.
    """
    began = time.monotonic()
    if not len(explanation.arrays.values):
        raise ExplainInputError("interactions need rows, and none were explained")
    place = output_place(explanation.data, output)
    names = list(columns) if columns is not None else _leading(explanation, place, top)
    places = [tabular.column_place(explanation, n) for n in names]
    if len(set(places)) < 2 or len(set(places)) < len(places):
        raise ExplainInputError(f"interactions are of two columns and more, each once; got {names}")
    key = f"interactions {(place, places, rows, tolerance, seconds, seed)}"
    if key in explanation.extra:
        kept: Interactions = explanation.extra[key]
        return kept
    explanation.at_hand("interactions")
    x = tabular.matrix_of(explanation, "interactions")
    chosen = tabular.some(len(x), rows, seed)
    exact = _of_trees(explanation, chosen, places, place, seconds)
    if exact is not None:
        least = _MATTERS * float(explanation.arrays.predictions[:, place].std())
        pairs = [
            _read(names[i], names[j], exact[:, i, j], least) for i, j in combinations(range(len(names)), 2)
        ]
        found = _answer(explanation, names, pairs, place, "tree", len(chosen))
    else:
        found = _sampled(
            explanation, names, places, x[chosen], place, tolerance, seconds, seed, cancelled, progress
        )
    found.seconds = time.monotonic() - began
    if found.stopped != "cancelled":
        explanation.extra[key] = found
    return found


def _leading(explanation: Explanation, place: int, top: int) -> list[str]:
    if top < 2:
        raise ExplainInputError(f"top is {top}; a pair is of two columns")
    size = np.abs(explanation.arrays.values[:, :, place]).mean(axis=0)
    return [explanation.columns[j] for j in np.argsort(-size, kind="stable")[:top]]


def _of_trees(
    explanation: Explanation, chosen: Ints, places: list[int], place: int, seconds: float | None
) -> Floats | None:
    """Return interactions of path-dependent trees, (rows, columns, columns), or None: not theirs, or not quick."""
    model = getattr(explanation.live, "model", None)
    if explanation.data.method.name != "tree_path_dependent" or model is None:
        return None
    from aios_workbench.explain import tree_interactions

    frame = tabular.frame_of(explanation, "interactions").iloc[chosen]
    limit = _TREE_SECONDS if seconds is None else min(_TREE_SECONDS, seconds)
    whole = tree_interactions.interactions(model, frame, seconds=limit)
    if whole is None:
        return None
    own: Floats = whole[:, places][:, :, places][..., place]
    return own


def _sampled(
    explanation: Explanation, names: list[str], places: list[int], x: Floats, place: int, tolerance: float,
    seconds: float | None, seed: int, cancelled: Callable[[], bool] | None, progress: Callable[[float], None] | None,
) -> Interactions:  # fmt: skip
    background = tabular.background_of(explanation, "interactions", seed=seed)
    ask = tabular.asker(explanation, "interactions", seconds=seconds, cancelled=cancelled)
    g = np.random.default_rng(seed)
    pairs = list(combinations(range(len(places)), 2))
    total, squares = np.zeros((len(x), len(pairs))), np.zeros((len(x), len(pairs)))
    spread = float(explanation.arrays.predictions[:, place].std()) or 1.0
    done, stopped = 0, "done"
    made: list[Pair] = []
    try:
        while done < _MOST_ROUNDS:
            one = _round(ask, x, background, places, pairs, place, g, first=not done)
            total += one
            squares += one**2
            done += 1
            if progress is not None:
                progress(done / _MOST_ROUNDS)
            if done >= _LEAST_ROUNDS and done % 2 == 0:
                made = _pairs(names, pairs, total, squares, done)
                if max(p.high - p.value for p in made) <= tolerance * spread:
                    break
    except OutOfTime as e:
        stopped = e.why
    found = _answer(explanation, names, _pairs(names, pairs, total, squares, done), place, "sampling", len(x))
    found.samples, found.evaluations = done * 2, ask.evaluations
    found.stopped = "cancelled" if stopped == "cancelled" else "budget" if stopped == "budget" else "done"
    return found


def _round(
    ask: Asker, x: Floats, background: Floats, places: list[int], pairs: list[tuple[int, int]], place: int,
    g: np.random.Generator, *, first: bool,
) -> Floats:  # fmt: skip
    """Return one estimate of each row's interactions, (rows, pairs): a draw and its mirror image.

    Where each column is known with probability p, p uniform, what is known of all but two columns is as the interaction
    index weighs it, whatever is known of these two. So the four terms of every pair are predictions of the drawn row
    with none, one, the other, or both of them switched.
    """
    n, m = x.shape
    known = g.random((n, m)) < g.random((n, 1))
    estimates = np.zeros((n, len(pairs)))
    for mask in (known, ~known):
        other = background[g.integers(len(background), size=n)]
        switched = [()] + [(i,) for i in range(len(places))] + pairs
        blocks = []
        for which in switched:
            now = mask.copy()
            for i in which:
                now[:, places[i]] ^= True
            blocks.append(np.where(now, x, other))
        answer = ask(np.concatenate(blocks), tabular.naming(np.tile(np.arange(n), len(switched))), must=first)
        f = answer[:, place].reshape(len(switched), n)
        size = np.abs(f).max(axis=0)
        for k, (i, j) in enumerate(pairs):
            same = mask[:, places[i]] == mask[:, places[j]]
            second = f[0] - f[1 + i] - f[1 + j] + f[1 + len(places) + k]
            # rounding is no interaction
            second[np.abs(second) <= 1e-9 * size] = 0.0
            estimates[:, k] += np.where(same, second, -second) / 2
        first = False
    return estimates


def _pairs(
    names: list[str], pairs: list[tuple[int, int]], total: Floats, squares: Floats, done: int
) -> list[Pair]:
    if done < 2:
        return []
    # unbiased for the square of a row's mean, so that noise alone does not look like an interaction
    square = (total**2 - squares) / (done * (done - 1))
    return [
        _measured(names[i], names[j], total[:, k] / done, square[:, k], many=len(pairs))
        for k, (i, j) in enumerate(pairs)
    ]


def _read(first: str, second: str, values: Floats, least: float) -> Pair:
    """Return a pair's strength over rows whose interactions are known exactly."""
    value = float(np.sqrt((values**2).mean()))
    return Pair(
        first=first, second=second, value=value, low=value, high=value, signed=float(values.mean()),
        found=value > least,
    )  # fmt: skip


def _measured(first: str, second: str, values: Floats, square: Floats, many: int) -> Pair:
    """Return a pair's strength over rows; `square` are estimates of the squares of its sampled `values`."""
    from scipy import special

    middle = float(square.mean())
    error = float(square.std(ddof=1)) / np.sqrt(len(square)) if len(square) > 1 else abs(middle)
    low, value, high = (
        float(np.sqrt(max(0.0, v))) for v in (middle - Z95 * error, middle, middle + Z95 * error)
    )
    sure = float(special.ndtri(1 - 0.025 / many))
    return Pair(
        first=first, second=second, value=value, low=low, high=high, signed=float(values.mean()),
        found=middle > sure * error,
    )  # fmt: skip


def _answer(
    explanation: Explanation, names: list[str], pairs: list[Pair], place: int, method: Literal["tree", "sampling"],
    rows: int,
) -> Interactions:  # fmt: skip
    matrix = [[0.0] * len(names) for _ in names]
    for p in pairs:
        i, j = names.index(p.first), names.index(p.second)
        matrix[i][j] = matrix[j][i] = p.value
    pairs = sorted(pairs, key=lambda p: -p.value)
    return Interactions(
        output=explanation.data.outputs[place], scale=explanation.data.scale, columns=names, matrix=matrix, pairs=pairs,
        method=method, exact=method == "tree", rows=rows, words=_words(pairs), notes=_notes(explanation, pairs),
    )  # fmt: skip


def _words(pairs: list[Pair]) -> str:
    if not pairs:
        return "Stopped before any interaction was known."
    if not any(p.found for p in pairs):
        return "No two of these columns act together to speak of."
    p = next(p for p in pairs if p.found)
    more = sum(q.found for q in pairs) - 1
    rest = f"; {more} more {'pair does' if more == 1 else 'pairs do'}, too" if more else ""
    pair = f"{tabular.told(p.first)} and {tabular.told(p.second)}"
    return f"{pair} act together most ({p.value:.3g} in a typical row){rest}."


def _notes(explanation: Explanation, pairs: list[Pair]) -> list[str]:
    tied = {c.name: set(c.correlated) for c in explanation.data.columns}
    both = [p for p in pairs if p.found and p.second in tied.get(p.first, ())]
    return [
        f"{tabular.told(p.first)} and {tabular.told(p.second)} carry the same information: rows in which one changes "
        "without the other do not occur."
        for p in both[:1]
    ]
