"""The search for the least change of a row that reaches a goal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.explain.asking import Asker

if TYPE_CHECKING:
    from aios_workbench.explain.goals import Freedom, Goal
    from aios_workbench.explain.tabular import Floats

#: States kept between steps, and rows asked at a step at most.
_BEAM, _MOST_ROWS = 16, 20_000
#: Rows of the background whose values are taken over as a start.
_BORROWED = 8
#: What each changed column costs beside its distance: few changes are easier to follow than many small ones.
EACH = 0.15


@dataclass
class Search:
    """The states of a search: `reached` rows with what they cost, by their bytes."""

    ask: Asker
    goal: Goal
    free: Freedom
    x: Floats
    own: Floats
    most: int
    reached: dict[bytes, tuple[float, Floats]] = field(default_factory=dict)
    least: float = np.inf
    nearest: float | None = None

    @property
    def start(self) -> float:
        """How far the row itself is from the target."""
        return float(self.goal.gap(self.own[None])[0])

    def widen(self) -> None:
        """Change one more column at a time."""
        frontier = [self.x]
        for _ in range(self.most):
            rows = self._steps(frontier)
            if not len(rows):
                return
            gaps = self._ask(rows)
            frontier = self._beam(rows, gaps)

    def _steps(self, frontier: list[Floats]) -> Floats:
        """Return every row one change away from the frontier."""
        total = sum(map(len, self.free.options.values())) * len(frontier)
        every = max(1, -(-total // _MOST_ROWS))
        made: dict[bytes, Floats] = {}
        for state in frontier:
            for at, options in self.free.options.items():
                if _same(state[at], self.x[at]):
                    for value in options[:: every if len(options) > 2 else 1]:
                        one = state.copy()
                        one[at] = value
                        made.setdefault(one.tobytes(), one)
        return np.array(list(made.values())).reshape(-1, len(self.x))

    def _ask(self, rows: Floats) -> Floats:
        answer = self.ask(rows, lambda *_: "changed rows", must=not self.ask.calls)
        gaps = self.goal.gap(answer)
        few = (~((rows == self.x) | (np.isnan(rows) & np.isnan(self.x)))).sum(axis=1) <= self.most
        closest = int(np.where(few, gaps, np.inf).argmin())
        if few[closest] and gaps[closest] < self.least:
            self.least, self.nearest = float(gaps[closest]), float(answer[closest, self.goal.place])
        for i in np.flatnonzero(gaps <= 0):
            self.reached.setdefault(rows[i].tobytes(), (self.cost(rows[i]), rows[i]))
        return gaps

    def _beam(self, rows: Floats, gaps: Floats) -> list[Floats]:
        """Return what to go on from: nearest to the target for what it costs, at most three of the same columns."""
        left = np.flatnonzero(gaps > 0)
        worth = gaps[left] / self.start + 0.3 * np.array([self.cost(rows[i]) for i in left])
        taken: dict[tuple[int, ...], int] = {}
        kept: list[Floats] = []
        for i in left[np.argsort(worth, kind="stable")]:
            which = self.changed(rows[i])
            if taken.get(which, 0) < 3:
                taken[which] = taken.get(which, 0) + 1
                kept.append(rows[i])
            if len(kept) == _BEAM:
                break
        return kept

    def borrow(self, background: Floats) -> None:
        """Take all values of rows that are there, and give back what is not needed.

        That finds what no single change comes nearer to, such as a rule that several columns have to fulfil.
        """
        rows = np.repeat(self.x[None], len(background), axis=0)
        for at, allowed in self.free.values.items():
            rows[:, at] = np.where(np.isin(background[:, at], allowed), background[:, at], self.x[at])
        rows = np.unique(rows, axis=0)
        good = rows[self._ask(rows) <= 0]
        for row in sorted(good, key=self.cost)[:_BORROWED]:
            now: Floats | None = row
            while now is not None:
                now = self._given_back(now)

    def _given_back(self, row: Floats) -> Floats | None:
        """Return the row with one change less that still reaches the target, the cheapest; None when there is none."""
        which = self.changed(row)
        if len(which) < 2:
            return None
        rows = np.repeat(row[None], len(which), axis=0)
        rows[np.arange(len(which)), list(which)] = self.x[list(which)]
        good = rows[self._ask(rows) <= 0]
        return min(good, key=self.cost) if len(good) else None

    def narrow(self, count: int) -> None:
        """Take changes back as far as the target is still reached."""
        for row in self.best(count):
            now = row
            for at in sorted(self.changed(row), key=lambda j: -self._distance(now, j)):
                now = self._back(now, at)

    def _back(self, row: Floats, at: int) -> Floats:
        if at in self.free.ranks and not np.isnan(self.x[at]):
            low, high = sorted((self.x[at], row[at]))
            values = self.free.values[at]
            between = values[(values > low) & (values < high)]
            if len(between) > 200:
                between = between[np.unique(np.linspace(0, len(between) - 1, 200).astype(int))]
        else:
            between = np.empty(0)
        tried = np.repeat(row[None], len(between) + 1, axis=0)
        tried[:, at] = [self.x[at], *between]
        good = tried[self._ask(tried) <= 0]
        if not len(good):
            return row
        # the nearest that is still there
        nearest: Floats = good[int(np.argmin([self._distance(g, at) for g in good]))]
        return nearest

    def best(self, count: int) -> list[Floats]:
        """Return the cheapest rows that reach the target, at first one of each set of columns."""
        first: dict[tuple[int, ...], Floats] = {}
        rest = []
        for _, row in sorted(self.reached.values(), key=lambda c: c[0]):
            which = self.changed(row)
            if len(which) > self.most:
                continue
            if len(which) > 1 and any(self._without(row, at) in self.reached for at in which):
                continue  # one of its changes is idle
            if which in first:
                rest.append(row)
            else:
                first[which] = row
            if len(first) == count:
                break
        return [*first.values(), *rest][:count]

    def _without(self, row: Floats, at: int) -> bytes:
        one = row.copy()
        one[at] = self.x[at]
        return one.tobytes()

    def changed(self, row: Floats) -> tuple[int, ...]:
        """Return which columns differ from the row asked about."""
        return tuple(j for j in range(len(row)) if not _same(row[j], self.x[j]))

    def _distance(self, row: Floats, at: int) -> float:
        return float(self.free.distance(at, float(self.x[at]), row[[at]])[0])

    def cost(self, row: Floats) -> float:
        """Return what a row's changes cost."""
        return sum(EACH + self._distance(row, at) for at in self.changed(row))


def _same(a: float, b: float) -> bool:
    return bool(a == b or (np.isnan(a) and np.isnan(b)))
