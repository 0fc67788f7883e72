"""The least change of a row that leads to another prediction: feasible, sparse, of values that occur."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import given, goals, outcomes, tabular
from aios_workbench.explain.asking import OutOfTime
from aios_workbench.explain.beyond_models import Counterfactual, Counterfactuals
from aios_workbench.explain.outside import outside
from aios_workbench.explain.searching import EACH, Search

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.goals import Goal
    from aios_workbench.explain.space import Space
    from aios_workbench.explain.tabular import Floats

#: Below this share of the background's rows that lie as far out, a row is not one of this data.
_PLAUSIBLE = 0.01


def counterfactual(
    explanation: Explanation,
    row: int,
    *,
    target: Any = None,
    output: int | str | None = None,
    immutable: Sequence[str] = (),
    monotone: Mapping[str, Literal["up", "down"]] | None = None,
    ranges: Mapping[str, Any] | None = None,
    most: int = 3,
    count: int = 5,
    seconds: float | None = 10.0,
    seed: int = 0,
    cancelled: Callable[[], bool] | None = None,
) -> Counterfactuals:
    """Find the least changes of a row after which the model predicts something else.

    Columns are changed one after another, always to values that occur in the background, keeping the states that come
    nearest to the target (a beam search); and rows that reach it are taken as a whole, and given back what is not
    needed [1]_. What is found is then taken back as far as the target is still reached: columns that need not change
    stay, numbers move no further than they must. The model is asked about every row that is returned.

    Parameters
    ----------
    explanation : Explanation
    row : int
        Its position.
    target
        Of classes: the class wanted (of two, also ``"not <class>"`` or a truth value); without it, the other side of
        the border, or the second most likely class. Of values: a number to reach, or ``(low, high)`` on the explained
        scale.
    output : int or str, optional
        Place or name of the output that `target` is about.
    immutable : sequence of str
        Columns that stay.
    monotone : dict of str to "up" or "down", optional
        Columns that go only one way: ``{"age": "up"}``.
    ranges : dict, optional
        What a column may become: ``{"income": (None, 50_000), "city": ["Ulm", "Bonn"]}``.
    most : int
        Columns changed at most.
    count : int
        How many to return, first of different columns.
    seconds : float, optional
        When it is up, or `cancelled` says so, what was found by then is returned.

    Returns
    -------
    Counterfactuals
        The nearest first; those unlike any row of the background last. Empty when there is none within the limits.

    Raises
    ------
    ExplainInputError
        When a rule names no column or does not fit, the target is missing, or the model is not at hand.

    References
    ----------
    .. [1] D. Brughmans, P. Leyman, D. Martens, "NICE: an algorithm for nearest instance counterfactual explanations",
       Data Mining and Knowledge Discovery 38, 2024.
    """
    began = time.monotonic()
    what = "counterfactual"
    if most < 1 or count < 1:
        raise ExplainInputError(
            f"most is {most} and count {count}; change a column and return a row at least"
        )
    at = tabular.row_place(explanation, row)
    wanted = goals.goal(explanation, at, target, output)
    background = tabular.background_of(explanation, what, seed=seed)
    space, x = tabular.space_of(explanation, what), tabular.matrix_of(explanation, what)[at]
    free = goals.freedom(space, x, background, immutable, monotone or {}, ranges or {})
    search = Search(
        tabular.asker(explanation, what, seconds=seconds, cancelled=cancelled), wanted, free, x,
        explanation.arrays.predictions[at], most,
    )  # fmt: skip
    already = search.start <= 0
    stopped: Literal["done", "budget", "cancelled"] = "done"
    kept: list[Floats] = []
    if not already:
        try:
            search.widen()
            search.borrow(background)
            search.narrow(3 * count)
        except OutOfTime as e:
            stopped = "cancelled" if e.why == "cancelled" else "budget"
        kept = search.best(6 * count)
    found = _told(explanation, search, space, background, kept, count) if kept else []
    return Counterfactuals(
        row=at, label=tabular.label_of(explanation, at), output=explanation.data.outputs[wanted.place],
        scale=explanation.data.scale, prediction=float(explanation.arrays.predictions[at, wanted.place]),
        low=wanted.low, high=wanted.high, target=wanted.words, found=found, fixed=free.fixed,
        nearest=None if found or already else search.nearest, evaluations=search.ask.evaluations,
        seconds=time.monotonic() - began, stopped=stopped,
        words=_words(wanted, found, most, already=already, stopped=stopped, nearest=search.nearest),
        notes=_notes(explanation, found),
    )  # fmt: skip


def _told(
    explanation: Explanation,
    search: Search,
    space: Space,
    background: Floats,
    kept: list[Floats],
    count: int,
) -> list[Counterfactual]:
    rows = np.array(kept)
    answer = search.ask(rows, lambda *_: "the changed rows found", must=True)
    far = outside(rows, background, [c.kind for c in space.columns]).share
    p = outcomes.probability_of(explanation, answer)
    made = []
    for i in np.flatnonzero(search.goal.gap(answer) <= 0):
        changes = given.changes_between(space, search.x, rows[i])
        made.append(
            Counterfactual(
                changes=changes, prediction=float(answer[i, search.goal.place]),
                probability=None if p is None else float(p[i, search.goal.place]),
                distance=search.cost(rows[i]) - EACH * len(changes), plausible=1.0 - float(far[i]),
            )
        )  # fmt: skip
    seen: set[tuple[str, ...]] = set()
    fresh = []
    for c in made:
        which = tuple(sorted(x.column for x in c.changes))
        fresh.append(which not in seen)
        seen.add(which)
    order = sorted(
        range(len(made)),
        key=lambda i: (
            (made[i].plausible or 0) < _PLAUSIBLE, not fresh[i], made[i].distance + EACH * len(made[i].changes),
        ),
    )  # fmt: skip
    return [made[i] for i in order[:count]]


def _words(
    goal: Goal, found: list[Counterfactual], most: int, *, already: bool, stopped: str, nearest: float | None
) -> str:
    if already:
        return f"Nothing needs to change: {goal.words} already."
    if not found:
        late = " in the time there was" if stopped != "done" else ""
        came = "" if nearest is None else f"; the nearest prediction was {nearest:.4g}"
        return f"No change of up to {most} columns was found{late} so that {goal.words}{came}."
    told = " and ".join(
        f"{tabular.told(c.column)} were {c.after} instead of {c.before}" for c in found[0].changes
    )
    return f"If {told}, {goal.words} ({found[0].prediction:.4g})."


def _notes(explanation: Explanation, found: list[Counterfactual]) -> list[str]:
    notes = []
    if found and (found[0].plausible or 0.0) < _PLAUSIBLE:
        notes.append("No row like these occurs in the background: the model is guessing there.")
    tied = {c.name: c.correlated for c in explanation.data.columns if c.correlated}
    for change in found[0].changes if found else []:
        others = [c for c in tied.get(change.column, []) if c not in {x.column for x in found[0].changes}]
        if others:
            name = tabular.told(change.column)
            notes.append(f"{name} seldom changes without {', '.join(map(tabular.told, others[:3]))}.")
    if found:
        notes.append("This is what the model would say, not what would happen.")
    return notes
