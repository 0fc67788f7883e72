"""What a run has done beyond its steps' outputs: effects that happen once, hooks that were called."""

from __future__ import annotations

from typing import Any

from aios_workbench.engine import effects, run_hooks
from aios_workbench.errors import ParameterError
from aios_workbench.govern import actor
from aios_workbench.workspace import Workspace


class Aftermath:
    """The part of `Run` that tells of effects, and settles those in doubt."""

    _ws: Workspace
    id: str

    @property
    def effects(self) -> list[dict[str, Any]]:
        """What steps with `once=` did or began in this run: step, key, status (doing, done, in_doubt), output."""
        return effects.effects(self._ws, self.id)

    @property
    def hooks(self) -> list[dict[str, Any]]:
        """The calls of the workflow's hooks for this run: hook, name, status (calling, done, failed), error."""
        return run_hooks.calls(self._ws, self.id)

    def settle(self, step: str, outcome: str, *, key: str | None = None, output: Any = None) -> str:
        """Say whether an effect in doubt has happened, after a look at the outside world; then resume the run.

        Parameters
        ----------
        outcome : {"done", "not done"}
        key : str, optional
            Needed where several effects of the step are in doubt.
        output : any
            Of a done one: what the step would have returned.

        Returns
        -------
        str
            The key that was settled.

        Raises
        ------
        NotFoundError, ConflictError
            When there is nothing in doubt, or more than one.
        """
        if outcome not in ("done", "not done"):
            raise ParameterError(f"outcome is 'done' or 'not done', not {outcome!r}")
        return effects.settle(
            self._ws, self.id, step, done=outcome == "done", by=actor(), key=key, output=output
        )
