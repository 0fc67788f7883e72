"""Another schedule, other parameters, for what is promoted already: a new version with the same notebook."""

from __future__ import annotations

import json
import time
from typing import Any

from aios_workbench.promote import objects, permits, provenance
from aios_workbench.promote.bundle import JOB, NOTEBOOK, Bundle
from aios_workbench.promote.parameters import NotebookParameters
from aios_workbench.promote.promoting import Candidate, record
from aios_workbench.promote.records import Job, bundle_folder, job_row, tell
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Workspace


def respec(
    ws: Workspace, job: str, by: str, *, now: float | None = None, note: str | None = None, **changes: Any
) -> Job:
    """Change options of a job and keep its notebook, modules and data exactly as they were promoted.

    That the notebook has been edited since does not matter. The result is a version like any other: it may have to
    be approved, and one can roll back from it.

    Parameters
    ----------
    job : str
        Id or name.
    changes
        Options of `JobSpec`; the name and the notebook stay.

    Returns
    -------
    Job
        `changed` is False when all options were so already.

    Raises
    ------
    NotFoundError
        For an unknown job.
    DeniedError, ConflictError
        When the policy says no, or a version is on trial.
    JobError, ParameterError, UnknownOptionError
        For options that do not exist or fit.

    Examples
    --------
    >>> respec(workspace(), "claims", by="ada", schedule="0 7 * * *").version  # doctest: +SKIP
    2
    """
    now = time.time() if now is None else now
    row = job_row(ws, job)
    permits.require(ws, by, "job.promote", row)
    old = JobSpec.from_dict(json.loads(row["spec"]))
    spec = JobSpec(**{**old.to_dict(), **changes, "name": old.name, "notebook": old.notebook})
    if spec == old:
        return Job.from_row(row, changed=False, promoted=row["version"])
    book = bundle_folder(ws, row["job_id"], row["version"]) / NOTEBOOK
    known = NotebookParameters.of(book)
    spec = spec.model_copy(update={"parameters": known.coerce(spec.parameters)})
    version = ws.catalog.one(
        "select * from job_versions where job_id = :job_id and version = :version", job_id=row["job_id"],
        version=row["version"],
    )  # fmt: skip
    assert version is not None
    files = {**objects.load(ws, version["bundle_hash"]), JOB: spec.to_yaml().encode()}
    made = Candidate(ws.project / spec.notebook, spec, Bundle(files), [])
    objects.put(ws, files)
    statement = provenance.collect(made.path, spec, made.bundle, [], by, now)
    with ws.catalog.transaction() as con:
        found, _ = record(con, made, statement, by, now, note, activate=True)
    tell(ws, "job.promoted", found.job_id, job=found.name, version=found.promoted)
    return found
