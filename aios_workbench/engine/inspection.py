"""What can be asked of a run in Python: the same questions the screens ask, with the same answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from aios_workbench.workspace import Workspace, workspace

if TYPE_CHECKING:
    from aios_workbench.observe.models import (
        EventPage,
        History,
        Lineage,
        Overview,
        RunDiff,
        StepDiff,
        Timeline,
    )


class Inspection:
    """The questions; mixed into `Run`. Each answer prints as text and has `.to_frame()` and `.code`."""

    id: str
    _ws: Workspace

    def overview(self) -> Overview:
        """Return the run on one page: who, when, where, with which code, how long, what it reported and cost."""
        from aios_workbench.observe.overview import overview

        return overview(self._ws, self.id)

    def timeline(self) -> Timeline:
        """Return where the run's time went: queue, run, retry and wait per step, and the critical path."""
        from aios_workbench.observe.timeline import timeline

        return timeline(self._ws, self.id)

    def events(self, after: int = 0, limit: int = 200) -> EventPage:
        """Return what happened, in words and in order; `after` is the `seq` of the last event already seen."""
        from aios_workbench.observe.events import events

        return events(self._ws, self.id, after, limit)

    def lineage(self, step: str, depth: int = 20) -> Lineage:
        """Return what a step's output came from and what came from it, over runs where outputs were reused.

        Raises
        ------
        NotFoundError
            When the run has no such step.
        """
        from aios_workbench.observe.lineage import lineage

        return lineage(self._ws, self.id, step, depth)

    @overload
    def diff(self, other: Any, step: None = None) -> RunDiff: ...
    @overload
    def diff(self, other: Any, step: str) -> StepDiff: ...
    def diff(self, other: Any, step: str | None = None) -> RunDiff | StepDiff:
        """Compare this run with another, usually a later one: what is different in `other`, and why.

        Parameters
        ----------
        other : Run or str
            The other run or its id.
        step : str, optional
            Compare this step closely: code, policy, inputs, and its output column by column.

        Raises
        ------
        NotFoundError
            When there is no such run or step.
        """
        from aios_workbench.observe import diff

        id_ = other if isinstance(other, str) else other.id
        if step is None:
            return diff.diff_runs(self._ws, self.id, id_)
        return diff.diff_steps(self._ws, self.id, id_, step)


def history(workflow: str, limit: int = 50, before: float | None = None) -> History:
    """Return a workflow's runs, newest first, and what they say: success, durations, trend, slow and flaky steps.

    Parameters
    ----------
    workflow : str
        Its name.
    limit : int
        How many runs to list.
    before : float, optional
        Only runs created before this time (epoch seconds), for paging.

    Raises
    ------
    NotFoundError
        When no run of that name is stored.
    """
    from aios_workbench.observe.history import history as ask

    return ask(workspace(), workflow, limit, before)
