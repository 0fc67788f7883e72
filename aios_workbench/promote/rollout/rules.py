"""By what a version on trial is judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from aios_workbench.errors import JobError, UnknownOptionError, hint


class Rules(BaseModel):
    """By what a version on trial is judged, and what becomes of it.

    Parameters
    ----------
    runs : int
        So many runs of the new version must have ended before it may take the other's place.
    alpha : float
        The chance with which a version that is no worse is rolled back all the same, however often it is looked at.
    compare : {"outputs", "metrics", "none"}
        What is compared between a run and its shadow: what the cells print, the metrics recorded and the artifacts
        of the last steps; the metrics only; or nothing. A canary's run has no counterpart: nothing is compared.
    tolerance : float
        How far two numbers of a metric may lie apart, as a share of the larger one.
    max_difference : float, optional
        The share of runs that may differ from their shadow; more is rolled back. Without it differences are only
        listed.
    promote : bool
        Whether the new version takes the other's place by itself after `runs` good runs; else a person does that.

    Raises
    ------
    UnknownOptionError
        For a rule that does not exist, naming the nearest.
    JobError
        For a value that does not fit.

    Examples
    --------
    >>> Rules(runs=5, promote=True).alpha
    0.05
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    runs: int = Field(default=20, ge=1, le=100_000)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    compare: Literal["outputs", "metrics", "none"] = "outputs"
    tolerance: float = Field(default=1e-6, ge=0, lt=1)
    max_difference: float | None = Field(default=None, ge=0, lt=1)
    promote: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any] | Rules | None) -> Rules:
        """Read rules that a person gave."""
        if isinstance(given, Rules):
            return given
        known = list(cls.model_fields)
        for name in given or {}:
            if name not in known:
                raise UnknownOptionError(
                    f"a rollout has no rule {name!r}{hint(name, known)} (it has: {', '.join(known)})"
                )
        try:
            return cls(**(given or {}))
        except pydantic.ValidationError as e:
            said = "; ".join(
                f"{'.'.join(map(str, p['loc']))}: {p['msg']}, not {p['input']!r}" for p in e.errors()
            )
            raise JobError(f"these rules cannot be used: {said}") from None
