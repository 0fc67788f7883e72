"""Another schedule for what is promoted already: same notebook, new version, whatever has been edited since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aios_workbench import govern, promote
from aios_workbench.errors import JobError, NotFoundError, ParameterError, UnknownOptionError
from aios_workbench.promote import JobSpec
from aios_workbench.promote.records import bundle_folder
from aios_workbench.promote.respec import respec
from aios_workbench.workspace import Workspace

T0 = 1_800_000_000.0


@pytest.fixture
def job(ws: Workspace, write: Callable[..., Path]) -> str:
    (ws.project / "nb").mkdir(exist_ok=True)
    (ws.project / "nb" / "helper.py").write_text("X = 1\n")
    book = write("nb/claims.ipynb", "import helper\nprint(n + helper.X)", parameters="n: int = 1")
    spec = JobSpec(name="claims", notebook="-", schedule="0 * * * *", parameters={"n": 3})
    return promote.promote(ws, book, spec, "ada", now=T0).job_id


def test_the_notebook_stays_as_it_was_promoted(ws: Workspace, job: str, write: Callable[..., Path]) -> None:
    write("nb/claims.ipynb", "print('edited')", parameters="n: int = 1")
    (ws.project / "nb" / "helper.py").unlink()
    made = respec(ws, job, "bob", now=T0 + 10, note="later", schedule="30 6 * * *", parameters={"n": "8"})
    assert (made.version, made.changed, made.spec.schedule, made.spec.parameters) == (
        2,
        True,
        "30 6 * * *",
        {"n": 8},
    )
    assert made.spec.notebook == "nb/claims.ipynb"
    old, new = (bundle_folder(ws, job, v) for v in (1, 2))
    for name in ("notebook.ipynb", "helper.py"):
        assert (old / name).read_bytes() == (new / name).read_bytes()
    assert JobSpec.from_yaml((new / "job.yaml").read_text()) == made.spec
    row = ws.catalog.one("select note, created_by from job_versions where version = 2")
    assert row == {"note": "later", "created_by": "bob"}
    assert govern.verify(ws) is None


def test_nothing_new_makes_no_version(ws: Workspace, job: str) -> None:
    same = respec(ws, "claims", "bob", schedule="0 * * * *")
    assert (same.version, same.changed) == (1, False)
    assert respec(ws, job, "bob", retries=2).version == 2
    assert respec(ws, job, "bob", retries=0).version == 1, "what it was before is that version again"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"schedule": "6 o'clock"}, JobError), ({"shedule": "0 6 * * *"}, UnknownOptionError),
        ({"parameters": {"n": "x"}}, ParameterError), ({"parameters": {"m": 1}}, ParameterError),
    ],
)  # fmt: skip
def test_refused(ws: Workspace, job: str, changes: dict[str, object], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        respec(ws, job, "bob", **changes)
    assert promote.get(ws, job).version == 1


def test_an_unknown_job(ws: Workspace) -> None:
    with pytest.raises(NotFoundError, match="no job 'clams'"):
        respec(ws, "clams", "bob", retries=1)
