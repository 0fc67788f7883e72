"""Policies in Cedar [1]_, read and asked through cedarpy.

References
----------
.. [1] Cedar policy language, docs.cedarpolicy.com.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aios_workbench.errors import ParameterError

_STATEMENT = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"|;', re.DOTALL)
_SPOKEN = re.compile(r"//[^\n]*|\s+")
_POLICY = re.compile(r"policy(\d+)")


def text_of(name: str) -> str:
    """Return a file shipped beside this module."""
    return importlib.resources.files("aios_workbench.govern").joinpath(name).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Decision:
    """Whether somebody may do something, and why.

    Attributes
    ----------
    why : str
        In words: the `@advice` of the rule that decided, else its name, else that no rule allows it.
    rule : str or None
        The rule's `@id`, else "line 12"; None when no rule decided.
    """

    allowed: bool
    why: str
    rule: str | None = None


def denied(why: str) -> Decision:
    """Return the decision that no rule has made."""
    return Decision(allowed=False, why=why)


@dataclass(frozen=True)
class Policy:
    """A policy that was read and found to fit the schema, with who is in which group."""

    rules: Any
    schema: Any
    groups: Mapping[str, tuple[str, ...]]
    #: by cedarpy's own name of a rule: name, advice
    names: Mapping[str, tuple[str, str]]

    def decide(
        self, actor: str, action: str, resource: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Decision:
        """Ask it. What cannot be asked is denied."""
        import cedarpy

        what = {"type": resource["type"], "id": resource["id"]}
        request = {
            "principal": _person(actor), "action": {"type": "Action", "id": action}, "resource": what,
            "context": dict(context),
        }  # fmt: skip
        try:
            answer = cedarpy.is_authorized(request, self.rules, self._entities(actor, resource), self.schema)
        except ValueError as e:
            return denied(f"the policy could not be asked: {e}")
        if answer.diagnostics.errors:  # a rule that fails is left out by Cedar: a `forbid` would be forgotten
            return denied(f"the policy could not be asked: {'; '.join(answer.diagnostics.errors)}")
        decided = [self.names[r] for r in sorted(answer.diagnostics.reasons, key=_number)]
        if not decided:
            return denied("no rule of the policy allows it")
        rule, advice = decided[0]
        return Decision(answer.allowed, advice or f"by the rule {rule!r}", rule)

    def _entities(self, actor: str, resource: Mapping[str, Any]) -> list[dict[str, Any]]:
        names = {actor, *(v.name for v in resource.values() if isinstance(v, Person))}
        people = [
            {"uid": _person(n), "attrs": {}, "parents": [{"type": "Group", "id": g} for g in self.groups.get(n, ())]}
            for n in sorted(names)
        ]  # fmt: skip
        said = {
            k: {"__entity": _person(v.name)} if isinstance(v, Person) else v
            for k, v in resource.items()
            if k not in ("type", "id")
        }
        what = {"uid": {"type": resource["type"], "id": resource["id"]}, "attrs": said, "parents": []}
        return [*people, what]


@dataclass(frozen=True)
class Person:
    """Somebody that a resource speaks of."""

    name: str


def read(policy: str, people: str = "{}") -> Policy:
    """Read a policy and the groups, and hold them against the schema.

    Parameters
    ----------
    policy : str
        Cedar.
    people : str
        JSON: a list of groups by person.

    Raises
    ------
    ParameterError
        Naming every line that is wrong, or what to install.

    Examples
    --------
    >>> rule = 'permit (principal in Group::"ops", action == Action::"job.pause", resource);'
    >>> policy = read(rule, '{"ada": ["ops"]}')
    >>> job = {"type": "Job", "id": "1", "name": "claims", "owner": Person("bob"), "promoter": Person("bob")}
    >>> policy.decide("ada", "job.pause", job, {}).allowed, policy.decide("bob", "job.pause", job, {}).allowed
    (True, False)
    """
    return _read(policy, people)


@functools.lru_cache(maxsize=32)
def _read(policy: str, people: str) -> Policy:
    cedarpy = _cedarpy()
    statements = list(_statements(policy))
    for line, statement in statements:
        try:
            cedarpy.PolicySet.from_str(statement)
        except ValueError as e:
            raise ParameterError(f"the policy cannot be read: rule of line {line}: {e}") from None
    schema = cedarpy.Schema.from_str(text_of("schema.cedarschema"))
    found = cedarpy.validate_policies(policy, schema)
    if not found.validation_passed:
        said = dict.fromkeys(
            f"line {_line(e.policy_id, statements)}: {_plain(e.error)}" for e in found.errors
        )
        raise ParameterError(
            f"the policy does not fit what can be asked: {'; '.join(said)} "
            "(`aios policy show --schema` prints what it may speak of)"
        )
    rules = json.loads(cedarpy.policies_to_json_str(policy))
    if rules.get("templates"):
        raise ParameterError("the policy holds a template (?principal, ?resource); write the rule out")
    names = {}
    for name, rule in rules["staticPolicies"].items():
        notes = rule.get("annotations") or {}
        names[name] = (notes.get("id") or f"line {_line(name, statements)}", notes.get("advice") or "")
    return Policy(cedarpy.PolicySet.from_str(policy), schema, _groups(people), names)


def _cedarpy() -> Any:
    try:
        import cedarpy
    except ImportError:
        raise ParameterError(
            "a policy of one's own needs the package cedarpy: `pip install 'aios-workbench[policy]'`"
        ) from None
    return cedarpy


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each rule with the line it begins in."""
    start = 0
    for found in _STATEMENT.finditer(text):
        if found[0] == ";":
            yield _begin(text, start), text[start : found.end()]
            start = found.end()
    if _SPOKEN.sub("", text[start:]):
        yield _begin(text, start), text[start:]


def _begin(text: str, start: int) -> int:
    while (skipped := _SPOKEN.match(text, start)) is not None:
        start = skipped.end()
    return text.count("\n", 0, start) + 1


def _line(name: str, statements: list[tuple[int, str]]) -> int:
    number = _number(name)
    return statements[number][0] if number < len(statements) else 1


def _number(name: str) -> int:
    found = _POLICY.fullmatch(name)
    return int(found[1]) if found else 0


def _plain(message: str) -> str:
    return re.sub(r"^for policy `policy\d+`, ", "", message)


def _groups(people: str) -> dict[str, tuple[str, ...]]:
    try:
        found = json.loads(people)
    except ValueError as e:
        raise ParameterError(f"people.json is not JSON: {e}") from None
    if not isinstance(found, dict) or not all(
        isinstance(groups, list) and all(isinstance(g, str) and g for g in groups)
        for groups in found.values()
    ):
        raise ParameterError('people.json must list the groups of each person: {"ada": ["releasers"]}')
    return {name: tuple(groups) for name, groups in found.items()}


def _person(name: str) -> dict[str, str]:
    return {"type": "Person", "id": name}
