"""The graph as data: what a run is pinned to, what the screens draw, what travels between processes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from aios_workbench.errors import CycleError, DefinitionError, NotFoundError, hint

FORMAT = 1


@dataclass(frozen=True)
class StepSpec:
    """One node of the graph.

    Attributes
    ----------
    kind : {"step", "gate"}
    deps : dict
        Function parameter -> name of the step whose output it gets.
    after : list of str
        Steps that must succeed first, without giving a value.
    params : list of str
        Workflow parameters the function takes.
    timeout, backoff : float or None
        Seconds.
    fn, when, check, fallbacks : dict, dict or None, dict or None, list of dict
        Stored functions (artifacts), filled in when the workflow is compiled into a workspace.
    check_name : str
        What the step's value has to pass (its option `gate`); empty where there is no such thing.
    form : dict or None
        JSON schema of what a reviewer fills in.
    retry_on, give_up_on : list of str
        Names of error classes; see `policies`.
    breaker : dict or None
        The fields of a `Breaker`.
    compensate, compensate_name, compensate_hash : dict or None, str, str
        The stored function that undoes the step, its name and code.
    compensate_takes, compensate_output : list of str
        The names it takes, and those of them that get the step's output.
    on_error : {"fail", "skip", "dead_letter"}
        What becomes of the step when it fails, of a map's item when that does.
    hedge : float or None
        Seconds after which a second call starts.
    limits : dict
        Shared resource -> how many of its permits the step holds while it executes.
    priority : int
        Added to the run's.
    budget : dict
        Unit -> how much the step may spend in one run.
    executor, memory, cpu : str, int or None, int or None
        Where it is executed, and how many bytes and processors it may use there.
    secrets : dict
        Function parameter -> name of the secret it gets; the values are nowhere in here.
    once, once_key, once_takes : str, dict or None, list of str
        Its effect happens at most once for a key: "inputs", or the code of the stored function that makes it and what
        that takes. Empty where it is an ordinary step.
    in_doubt : {"fail", "ask", "again"}
        What to do about an effect that may have happened.
    cell, cell_id : str
        Where it was written, for a person; and the front end's id of that cell, where it told one.
    needs : {"all", "any", "done"}
        When it runs: all steps it waits for succeeded, at least one did, or all are over, however they ended.
    optional : list of str
        Parameters that are None when the step they come from gave nothing; others have a default.
    names : dict
        "fn", "when", "until" -> function parameter -> workflow parameter, where these differ.
    constants : dict
        "fn", "when", "until" -> function parameter -> stored value that an include bound it to.
    group : str
        Prefix of the include that it came from.
    over, item, batch, batches, concurrency, buffer
        Of a map: the step or parameter with the items, the parameter that gets one (or, `batches`, a batch of them).
    state, until, bound, on_bound
        Of a loop: the parameter with the state, the stored condition, at most how many iterations.
    yields : bool
        The function is a generator: its output is the list of what it yields, and a map over it begins at once.
    """

    name: str
    kind: str = "step"
    deps: dict[str, str] = field(default_factory=dict)
    after: list[str] = field(default_factory=list)
    params: list[str] = field(default_factory=list)
    retries: int = 0
    backoff: float = 0.5
    timeout: float | None = None
    cache: bool = False
    tags: list[str] = field(default_factory=list)
    doc: str = ""
    code: str = ""
    code_hash: str = ""
    cell: str = ""
    cell_id: str = ""
    fn: dict[str, Any] | None = None
    fallbacks: list[dict[str, Any]] = field(default_factory=list)
    fallback_names: list[str] = field(default_factory=list)
    when: dict[str, Any] | None = None
    when_deps: dict[str, str] = field(default_factory=dict)
    when_params: list[str] = field(default_factory=list)
    check: dict[str, Any] | None = None
    check_name: str = ""
    form: dict[str, Any] | None = None
    on_reject: str = "fail"
    retry_on: list[str] = field(default_factory=list)
    give_up_on: list[str] = field(default_factory=list)
    breaker: dict[str, Any] | None = None
    compensate: dict[str, Any] | None = None
    compensate_name: str = ""
    compensate_hash: str = ""
    compensate_takes: list[str] = field(default_factory=list)
    compensate_output: list[str] = field(default_factory=list)
    on_error: str = "fail"
    hedge: float | None = None
    needs: str = "all"
    optional: list[str] = field(default_factory=list)
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    yields: bool = False
    over: str = ""
    item: str = ""
    batch: int = 0
    batches: bool = False
    concurrency: int = 0
    buffer: int = 0
    state: str = ""
    until: dict[str, Any] | None = None
    until_deps: dict[str, str] = field(default_factory=dict)
    until_params: list[str] = field(default_factory=list)
    bound: int = 0
    on_bound: str = "fail"
    limits: dict[str, int] = field(default_factory=dict)
    priority: int = 0
    budget: dict[str, float] = field(default_factory=dict)
    executor: str = "thread"
    memory: int | None = None
    cpu: int | None = None
    secrets: dict[str, str] = field(default_factory=dict)
    once: str = ""
    once_key: dict[str, Any] | None = None
    once_takes: list[str] = field(default_factory=list)
    in_doubt: str = "fail"

    @property
    def shape(self) -> str:
        """What it is for a person: "gate", "map", "loop", "stream" (a generator) or "step"."""
        if self.over:
            return "map"
        return "loop" if self.bound else "stream" if self.yields else self.kind

    @property
    def upstream(self) -> list[str]:
        """Names of all steps this one waits for, each once, in order."""
        return list(
            dict.fromkeys(
                [*self.deps.values(), *self.when_deps.values(), *self.until_deps.values(), *self.after]
            )
        )


@dataclass(frozen=True)
class WorkflowSpec:
    """A whole workflow; `steps` are in topological order."""

    name: str
    steps: list[StepSpec]
    parameters: list[dict[str, Any]] = field(default_factory=list)
    description: str = ""
    max_parallel: int = 8
    max_attempts: int | None = None
    compensate_on_cancel: bool = False
    priority: int = 0
    max_active: int | None = None
    max_queued: int | None = None
    budget: dict[str, float] = field(default_factory=dict)
    daily_budget: dict[str, float] = field(default_factory=dict)
    total_budget: dict[str, float] = field(default_factory=dict)
    zone: str = "UTC"
    sla: float | None = None
    hooks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def step(self, name: str) -> StepSpec:
        """Return a step by name.

        Raises
        ------
        NotFoundError
            With the nearest name.
        """
        for step in self.steps:
            if step.name == name:
                return step
        names = [s.name for s in self.steps]
        raise NotFoundError(f"workflow '{self.name}' has no step '{name}'{hint(name, names)}")

    def downstream(self, names: Iterable[str]) -> set[str]:
        """Return the named steps and everything that depends on them.

        Examples
        --------
        >>> spec = WorkflowSpec("w", [StepSpec("a"), StepSpec("b", deps={"a": "a"}), StepSpec("c")])
        >>> sorted(spec.downstream(["a"]))
        ['a', 'b']
        """
        found = set(names)
        for step in self.steps:
            if found.intersection(step.upstream):
                found.add(step.name)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        # Not dataclasses.asdict: its deep copies cost more than all the rest of starting a run.
        return {"format": FORMAT, **vars(self), "steps": [dict(vars(step)) for step in self.steps]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> WorkflowSpec:
        """Read what `to_dict` wrote.

        Raises
        ------
        DefinitionError
            When it is of a newer format, or not a workflow.
        """
        if data.get("format") != FORMAT:
            raise DefinitionError(
                f"this workflow has format {data.get('format')!r}, this aios-workbench reads {FORMAT}; upgrade it"
            )
        known = {f.name for f in fields(StepSpec)}
        try:
            steps = [StepSpec(**{k: v for k, v in step.items() if k in known}) for step in data["steps"]]
            own = {f.name: data[f.name] for f in fields(cls) if f.name in data}
            return cls(**{**own, "steps": topological(steps, data["name"])})
        except (KeyError, TypeError, AttributeError) as e:
            raise DefinitionError(f"this is not a workflow: {type(e).__name__} {e}") from e

    @property
    def hash(self) -> str:
        """Identity of graph, code and policies, the same in every process: 32 hex digits."""
        data = _without_unset(self, self.to_dict(), _FIRST_WORKFLOW_FIELDS)
        if "hooks" in data:
            data["hooks"] = {n: [[h["name"], h["code_hash"]] for h in told] for n, told in self.hooks.items()}
        data["steps"] = [
            _without_unset(
                step, {k: v for k, v in told.items() if k not in _BY_CODE_HASH}, _FIRST_STEP_FIELDS
            )
            for step, told in zip(self.steps, data["steps"], strict=True)
        ]
        return digest(data)


#: What a step's code hash, or its place in the notebook, says already.
_BY_CODE_HASH = frozenset((
    "fn", "fallbacks", "when", "check", "compensate", "once_key", "until", "constants", "code", "doc",
    "cell", "cell_id",
))  # fmt: skip
_FIRST_WORKFLOW_FIELDS = frozenset(("format", "name", "steps", "parameters", "description", "max_parallel"))
_FIRST_STEP_FIELDS = frozenset((
    "name", "kind", "deps", "after", "params", "retries", "backoff", "timeout", "cache", "tags", "code_hash",
    "fallback_names", "when_deps", "when_params", "form", "on_reject",
))  # fmt: skip


def _without_unset(spec: Any, data: dict[str, Any], first: frozenset[str]) -> dict[str, Any]:
    """Leave out fields that came later and are not used: a workflow keeps the identity it had before them."""
    unset = {
        f.name: f.default if f.default_factory is MISSING else f.default_factory()
        for f in fields(spec) if f.name not in first
    }  # fmt: skip
    return {k: v for k, v in data.items() if k not in unset or v != unset[k]}


def digest(data: Any) -> str:
    """Return 32 hex digits for JSON-able data."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def topological(steps: list[StepSpec], workflow: str) -> list[StepSpec]:
    """Return the steps with every step behind what it waits for; otherwise in the order given.

    Raises
    ------
    CycleError
        Naming the circle.
    DefinitionError
        When a step waits for one that does not exist.
    """
    by_name = {s.name: s for s in steps}
    waiting = {s.name: len(s.upstream) for s in steps}
    followers: dict[str, list[str]] = {s.name: [] for s in steps}
    for step in steps:
        for name in step.upstream:
            if name not in by_name:
                raise DefinitionError(
                    f"step '{step.name}' of workflow '{workflow}' waits for '{name}', which does not exist"
                    f"{hint(name, by_name)} ({step.cell})"
                )
            followers[name].append(step.name)
    order: list[StepSpec] = []
    import heapq

    position = {s.name: i for i, s in enumerate(steps)}
    ready = [position[n] for n, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    while ready:
        step = steps[heapq.heappop(ready)]
        order.append(step)
        for name in followers[step.name]:
            waiting[name] -= 1
            if waiting[name] == 0:
                heapq.heappush(ready, position[name])
    if len(order) < len(steps):
        circle = _circle(by_name, [n for n, count in waiting.items() if count > 0])
        where = "; ".join(f"'{n}' is in {by_name[n].cell}" for n in circle[:-1] if by_name[n].cell)
        raise CycleError(
            f"workflow '{workflow}': {' -> '.join(circle)} is a circle ({where}). Rename a parameter or remove an "
            "`after` so that the steps can be put in an order"
        )
    return order


def _circle(by_name: Mapping[str, StepSpec], blocked: list[str]) -> list[str]:
    stuck, path, at = set(blocked), [blocked[0]], blocked[0]
    while True:
        at = next(n for n in by_name[at].upstream if n in stuck)
        if at in path:
            return [*path[path.index(at) :], at][::-1]
        path.append(at)
