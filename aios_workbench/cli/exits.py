"""What the exit code of every `aios` command means. Scripts may rely on it."""

from __future__ import annotations

from aios_workbench.errors import (
    AiosError,
    ConflictError,
    DefinitionError,
    DeniedError,
    JobError,
    NotFoundError,
    ParameterError,
    WorkspaceError,
)

OK, FAILED, USAGE, NOT_FOUND, CONFLICT, WORKSPACE, WAITING, DENIED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 7, 130

MEANING = {
    OK: "done; the run or job succeeded",
    FAILED: "the run or job failed or was cancelled; a check found something broken",
    USAGE: "wrong option, parameter, workflow or notebook; nothing was started",
    NOT_FOUND: "no such run, step, gate, job or file",
    CONFLICT: "it exists, but is not in a state that allows this",
    WORKSPACE: "the workspace is missing, damaged, locked or full",
    WAITING: "the run waits for a person at a gate (without --wait-gates)",
    DENIED: "the workspace's policy does not let you do that",
    INTERRUPTED: "interrupted with Ctrl-C",
}


def of_error(error: AiosError) -> int:
    """Return the exit code an error of ours ends a command with."""
    for kind, code in (
        (NotFoundError, NOT_FOUND), (ConflictError, CONFLICT), (WorkspaceError, WORKSPACE),
        (ParameterError, USAGE), (DefinitionError, USAGE), (JobError, USAGE),
        (DeniedError, DENIED),
    ):  # fmt: skip
        if isinstance(error, kind):
            return code
    return FAILED


def of_status(status: str) -> int:
    """Return the exit code for how a run or a job's run ended.

    Examples
    --------
    >>> of_status("succeeded"), of_status("timeout"), of_status("waiting")
    (0, 1, 6)
    """
    return {"succeeded": OK, "waiting": WAITING}.get(status, FAILED)
