"""A column's contribution against its value, coloured by the column that explains most of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import tabular
from aios_workbench.explain.beyond_models import Bin, Colour, Dependence
from aios_workbench.explain.means import mean
from aios_workbench.explain.rows import output_place

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.space import Space
    from aios_workbench.explain.tabular import Floats, Ints

#: Less of what a column leaves unexplained than this is not worth a colour.
LEAST_SHARE = 0.05
#: Stretches of the axis in which contributions are averaged, and values of a colour that are told apart.
_STRETCHES, _SHADES = 12, 5
_ROWS_OF_A_MEAN = 5
#: Rows among which a colour is looked for, and how often they are shuffled to see what chance explains.
_ROWS_OF_A_COLOUR, _SHUFFLES = 5_000, 19


def dependence(
    explanation: Explanation,
    column: str,
    *,
    color: str | None = "auto",
    output: int | str | None = None,
    most: int = 5000,
    seed: int = 0,
) -> Dependence:
    """Show a column's contributions against its values.

    Where the same value has different contributions, another column is at work. With ``color="auto"`` the points are
    coloured by the one that explains most of that: within stretches of equal value, and freed of the slope and the bend
    there, the share of the variance that lies between the groups of the other column (the adjusted R²), without what
    shuffled values of that column explain.

    Parameters
    ----------
    explanation : Explanation
    column : str
    color : str or None
        A column, "auto", or None for no colour.
    output : int or str, optional
        Place or name of the output; the one shown first if None.
    most : int
        Points at most; a sample of the rows where there are more. Means are of all rows.

    Returns
    -------
    Dependence
        Contributions in the unit of the predictions.

    Raises
    ------
    ExplainInputError
        When there is no such column, or the explanation was stored without its rows.
    """
    place, at = output_place(explanation.data, output), tabular.column_place(explanation, column)
    space, x = tabular.space_of(explanation, "dependence"), tabular.matrix_of(explanation, "dependence")
    if most < 1:
        raise ExplainInputError(f"most is {most}; show at least one point")
    y = explanation.arrays.values[:, at, place]
    colours = _colours(space, x, y, at)
    by = None if color is None else color
    if color == "auto" and "auto" not in explanation.columns:
        by = colours[0].column if colours and colours[0].share >= LEAST_SHARE else None
    shade = None if by is None else tabular.column_place(explanation, by)
    shown = np.arange(len(y))
    if len(y) > most:
        shown = np.sort(np.random.default_rng(seed).choice(len(y), most, replace=False))
    errors = explanation.arrays.errors
    return Dependence(
        column=column, kind=space.columns[at].kind, output=explanation.data.outputs[place],
        scale=explanation.data.scale, position=shown.tolist(), x=_axis(x[shown, at]), y=y[shown].tolist(),
        error=None if errors is None else errors[shown, at, place].tolist(), categories=_texts(space, at, x),
        color=by, color_kind=None if shade is None else space.columns[shade].kind,
        shade=None if shade is None else _axis(x[shown, shade]),
        color_categories=[] if shade is None else _texts(space, shade, x), colours=colours[:5],
        trend=_trend(space, x[:, at], y, at), rows=len(y), words=_words(column, y, by, colours),
        notes=_notes(space, explanation, at),
    )  # fmt: skip


def _axis(x: Floats) -> list[float | None]:
    return [float(v) if np.isfinite(v) else None for v in x]


def _texts(space: Space, place: int, x: Floats) -> list[str]:
    """Return the categories that numbers of a column are places of; none of an amount."""
    if tabular.is_amount(space, place):
        return []
    there = x[np.isfinite(x[:, place]), place]
    return [tabular.text_at(space, place, float(c)) for c in range(int(there.max()) + 1 if len(there) else 0)]


def _colours(space: Space, x: Floats, y: Floats, at: int) -> list[Colour]:
    amount = tabular.is_amount(space, at)
    some = np.arange(len(y))
    g = np.random.default_rng(0)
    if len(y) > _ROWS_OF_A_COLOUR:
        some = g.choice(len(y), _ROWS_OF_A_COLOUR, replace=False)
    x, y = x[some], y[some]
    # at least forty rows to a stretch, so that a bend and five means can be told from noise
    stretch = tabular.groups_of(x[:, at], amount, int(np.clip(len(y) // 40, 1, 20)))
    rest = _freed(x[:, at] if amount else None, y, stretch)
    if not rest.any():
        return []
    shuffled = [_shuffled(stretch, g) for _ in range(_SHUFFLES)]
    found = []
    for j, c in enumerate(space.columns):
        if j == at:
            continue
        shades = tabular.groups_of(x[:, j], tabular.is_amount(space, j), _SHADES)
        share = _share(rest, stretch, shades)
        if share >= LEAST_SHARE:  # a few far points are a large share by chance
            share -= max(0.0, *(_share(rest, stretch, shades[order]) for order in shuffled))
        found.append(Colour(column=c.name, share=max(0.0, share)))
    return sorted(found, key=lambda c: -c.share)


def _shuffled(stretch: Ints, g: np.random.Generator) -> Ints:
    """Return an order of the rows that leaves each in its stretch."""
    order = np.empty(len(stretch), np.int64)
    order[np.argsort(stretch, kind="stable")] = np.lexsort((g.random(len(stretch)), stretch))
    return order


def _freed(x: Floats | None, y: Floats, stretch: Ints) -> Floats:
    """Return what is left of `y` without the mean, and of amounts the slope and the bend, of each stretch."""
    rest = np.zeros_like(y)
    for s in np.unique(stretch):
        rows = np.flatnonzero(stretch == s)
        basis = np.ones((len(rows), 1))
        if x is not None and s >= 0:
            away = x[rows] - x[rows].mean()
            size = float(np.abs(away).max())
            if size > 0:
                basis = np.stack([basis[:, 0], away / size, (away / size) ** 2], axis=1)
        rest[rows] = y[rows] - basis @ np.linalg.lstsq(basis, y[rows], rcond=None)[0]
    return np.where(np.abs(rest) > 1e-9 * max(float(np.abs(y).max(initial=0)), 1e-300), rest, 0.0)


def _share(rest: Floats, stretch: Ints, shades: Ints) -> float:
    """Return the adjusted share of the squares of `rest` that lie between the shades of each stretch."""
    cell = np.unique((stretch + 1) * (shades.max() + 2) + shades + 1, return_inverse=True)[1]
    counts = np.bincount(cell)
    means = np.bincount(cell, rest) / counts
    whole = float(rest @ rest)
    inner = float(((rest - means[cell]) ** 2).sum())
    free, free_inner = len(rest) - len(np.unique(stretch)), len(rest) - len(counts)
    if free_inner <= 0 or free <= 0 or whole <= 0:
        return 0.0
    return max(0.0, 1 - inner * free / (free_inner * whole))


def _trend(space: Space, x: Floats, y: Floats, at: int) -> list[Bin]:
    amount = tabular.is_amount(space, at)
    group = tabular.groups_of(x, amount, _STRETCHES if amount else 30)
    found = []
    for g in np.unique(group):
        rows = np.flatnonzero(group == g)
        own = x[rows]
        average = mean(y[rows]) if len(rows) >= _ROWS_OF_A_MEAN else None
        if g < 0:
            found.append(Bin(label="missing", at=-1.0, rows=len(rows), mean=average))
        elif amount:
            low, high = (tabular.text_at(space, at, float(v)) for v in (own.min(), own.max()))
            found.append(
                Bin(
                    label=low if low == high else f"{low} to {high}", at=float(np.median(own)),
                    low=float(own.min()), high=float(own.max()), rows=len(rows), mean=average,
                )
            )  # fmt: skip
        else:
            several = len(np.unique(own)) > 1
            label = "all others" if several else tabular.text_at(space, at, float(own[0]))
            found.append(Bin(label=label, at=float(g), rows=len(rows), mean=average))
    return found


def _words(column: str, y: Floats, by: str | None, colours: list[Colour]) -> str:
    name = tabular.told(column)
    if not y.any():
        return f"{name} contributes nothing to any row."
    if by is None:
        return f"{name}: no other column explains why rows of equal value have different contributions."
    share = next((c.share for c in colours if c.column == by), 0.0)
    return f"{name}: {tabular.told(by)} explains {share:.0%} of how rows of equal value differ."


def _notes(space: Space, explanation: Explanation, at: int) -> list[str]:
    tied = next((c.correlated for c in explanation.data.columns if c.name == space.columns[at].name), [])
    if not tied:
        return []
    return [
        f"{', '.join(map(tabular.told, tied[:3]))} carries the same information: part of this contribution may be its."
    ]
