from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aios_workbench import govern
from aios_workbench.errors import ConflictError, DeniedError, ParameterError
from aios_workbench.govern import cedar, policy
from aios_workbench.govern.policy import ACTIONS, Person
from aios_workbench.workspace import Workspace

CONTEXT: dict[str, dict[str, Any]] = {
    "job.approve": {"version": 2}, "job.activate": {"approvals": 0}, "job.rollout": {"mode": "canary"},
    "gate.decide": {"approved": True},
}  # fmt: skip
OPS = """
@id("ops") @advice("operators run jobs")
permit (principal in Group::"ops", action in [Action::"job.pause", Action::"job.trigger"], resource);
permit (principal == Person::"root", action, resource);
"""


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path / ".aios", database="")
    yield workspace
    workspace.close()


def resource(action: str, promoter: str = "ada") -> dict[str, Any]:
    if action == "policy.use":
        return {"type": "Workspace", "id": "workspace"}
    if action == "gate.decide":
        return {
            "type": "Gate",
            "id": "r/g",
            "name": "g",
            "workflow": "w",
            "run": "r",
            "starter": Person(promoter),
        }
    return {
        "type": "Job",
        "id": "job-1",
        "name": "claims",
        "owner": Person("ada"),
        "promoter": Person(promoter),
    }


def ask(ws: Workspace, actor: str, action: str, **said: Any) -> policy.Decision:
    return policy.allowed(ws, actor, action, {**resource(action), **said}, CONTEXT.get(action))


def test_the_default_is_what_its_file_says() -> None:
    written = cedar.read(cedar.text_of("default.cedar"))
    hostile = ("ada", "", '<img src=x onerror="1">', 'a"::b\\', "ünï\n")
    for action, actor, promoter in itertools.product(ACTIONS, hostile, hostile):
        asked = (actor, action, resource(action, promoter), CONTEXT.get(action, {}))
        assert policy._default(*asked[:3]) == written.decide(*asked)
    denied = [a for a in ACTIONS if not policy._default("ada", a, resource(a)).allowed]
    assert denied == ["job.approve"]


def test_a_policy_of_ones_own_replaces_it(ws: Workspace) -> None:
    assert ask(ws, "bob", "job.remove").allowed
    policy.use(ws, "root", OPS, json.dumps({"ada": ["ops"], "bob": ["others"]}))
    assert ask(ws, "ada", "job.pause") == policy.Decision(allowed=True, why="operators run jobs", rule="ops")
    assert ask(ws, "ada", "job.remove") == policy.Decision(
        allowed=False, why="no rule of the policy allows it"
    )
    assert not ask(ws, "bob", "job.pause").allowed
    assert ask(ws, "root", "job.remove") == policy.Decision(
        allowed=True, why="by the rule 'line 4'", rule="line 4"
    )
    with pytest.raises(DeniedError, match=r"ada may not do job\.remove with 'claims': no rule"):
        policy.require(ws, "ada", "job.remove", resource("job.remove"))
    with pytest.raises(DeniedError, match=r"policy\.use"):
        policy.use(ws, "ada", None)
    with pytest.raises(ConflictError, match="in force already"):
        policy.use(ws, "root", OPS, json.dumps({"ada": ["ops"], "bob": ["others"]}))
    policy.use(ws, "root", None)
    assert ask(ws, "bob", "job.remove").allowed
    trail = ws.catalog.query("select actor, action, detail from audit order by seq")
    assert [(r["actor"], r["action"]) for r in trail] == [
        ("root", "policy.use"), ("ada", "policy.denied"), ("ada", "policy.denied"), ("root", "policy.use"),
    ]  # fmt: skip
    assert json.loads(trail[0]["detail"])["policy"] == OPS
    assert json.loads(trail[1]["detail"])["action"] == "job.remove"
    assert govern.verify(ws) is None


