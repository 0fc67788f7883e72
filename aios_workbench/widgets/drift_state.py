"""What is looked at of a drift report: all rows or a slice of them, by the report's rules or by others."""

from __future__ import annotations

import threading
from typing import Any

from aios_workbench.drift.models import ColumnDrift, Rules
from aios_workbench.errors import ParameterError
from aios_workbench.widgets import drift_view
from aios_workbench.widgets.drift_protocol import DriftView, Slice

#: Slices that were looked at are kept: taking one off again is no new scan.
_KEPT = 8


class Looked:
    """A report as a person has turned it. Safe on any thread.

    Parameters
    ----------
    report : DriftReport
        The whole.
    name : str
        The variable that holds it in the notebook.
    """

    def __init__(self, report: Any, name: str) -> None:
        self.whole, self._name = report, name
        self.rules: Rules = report.data.rules
        self.slices: tuple[Slice, ...] = ()
        self._sliced: dict[tuple[str, ...], Any] = {(): report}
        self._guard = threading.RLock()
        self.report = report

    def view(self, seen: DriftView | None = None) -> DriftView:
        """Return what a viewer sees now; `seen` is a view of the same rows, by whatever rules."""
        with self._guard:
            if seen is not None and tuple(seen.slices) == self.slices:
                return drift_view.rejudged(seen, self.report)
            return drift_view.view(
                self.report, name=self._name, slices=self.slices, defaults=self.whole.data.rules
            )

    def judge(self, rules: Rules) -> None:
        """Judge by other rules from now on; no data is read."""
        with self._guard:
            self.report = self._judged(self._sliced[_key(self.slices)], rules)
            self.rules = rules

    def take(self, slices: tuple[Slice, ...]) -> None:
        """Look at these rows alone from now on; reads the data where they were not looked at lately."""
        found = self._sliced.get(_key(slices))
        if found is None:
            found = self._read(slices)
        with self._guard:
            kept = {_key(slices): found}
            for key, report in self._sliced.items():
                if key == () or len(kept) < _KEPT:
                    kept.setdefault(key, report)
            self._sliced, self.slices = kept, slices
            self.report = self._judged(found, self.rules)

    def column(self, name: str) -> ColumnDrift:
        """Return a column of what is looked at.

        Raises
        ------
        ParameterError
            When there is none of that name.
        """
        found: ColumnDrift | None = next((c for c in self.report.data.columns if c.name == name), None)
        if found is None:
            raise ParameterError(f"this report has no column {name!r}; choose one of those that are shown")
        return found

    def multivariate(self) -> None:
        """Compute what no column shows alone, and judge with it."""
        source = self._sliced[_key(self.slices)]
        source.multivariate()
        with self._guard:
            self.report = self._judged(source, self.rules, anew=True)

    def _read(self, slices: tuple[Slice, ...]) -> Any:
        # From the longest part of it that is known.
        begun = next(i for i in range(len(slices), -1, -1) if _key(slices[:i]) in self._sliced)
        report = self._sliced[_key(slices[:begun])]
        for s in slices[begun:]:
            report = report.slice(s.column, self._meant(s))
        return report

    def _meant(self, s: Slice) -> Any:
        """Return a slice's value as the data has it; what was sent may be cut."""
        if s.value is None:
            return None if s.low is None or s.high is None else (s.low, s.high)
        column = self.column(s.column)
        labels = [v.label for v in column.categories.values] if column.categories is not None else []
        return next((x for x in labels if drift_view.shown_label(x) == s.value), s.value)

    def _judged(self, report: Any, rules: Rules, *, anew: bool = False) -> Any:
        return report if rules == report.data.rules and not anew else report.judge(rules)


def _key(slices: tuple[Slice, ...]) -> tuple[str, ...]:
    return tuple(s.model_dump_json() for s in slices)
