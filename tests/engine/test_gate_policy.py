"""Who may decide a gate: the workspace's policy, whatever name somebody takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aios_workbench.engine.decisions import POLICY, decide
from aios_workbench.errors import DeniedError
from aios_workbench.govern import policy
from aios_workbench.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path / ".aios", database="")
    for run_id in ("r1", "r2", "r3"):
        workspace.catalog.write(
            "insert into runs (run_id, workflow, status, spec_hash, created_at, user) "
            "values (:id, 'pay', 'waiting', '-', 1.0, 'ada')",
            id=run_id,
        )
        workspace.catalog.write(
            "insert into gates (run_id, step, status, requested_at) values (:id, 'review', 'waiting', 1.0)",
            id=run_id,
        )
    policy.use(workspace, "root", """
        permit (principal, action, resource);
        @advice("four eyes: whoever started a run does not approve its payment")
        forbid (principal, action == Action::"gate.decide", resource)
        when { resource.workflow == "pay" && context.approved && principal == resource.starter };
        forbid (principal == Person::"policy", action, resource);
        """)  # fmt: skip
    yield workspace
    workspace.close()


def test_who_decides(ws: Workspace) -> None:
    with pytest.raises(DeniedError, match="four eyes"):
        decide(ws, "r1", "review", approved=True, by="ada")
    with pytest.raises(DeniedError, match=r"gate\.decide"):  # named like the run's own policy
        decide(ws, "r1", "review", approved=True, by=POLICY)
    assert [g["status"] for g in ws.catalog.query("select status from gates")] == ["waiting"] * 3
    assert decide(ws, "r1", "review", approved=True, by="bob")["status"] == "approved"
    assert decide(ws, "r2", "review", approved=False, by="ada")["status"] == "rejected"
    assert decide(ws, "r3", "review", approved=True, by=POLICY, auto=True)["by"] == POLICY