@pytest.mark.parametrize(
    ("text", "people", "said"),
    [
        ("\n// first\npermit (principal, action, resource)\nwhen {;", "{}", "rule of line 3"),
        ('permit (principal, action, resource);\n\npermit (principal, action == Action::"job.pauze", resource);',
         "{}", r'line 3: unrecognized action `Action::"job\.pauze"`'),
        ('permit (principal, action, resource) when { resource.nam == "x;" };', "{}", "line 1: attribute `nam`"),
        ('permit (principal, action == Action::"job.pause", resource) when { context.version > 1 };', "{}",
         "attribute `version` in context"),
        ("permit (principal == ?principal, action, resource);", "{}", "template"),
        ("", "{}", "nobody could ever change this policy"),
        ('permit (principal in Group::"ops", action, resource);', '{"bob": ["dev"]}', "nobody could ever change"),
        ("permit (principal, action, resource);", "[1]", "must list the groups of each person"),
        ("permit (principal, action, resource);", '{"ada": "ops"}', "must list the groups of each person"),
        ("permit (principal, action, resource);", "{", "not JSON"),
    ],
)  # fmt: skip
def test_a_broken_policy_is_refused(ws: Workspace, text: str, people: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        policy.use(ws, "ada", text, people)
    assert policy.in_force(ws).policy is None


def test_a_file_alone_is_no_policy_and_says_so(ws: Workspace) -> None:
    """Edited, emptied, unreadable: denied until it is in force. Deleted: what is in force goes on."""
    policy.use(ws, "root", OPS)
    path = ws.root / policy.POLICY
    path.write_text(OPS)
    assert ask(ws, "root", "job.pause").allowed
    for content in (b"permit (principal, action, resource);", b"", b"\xff\xfe"):
        path.write_bytes(content)
        for who in ("root", "ada"):
            assert "is not the policy in force; `aios policy use`" in ask(ws, who, "job.pause").why
            assert not ask(ws, who, "job.pause").allowed
    path.unlink()
    assert ask(ws, "root", "job.pause").allowed
    assert not ask(ws, "ada", "job.pause").allowed
    (ws.root / policy.PEOPLE).write_text('{"ada": ["ops"]}')
    assert not ask(ws, "root", "job.pause").allowed
    policy.use(ws, "root", OPS, '{"ada": ["ops"]}')
    assert ask(ws, "ada", "job.pause").allowed


def test_a_row_changed_behind_our_back_denies(ws: Workspace) -> None:
    policy.use(ws, "root", OPS)
    ws.catalog.write("update policies set policy = 'permit (principal, action, resource);'")
    assert "not what was put in force" in ask(ws, "root", "job.pause").why
    ws.catalog.write("update policies set policy = null")
    assert not ask(ws, "mallory", "job.pause").allowed


def test_no_cedarpy_denies(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    policy.use(ws, "root", OPS)
    cedar._read.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "cedarpy", None)
    decision = ask(ws, "root", "job.pause")
    assert (decision.allowed, decision.why) == (
        False,
        "a policy of one's own needs the package cedarpy: `pip install 'aios-workbench[policy]'`",
    )


def test_what_cannot_be_asked_is_denied(ws: Workspace) -> None:
    """Cedar leaves a rule out that fails while it is asked: a forbid would be forgotten."""
    broken = f"""{OPS}
    forbid (principal, action == Action::"job.approve", resource)
    when {{ context.version * 9223372036854775807 > 0 }};"""
    policy.use(ws, "root", broken)
    decision = policy.allowed(ws, "root", "job.approve", resource("job.approve"), {"version": 5})
    assert not decision.allowed
    assert "could not be asked" in decision.why
    assert not policy.allowed(
        ws, "root", "job.approve", resource("job.approve"), {}
    ).allowed  # no version said
    with pytest.raises(ParameterError, match=r"no action 'job\.pauze'; did you mean 'job\.pause'"):
        ask(ws, "root", "job.pauze")
