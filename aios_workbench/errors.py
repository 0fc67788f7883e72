"""Every error the workbench raises on purpose.

    AiosError
    ├── DefinitionError          the workflow as written cannot run
    │   ├── CycleError
    │   ├── MissingInputError
    │   ├── UnknownOptionError
    │   └── SerializationError   a step's code or value cannot be stored
    ├── ParameterError           a value given to a run, a job or a command is wrong
    ├── RunError                 a run ended without its result
    │   ├── StepFailed           (carries the step's own traceback)
    │   ├── StepTimeout
    │   ├── BreakerOpen          nobody calls what has failed too often, for a while
    │   ├── AttemptsExhausted    a run has made as many attempts as its workflow allows
    │   ├── StepKilled           its process ended without a word
    │   ├── MemoryCapExceeded
    │   ├── RemoteError          raised in a step's process, by a class this one cannot load
    │   ├── SecretMissing        a secret that a step names is nowhere to be found
    │   ├── SecretExposed        a value to be stored has a secret in it
    │   ├── EffectInDoubt        something to be done once may have been done, or not
    │   ├── GateRejected
    │   ├── GateExpired
    │   ├── LoopBoundReached     a loop's condition did not hold within its bound
    │   ├── MapFailed            a map's function gave back what is no result for its batch
    │   ├── BudgetExceeded       more was spent than a step, a run, a day or a workflow may
    │   └── RunCancelled
    ├── NotFoundError            no such run, step, gate, job, artifact
    ├── ConflictError            valid, but not in this state
    │   ├── FencedError          this process was taken for dead: its work was given to another
    │   └── QueueFull            as many runs of a workflow are queued as may be
    ├── DeniedError              the workspace's policy does not let this person do that
    ├── WorkspaceError           the folder or its database cannot be used
    │   ├── UnreachableError     a team's database server does not answer
    │   └── CorruptArtifactError
    ├── JobError                 a notebook cannot be promoted or a job cannot run
    │   └── AlertNotTaken        channels of a job did not take an alert
    ├── EnvironmentFailed        a job's locked environment cannot be made here, or not now
    ├── KnnError                 vectors, a tuning or an index cannot do what was asked
    │   ├── KnnInputError        the vectors, queries, ids or metadata given are wrong
    │   ├── CorruptIndexError    a saved index is damaged, foreign, or of a newer version
    │   ├── TuningFailed         a tuning ended without an index to offer
    │   ├── StoreError           a vector store cannot be reached, or refused what it was asked
    │   └── RecallBelowTarget    an index finds less than was demanded: a gate that stays shut
    ├── DriftError               data cannot be compared; raised as itself, a drift gate that stays shut
    │   ├── DriftInputError      a source, column, kind, window or threshold given is wrong
    │   └── CorruptProfileError  a saved profile or report is damaged, foreign, or of a newer version
    └── ExplainError             a model cannot be explained
        ├── ExplainInputError    the model, rows, columns or options given are wrong
        ├── ModelFailed          the model raised, or answered something that is no prediction
        ├── CorruptExplanationError  a saved explanation is damaged, foreign, or of a newer version
        └── CardIncomplete       a model card lacks a required section: a gate that stays shut

Messages say what happened, where, and the next thing to do.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path


class AiosError(Exception):
    """Base of all deliberate errors."""

    #: HTTP status the server extension answers with; 4xx for everything a user can cause.
    http_status = 400

    def _render_traceback_(self) -> list[str]:
        """In a notebook show where the user called us, not how we got to the message (IPython's protocol)."""
        skip = (str(Path(__file__).parent), "/IPython/core/")
        frames = [
            f for f in traceback.extract_tb(self.__traceback__) if not any(s in f.filename for s in skip)
        ]
        lines = "".join(traceback.format_list(frames)).rstrip().split("\n") if frames else []
        return [*lines, "", f"{type(self).__name__}: {self}"]


class DefinitionError(AiosError):
    """A workflow definition is wrong."""


class CycleError(DefinitionError):
    """Steps depend on each other in a circle."""


class MissingInputError(DefinitionError):
    """A step needs something that is neither a step nor a parameter."""


class UnknownOptionError(DefinitionError):
    """An option that does not exist was given."""


class SerializationError(DefinitionError):
    """Code or a value cannot be stored."""


class ParameterError(AiosError):
    """A parameter is missing, unknown or of the wrong type; `fields` says what is wrong with which."""

    def __init__(self, message: str = "", fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


class RunError(AiosError):
    """A run ended without the asked-for result."""


class StepFailed(RunError):
    """A step raised; `traceback` holds the text of the original traceback."""

    def __init__(self, message: str, *, traceback: str = "", step: str = "", error_type: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback
        self.step = step
        self.error_type = error_type

    def _render_traceback_(self) -> list[str]:
        return [*self.traceback.rstrip().split("\n"), "", f"{type(self).__name__}: {self}"]


class StepTimeout(RunError):
    """An attempt took longer than the step's timeout."""


class BreakerOpen(RunError):
    """A circuit breaker is open: the step's function was not called; the message says since when and until when."""

    http_status = 503


class AttemptsExhausted(RunError):
    """A run has made as many attempts as its workflow allows; the message names what used them up."""


class StepKilled(RunError):
    """The process of a step ended by a signal or by itself, before the function returned."""


class MemoryCapExceeded(RunError):
    """A step used more memory than its option `memory` allows; `aios_described` says where it asked for it."""

    aios_described: dict[str, object] | None = None


class RemoteError(RunError):
    """Stands for an exception of a step's process whose class cannot be loaded here; named like it."""


class SecretMissing(RunError):
    """A secret that a step refers to is not there; the message says where it was looked for."""


class SecretExposed(RunError):
    """A value to be stored has a secret in it: it is not stored."""


class EffectInDoubt(RunError):
    """A step that does something once was cut off while doing it: it may have been done, or not."""

    http_status = 409


class GateRejected(RunError):
    """A person or a policy rejected a gate."""


class GateExpired(RunError):
    """Nobody decided before the gate's timeout."""


class LoopBoundReached(RunError):
    """A loop did as many iterations as it may, and its condition does not hold."""


class MapFailed(RunError):
    """What a map is to go over, or what its function returned for a batch, cannot be used."""


class BudgetExceeded(RunError):
    """More was spent than a budget allows.

    `scope` says whose budget ("step", "run", "day", "workflow"), `unit` what of, `limit` how much it allows, `spent`
    how much was spent, `by_step` by which steps.
    """

    def __init__(
        self,
        message: str = "",
        *,
        scope: str = "",
        unit: str = "",
        limit: float = 0.0,
        spent: float = 0.0,
        by_step: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(message)
        self.scope, self.unit, self.limit, self.spent = scope, unit, limit, spent
        self.by_step = dict(by_step or {})

    def to_dict(self) -> dict[str, object]:
        """Return what it says beside its message, as data."""
        return {k: getattr(self, k) for k in ("scope", "unit", "limit", "spent", "by_step")}


class RunCancelled(RunError):
    """The run was cancelled."""


class NotFoundError(AiosError):
    """The named thing does not exist."""

    http_status = 404


class ConflictError(AiosError):
    """The request is valid but the thing is not in a state that allows it."""

    http_status = 409


class DeniedError(AiosError):
    """The workspace's policy does not let this person do that; `rule` names the rule that decided, if one did."""

    http_status = 403

    def __init__(self, message: str = "", *, rule: str | None = None) -> None:
        super().__init__(message)
        self.rule = rule


class FencedError(ConflictError):
    """The process was taken for dead and its work was given to another: what it still writes does not count."""


class QueueFull(ConflictError):
    """As many runs of a workflow are queued as its `max_queued` allows; try again later."""

    http_status = 429


class WorkspaceError(AiosError):
    """The workspace cannot be read or written."""

    http_status = 507


class UnreachableError(WorkspaceError):
    """The database's server does not answer, or hung up. `again`: nothing was stored, it may be asked again."""

    http_status = 503

    def __init__(self, message: str = "", *, again: bool = True) -> None:
        super().__init__(message)
        self.again = again


class CorruptArtifactError(WorkspaceError):
    """A stored blob does not match its hash."""

    http_status = 409


class JobError(AiosError):
    """A notebook cannot be promoted, or a job cannot run."""


class AlertNotTaken(JobError):
    """Some channels of a job did not take an alert; `channels` names them, the others have it."""

    def __init__(self, message: str = "", channels: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.channels = tuple(channels)


class EnvironmentFailed(AiosError):
    """A locked environment cannot be made: no package index, no such Python, no room on the disk."""


class KnnError(AiosError):
    """Vectors, a tuning or an index cannot do what was asked."""


class KnnInputError(KnnError):
    """The vectors, queries, ids or metadata given are wrong; the message names the rows."""


class CorruptIndexError(KnnError):
    """A saved index is damaged, foreign, or of a newer version: it is not loaded."""

    http_status = 409


class TuningFailed(KnnError):
    """A tuning ended without an index to offer."""


class StoreError(KnnError):
    """A vector store cannot be reached, or refused what it was asked."""

    http_status = 502


class RecallBelowTarget(KnnError):
    """An index finds less than was demanded; `recall`, `low` and `high` say what it finds, `target` what it should."""

    def __init__(
        self,
        message: str = "",
        *,
        target: float = 0.0,
        recall: float = 0.0,
        low: float = 0.0,
        high: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.target, self.recall, self.low, self.high = target, recall, low, high


class DriftError(AiosError):
    """Data drifted further than a gate allows; `columns` are those, `reasons` say why, one each.

    The base of what else can go wrong in a comparison, too.
    """

    def __init__(
        self, message: str = "", *, columns: Iterable[str] = (), reasons: Iterable[str] = ()
    ) -> None:
        super().__init__(message)
        self.columns, self.reasons = tuple(columns), tuple(reasons)


class DriftInputError(DriftError):
    """A source, column, kind, window or threshold given is wrong."""


class CorruptProfileError(DriftError):
    """A saved profile or report is damaged, foreign, or of a newer version: it is not loaded."""

    http_status = 409


class ExplainError(AiosError):
    """A model cannot be explained."""


class ExplainInputError(ExplainError):
    """The model, rows, columns or options given are wrong; the message names them."""


class ModelFailed(ExplainError):
    """The model raised, or answered something that is no prediction; the message says for which rows."""


class CorruptExplanationError(ExplainError):
    """A saved explanation is damaged, foreign, or of a newer version: it is not loaded."""

    http_status = 409


class CardIncomplete(ExplainError):
    """A model card lacks required sections; `sections` are those."""

    def __init__(self, message: str = "", *, sections: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.sections = tuple(sections)


def hint(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known name, or the empty string.

    Examples
    --------
    >>> hint("retires", ["retries", "timeout"])
    "; did you mean 'retries'?"
    """
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""
