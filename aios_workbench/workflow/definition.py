"""Plain functions become a workflow."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, overload

from aios_workbench.errors import DefinitionError, UnknownOptionError, hint
from aios_workbench.workflow import hooks, policies
from aios_workbench.workflow.budgets import FLOW_OPTIONS, workflow_flow
from aios_workbench.workflow.code import cell_of
from aios_workbench.workflow.isolation import ISOLATION_OPTIONS, check_names
from aios_workbench.workflow.life import Hook, Life
from aios_workbench.workflow.mermaid import mermaid
from aios_workbench.workflow.names import check_parameter, valid_name
from aios_workbench.workflow.options import check_options
from aios_workbench.workflow.parameters import ParameterSpec, signature_of
from aios_workbench.workflow.policies import POLICY_OPTIONS, Breaker, ErrorClasses
from aios_workbench.workflow.shapes import Shapes
from aios_workbench.workflow.spec import StepSpec, WorkflowSpec, topological
from aios_workbench.workflow.specs import all_edges, is_changed, parameters_of, step_spec
from aios_workbench.workflow.written import Definition

F = TypeVar("F", bound=Callable[..., Any])
Functions = Callable[..., Any] | Sequence[Callable[..., Any]] | None

_STEP_OPTIONS = (
    "name",
    "retries",
    "backoff",
    "timeout",
    "cache",
    "after",
    "fallback",
    "inputs",
    "tags",
    "when",
    "gate",
    *POLICY_OPTIONS,
    "needs",
    *FLOW_OPTIONS,
    *ISOLATION_OPTIONS,
)
_GATE_OPTIONS = ("name", "form", "timeout", "when", "after", "on_reject", "inputs", "tags", "needs")


class Workflow(Shapes):
    """A graph of plain functions.

    Parameters
    ----------
    name : str
        What runs are listed under.
    description : str
        One line for people.
    max_parallel : int
        How many steps of one run may be executing at once.
    max_attempts : int, optional
        How many attempts all steps of one run may make together: retries, fallbacks and hedges, those of a process
        that died too. The run fails with `AttemptsExhausted` where it needs more; ``run.resume()`` gives it as many
        again.
    compensate_on_cancel : bool
        Undo finished steps (their option `compensate`) when a run is cancelled too, not only when it fails.
    priority : int
        From -100 to 100: of runs and steps that wait for the same, those of the higher priority go first.
    max_active : int, optional
        How many of its runs may be active at once, over all processes; further ones are queued.
    max_queued : int, optional
        How many may be queued: `run()` waits until there is room, or raises `QueueFull` with ``_wait=False``.
    budget, daily_budget, total_budget : mapping, optional
        What one run, all runs of a day, all runs ever may spend, such as ``{"tokens": 50_000, "EUR": 2.5}``: of
        calls, tokens, money by currency, attempts, `seconds` (of the clock) and `busy_seconds` (steps side by side
        add up). When more was spent, the step fails with `BudgetExceeded`; what had finished is kept.
    zone : str
        The time zone in which a day of `daily_budget` begins.
    on_start, on_success, on_failure, on_sla_miss : function or list of functions, optional
        Called with what is known of the run (`run_id`, `workflow`, `status`, `error`, …): once per run, and again
        after a resume. What they raise is written down and changes nothing. A cancelled run has neither succeeded
        nor failed.
    sla : str or float, optional
        How long a run may take, counted from when it was asked for. One that has not ended by then is late.

    Raises
    ------
    DefinitionError
        When the name is empty or not text.

    Examples
    --------
    >>> wf = Workflow("greet")
    >>> @wf.step
    ... def name(who: str = "world") -> str:
    ...     return who.title()
    >>> @wf.step
    ... def greeting(name):  # a parameter named like a step is an edge
    ...     return f"Hello {name}"
    >>> [(s.name, s.upstream) for s in wf.steps]
    [('name', []), ('greeting', ['name'])]
    """

    def __init__(
        self, name: str, *, description: str = "", max_parallel: int = 8, max_attempts: int | None = None,
        compensate_on_cancel: bool = False, priority: int = 0,
        max_active: int | None = None, max_queued: int | None = None, budget: Mapping[str, Any] | None = None,
        daily_budget: Mapping[str, Any] | None = None, total_budget: Mapping[str, Any] | None = None,
        zone: str = "UTC", on_start: Hook = None, on_success: Hook = None, on_failure: Hook = None,
        on_sla_miss: Hook = None, sla: str | float | None = None,
    ) -> None:  # fmt: skip
        self.name = valid_name(name, "workflow")
        if type(max_parallel) is not int or max_parallel < 1:
            raise DefinitionError(f"max_parallel must be a whole number of at least 1, not {max_parallel!r}")
        self.description = description
        self.max_parallel = max_parallel
        self.max_attempts = policies.check_max_attempts(max_attempts, name)
        self.compensate_on_cancel = bool(compensate_on_cancel)
        self._flow = workflow_flow(self.name, {
            "priority": priority, "max_active": max_active, "max_queued": max_queued, "budget": budget,
            "daily_budget": daily_budget, "total_budget": total_budget, "zone": zone,
        })  # fmt: skip
        on = {
            "on_start": on_start,
            "on_success": on_success,
            "on_failure": on_failure,
            "on_sla_miss": on_sla_miss,
        }
        self.life = Life(self.name, sla, on)
        self._definitions: dict[str, Definition] = {}
        self._listeners: list[Callable[[], None]] = []
        self.last_spec: WorkflowSpec | None = None

    # -- building

    @overload
    def step(self, fn: F, /) -> F: ...
    @overload
    def step(
        self,
        /,
        *,
        name: str | None = None,
        retries: int = 0,
        backoff: str | float = 0.5,
        timeout: str | float | None = None,
        cache: bool = False,
        after: Iterable[str] = (),
        fallback: Functions = None,
        inputs: Mapping[str, str] | None = None,
        tags: Iterable[str] = (),
        when: Callable[..., bool] | None = None,
        gate: Callable[[Any], Any] | None = None,
        retry_on: ErrorClasses | None = None,
        give_up_on: ErrorClasses | None = None,
        breaker: str | Breaker | None = None,
        compensate: Callable[..., Any] | None = None,
        on_error: str = "fail",
        hedge: str | float | None = None,
        needs: str = "all",
        limits: Mapping[str, int] | Iterable[str] | None = None,
        priority: int = 0,
        budget: Mapping[str, Any] | None = None,
        executor: str = "thread",
        memory: str | int | None = None,
        cpu: int | None = None,
        secrets: Mapping[str, str] | None = None,
        once: bool | Callable[..., Any] = False,
        in_doubt: str = "fail",
    ) -> Callable[[F], F]: ...
    def step(self, fn: Any = None, /, **options: Any) -> Any:
        """Make a function a step; it stays an ordinary function that can be called and tested.

        Parameters
        ----------
        name : str, optional
            Instead of the function's name.
        retries : int
            Further attempts after a failed one, with exponential backoff and jitter.
        backoff : str or float
            Wait before the second attempt; doubles with every further one, at most 60 s.
        timeout : str or float, optional
            For one attempt. A function in a thread cannot be stopped: its result is discarded.
        cache : bool
            Reuse the output of any earlier run with the same code, inputs and parameters.
        after : iterable of str
            Steps that must succeed first, without giving a value.
        fallback : function or sequence of functions
            Called with the same arguments when all attempts failed; the run records which one answered.
        inputs : mapping, optional
            Parameter -> step, where the names differ.
        when : function, optional
            Called with steps' outputs and parameters; when false the step and what needs it are skipped.
        gate : function, optional
            Called with the value the step (or a fallback) returned, before that counts: when it raises or returns
            False, the attempt has failed. What else it returns is kept with the step, ``run["step"].kept``. Such as
            ``aios.drift.check(reference)``.
        retry_on, give_up_on : exception class, its dotted name, or several, optional
            Only errors of the first are retried, those of the second never (it wins). Fallbacks are asked all the same.
            An error that carries `retry_after` or a response with that header says how long to wait.
        breaker : str or aios.Breaker, optional
            Shared with every step that names it: while it is open, the function is not called.
        compensate : function, optional
            Undoes the step when the run fails in the end: called with the step's output (as `output`, or the step's
            name) and inputs by name; the steps that finished last first.
        on_error : {"fail", "skip", "dead_letter"}
            What the run does when the step has failed: fail, or go on without it and what needs it; with
            "dead_letter" its inputs and error are also kept in the table `dead_letters`.
        hedge : str or float, optional
            Call the function a second time when it has not answered after that long; the first answer counts. Only
            for functions that may be called twice at once.
        needs : {"all", "any", "done"}
            Which of the steps before it must have succeeded: all, at least one, or none as long as they are over.
            What a step did not give takes the parameter's default, or is None.
        limits : mapping or iterable of str, optional
            Shared resources it holds while it executes, such as ``{"gpu": 1}`` or ``["crm-api"]``; `aios.limit` says
            how many there are. It waits for all of them at once, in no thread.
        priority : int
            Added to the run's priority.
        budget : mapping, optional
            What it may spend in one run, all attempts together; units as in `Workflow`.
        executor : {"thread", "process"}
            In a process of its own the function is killed when its time or memory is up or the run is cancelled, and
            may crash without taking anything along.
        memory : str or int, optional
            Such as ``"2GB"``: most that its process, with all that it starts, may hold.
        cpu : int, optional
            Processors its process may use.
        secrets : mapping, optional
            Parameter -> name of a secret, such as ``{"token": "CRM_TOKEN"}``. The function gets the value when it is
            called; it is never stored, and masked in logs and errors. See `aios secrets`.
        once : bool or function
            What the step does in the outside world happens at most once over all runs of the workflow: per inputs, or
            per key that the function makes of inputs it takes by name, such as ``lambda order_id: order_id``.
        in_doubt : {"fail", "ask", "again"}
            When a call was cut off, so that nobody knows whether it was done: fail, wait for a person's word
            (``run.settle(…)``), or do it again.

        Raises
        ------
        DefinitionError
            Naming the step, the cell and the remedy.
        """
        return self._decorate("step", _STEP_OPTIONS, fn, options)

    @overload
    def gate(self, fn: F, /) -> F: ...
    @overload
    def gate(
        self,
        /,
        *,
        name: str | None = None,
        form: Any = None,
        timeout: str | float | None = None,
        when: Callable[..., bool] | None = None,
        after: Iterable[str] = (),
        on_reject: str = "fail",
        inputs: Mapping[str, str] | None = None,
        tags: Iterable[str] = (),
        needs: str = "all",
    ) -> Callable[[F], F]: ...
    def gate(self, fn: Any = None, /, **options: Any) -> Any:
        """Make a function a gate: what it returns is shown to a person, who approves or rejects.

        The steps behind it get a `Decision`. A waiting gate holds no thread and survives restarts.

        Parameters
        ----------
        form : pydantic model class, optional
            What the reviewer fills in.
        timeout : str or float, optional
            After it the gate expires and the run fails.
        when : function, optional
            When it returns false, nobody is asked and the gate approves itself.
        on_reject : {"fail", "continue"}
            With "continue" the run goes on and the steps behind see ``approved == False``.

        Raises
        ------
        DefinitionError
            Naming the gate, the cell and the remedy.
        """
        return self._decorate("gate", _GATE_OPTIONS, fn, options)

    def _decorate(self, kind: str, known: tuple[str, ...], fn: Any, options: dict[str, Any]) -> Any:
        for option in options:
            if option not in known:
                raise UnknownOptionError(
                    f"a {kind} of workflow '{self.name}' has no option '{option}'{hint(option, known)}"
                    f" (it has: {', '.join(known)})"
                )
        if fn is None:
            return lambda f: self._add(kind, f, options)
        return self._add(kind, fn, options)

    def _add(self, kind: str, fn: Any, options: dict[str, Any]) -> Any:
        if not callable(fn):
            raise DefinitionError(
                f"@wf.{kind} goes above a function, not {type(fn).__name__}; write @wf.{kind} or @wf.{kind}(option=…)"
            )
        where = cell_of(fn)
        name = valid_name(options.get("name") or getattr(fn, "__name__", ""), f"{kind} ({where})")
        code = getattr(inspect.unwrap(fn), "__code__", None)
        cell_id = "" if code is None else hooks.cell_id(code.co_filename)
        definition = Definition(name, kind, fn, check_options(kind, name, where, options), where, cell_id)
        for parameter in signature_of(fn).parameters.values():
            check_parameter(definition, parameter)
        check_names(f"{kind} '{name}' ({where})", definition.options, list(signature_of(fn).parameters))
        self._definitions[name] = definition
        self._notify()
        return fn

    def remove(self, step: str) -> None:
        """Take a step out, for instance one whose cell was deleted.

        Raises
        ------
        NotFoundError
            When there is none of that name.
        """
        self.definition(step)
        del self._definitions[step]
        self._notify()

    def definition(self, step: str) -> Definition:
        """Return a step's function and options."""
        if step not in self._definitions:
            from aios_workbench.errors import NotFoundError

            raise NotFoundError(f"workflow '{self.name}' has no step '{step}'{hint(step, self._definitions)}")
        return self._definitions[step]

    # -- reading

    @property
    def steps(self) -> list[StepSpec]:
        """The steps in topological order."""
        return self.spec().steps

    @property
    def parameters(self) -> list[ParameterSpec]:
        """What a run can be given."""
        return parameters_of(self._definitions).specs()

    def spec(self) -> WorkflowSpec:
        """Return the whole workflow as data.

        Raises
        ------
        DefinitionError
            For a circle, an unknown `after`, or parameters that contradict each other.
        """
        edges, made = {}, []
        for d in self._definitions.values():
            edges[d.name] = all_edges(d, self._definitions)
            made.append(step_spec(d, edges[d.name]))
        steps = topological(made, self.name)
        parameters = [p.to_dict() for p in parameters_of(self._definitions, edges).specs()]
        conditional = [d.name for d in self._definitions.values() if d.options.get("when") is not None]
        policies.enough_attempts(steps, conditional, self.max_attempts, self.name)
        return WorkflowSpec(
            self.name, steps, parameters, self.description, self.max_parallel,
            self.max_attempts, self.compensate_on_cancel, **self._flow, **self.life.fields(),
        )  # fmt: skip

    def what_if(self, step: str, options: Mapping[str, Any]) -> WorkflowSpec:
        """Return the spec this workflow would have if a step's decorator had these options.

        Raises
        ------
        DefinitionError
            When it could then not run.
        """
        old, trial = self.definition(step), Workflow(self.name, max_parallel=self.max_parallel)
        trial.max_attempts = self.max_attempts
        checked = check_options(old.kind, old.name, old.where, options)
        trial._definitions = self._definitions | {step: replace(old, options=checked)}
        return trial.spec()

    def to_dict(self) -> dict[str, Any]:
        """Return `spec()` as a JSON-able dict; `WorkflowSpec.from_dict` reads it."""
        return self.spec().to_dict()

    def to_mermaid(self, direction: str = "LR") -> str:
        """Return the graph as Mermaid text: paste it into a markdown cell, a README or a wiki page.

        Parameters
        ----------
        direction : {"LR", "TB", "RL", "BT"}
            Where the arrows point: left to right, top to bottom, and back.

        Examples
        --------
        >>> wf = Workflow("first")
        >>> _ = wf.step(name="load")(lambda: 1)
        >>> print(wf.to_mermaid("TB").splitlines())
        ['flowchart TB', '  s0["load"]']
        """
        return mermaid(self.spec().steps, direction=direction)

    @property
    def state(self) -> dict[str, str]:
        """Per step ``"fresh"``, ``"stale"`` (it or something before it changed since the last run) or ``"new"``."""
        spec = self.spec()
        if self.last_spec is None:
            return {s.name: "new" for s in spec.steps}
        before = {s.name: s for s in self.last_spec.steps}
        changed = {s.name for s in spec.steps if s.name not in before or is_changed(s, before[s.name])}
        stale = spec.downstream(changed)
        return {
            s.name: "new" if s.name not in before else "stale" if s.name in stale else "fresh"
            for s in spec.steps
        }

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters of a run, typed, defaults filled in.

        Raises
        ------
        ParameterError
            Naming the parameter and what is expected.
        """
        return parameters_of(self._definitions).validate(params, self.name)

    # -- running

    def run(
        self,
        *,
        _gates: Mapping[str, Any] | None = None,
        _key: str | None = None,
        _priority: int | None = None,
        _budget: Mapping[str, Any] | None = None,
        _wait: bool | float = True,
        **params: Any,
    ) -> Any:  # -> engine.Run; this layer does not know it
        """Start a run and return its handle at once.

        Parameters
        ----------
        _gates : mapping, optional
            Gate -> ``"approve"``, ``"reject"``, ``"wait"`` or ``{"decision": "approve", "values": {…}}``: decides
            without a person, recorded as the policy's decision. ``"*"`` stands for every gate.
        _key : str, optional
            Idempotency key: a second call with the same key returns the first run, resumed if it had failed.
        _priority : int, optional
            Instead of the workflow's.
        _budget : mapping, optional
            What this run may spend, instead of the workflow's `budget`.
        _wait : bool or float
            When `max_queued` runs are queued: wait until there is room, at most so many seconds, or not at all.
        **params
            The workflow's parameters.

        Raises
        ------
        DefinitionError, ParameterError
            Before anything is started.
        QueueFull
            When `max_queued` runs are queued and stay so for as long as `_wait` allows.
        """
        return hooks.runner().start(
            self, params, _gates, _key, {"priority": _priority, "budget": _budget, "wait": _wait}
        )

    def runs(self, limit: int = 50) -> Any:
        """Return earlier runs, newest first."""
        return hooks.runner().runs(self.name, limit)

    def history(self, limit: int = 50) -> Any:  # -> observe.models.History; this layer does not know it
        """Return its runs over time: how often they succeed, how long they take, which steps are slow or flaky."""
        return hooks.runner().history(self.name, limit)

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever a step is defined, redefined or removed; returns the undo."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def __repr__(self) -> str:
        return f"Workflow({self.name!r}, steps={list(self._definitions)})"

    def __reduce__(self) -> Any:
        # A step that mentions its workflow must not drag every other step along.
        return (Workflow, (self.name,))

    # -- inside

    def _notify(self) -> None:
        for listener in list(self._listeners):
            listener()
