"""What happens when a step fails: which errors are retried, what is undone, what protects others from it."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aios_workbench.errors import DefinitionError, MissingInputError, ParameterError, hint
from aios_workbench.workflow.code import code_hash
from aios_workbench.workflow.durations import parse_duration
from aios_workbench.workflow.parameters import signature_of
from aios_workbench.workflow.spec import StepSpec

#: An error's class, or its dotted name, which needs no import where the step is defined.
ErrorClass = type[BaseException] | str
ErrorClasses = ErrorClass | Iterable[ErrorClass]
POLICY_OPTIONS = ("retry_on", "give_up_on", "breaker", "compensate", "on_error", "hedge")
ON_ERROR = ("fail", "skip", "dead_letter")
#: The parameter of an undo function that gets the step's output; the step's own name does it too.
OUTPUT = "output"


@dataclass(frozen=True)
class Breaker:
    """A circuit breaker: after too many failures nobody calls for a while, in whatever run or process.

    Steps that give the same name share it, over all workflows of the workspace. Closed, it lets every call pass.
    `failures` failures `within` a time open it: calls fail at once with `BreakerOpen`, and fallbacks answer. After
    `cool_down` one call is let through (half-open): when it succeeds the breaker closes, when it fails it opens
    again. What counts as a failure is what would be retried: an error that `give_up_on` names, or that `retry_on`
    does not, says nothing about the other side.

    Parameters
    ----------
    name : str
        What is called, such as ``"crm-api"``.
    failures : int
        So many open it.
    within, cool_down : str or float
        Durations.

    Raises
    ------
    DefinitionError
        Naming the argument.

    Examples
    --------
    >>> Breaker("crm-api", failures=3, cool_down="2m")
    Breaker(name='crm-api', failures=3, within=60.0, cool_down=120.0)
    """

    name: str
    failures: int = 5
    within: str | float = "1m"
    cool_down: str | float = "30s"

    def __post_init__(self) -> None:
        name: Any = self.name
        if not isinstance(name, str) or not name.strip() or len(name) > 200:
            raise DefinitionError(f"a breaker needs a name of 1 to 200 characters, not {self.name!r}")
        if type(self.failures) is not int or self.failures < 1:
            raise DefinitionError(
                f"breaker '{self.name}': failures must be a whole number of at least 1, not {self.failures!r}"
            )
        for duration in ("within", "cool_down"):
            try:
                object.__setattr__(self, duration, parse_duration(getattr(self, duration)))
            except ParameterError as e:
                raise DefinitionError(f"breaker '{self.name}', {duration}: {e}") from None


def check_policies(kind: str, name: str, where: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of this module as they are kept: names, seconds, a `Breaker`.

    Raises
    ------
    DefinitionError
        Naming the step, the option and what it takes.
    """
    step, out = f"{kind} '{name}' ({where})", {}
    for option, check in _CHECKS.items():
        if options.get(option) is not None:
            try:
                out[option] = check(options[option])
            except (DefinitionError, ParameterError) as e:
                raise DefinitionError(f"{step}, {option}: {e}") from None
    if out.get("compensate") is not None and options.get("cache"):
        raise DefinitionError(
            f"{step}: compensate says that the step has an effect, cache that it need not be done; leave one out"
        )
    return out


def error_name(cls: type[BaseException]) -> str:
    """Return what a class is called in every process.

    Its module and name, without what it is defined in: a class that travels by value does not take that along.

    Examples
    --------
    >>> error_name(ConnectionResetError)
    'builtins.ConnectionResetError'
    """
    return f"{cls.__module__}.{cls.__name__}"


def check_max_attempts(value: Any, workflow: str) -> int | None:
    """Return the cap on a run's attempts."""
    if value is not None and (type(value) is not int or value < 1):
        raise DefinitionError(
            f"workflow '{workflow}': max_attempts must be a whole number of at least 1, not {value!r}"
        )
    return value


def enough_attempts(
    steps: Iterable[StepSpec], conditional: Collection[str], allowed: int | None, workflow: str
) -> None:
    """Refuse a cap under which no run could ever succeed; `steps` in topological order."""
    sure: set[str] = set()  # they run whatever the parameters are
    least = 0
    for s in steps:
        if s.name not in conditional and sure.issuperset(s.upstream):
            sure.add(s.name)
            least += s.kind == "step" and not s.cache and not s.over
    if allowed is not None and least > allowed:
        raise DefinitionError(
            f"workflow '{workflow}': max_attempts={allowed} is less than its {least} steps need with no failure at "
            "all; raise it"
        )


def _classes(given: Any) -> list[str]:
    items = [given] if isinstance(given, (str, type)) else given
    if not isinstance(items, Iterable):
        raise DefinitionError(f"takes exception classes or their dotted names, not {given!r}")
    return list(dict.fromkeys(_class(item) for item in items))


def _class(given: Any) -> str:
    if isinstance(given, type) and issubclass(given, BaseException):
        return error_name(given)
    if not isinstance(given, str) or not all(p.isidentifier() for p in given.split(".")):
        raise DefinitionError(
            f"takes exception classes or their dotted names such as 'requests.exceptions.Timeout', not {given!r}"
        )
    if "." in given:
        return given
    found = getattr(builtins, given, None)
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        known = [n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, BaseException)]
        raise DefinitionError(
            f"'{given}' is no built-in exception{hint(given, known)}; give the class itself, or its name with the "
            "module's before it"
        )
    return error_name(found)


def _breaker(given: Any) -> Breaker:
    if isinstance(given, str):
        return Breaker(given)
    if not isinstance(given, Breaker):
        raise DefinitionError(f"takes a name or aios.Breaker('name', failures=5), not {given!r}")
    return given


def _undo(given: Any) -> Callable[..., Any]:
    if not callable(given):
        raise DefinitionError(f"takes a function that undoes what the step did, not {given!r}")
    function: Callable[..., Any] = given
    return function


def _on_error(given: Any) -> str:
    if given not in ON_ERROR:
        raise DefinitionError(
            f"is one of {', '.join(map(repr, ON_ERROR))}, not {given!r}{hint(str(given), ON_ERROR)}"
        )
    return str(given)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "retry_on": _classes, "give_up_on": _classes, "breaker": _breaker, "compensate": _undo, "on_error": _on_error,
    "hedge": parse_duration,
}  # fmt: skip


def policy_fields(step: str, fn: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `StepSpec` that these options fill.

    Raises
    ------
    MissingInputError
        When the undo function takes what neither the step returns nor takes.
    """
    breaker: Breaker | None = options.get("breaker")
    undo = options.get("compensate")
    # In a workflow that includes it the step has another name than where its undo function was written.
    inputs = list(signature_of(fn).parameters)
    names = [step, *(str(n) for n in (options.get("name"), getattr(fn, "__name__", None)) if n)]
    taken = [] if undo is None else _taken(names, inputs, undo)
    return {
        "retry_on": list(options.get("retry_on") or ()), "give_up_on": list(options.get("give_up_on") or ()),
        "breaker": None if breaker is None else dict(vars(breaker)), "on_error": options.get("on_error") or "fail",
        "hedge": options.get("hedge"),
        "compensate_name": "" if undo is None else str(getattr(undo, "__name__", None) or repr(undo))[:100],
        "compensate_hash": "" if undo is None else code_hash(undo),
        "compensate_takes": taken, "compensate_output": [n for n in taken if n not in inputs],
    }  # fmt: skip


def _taken(names: Sequence[str], inputs: Sequence[str], undo: Callable[..., Any]) -> list[str]:
    known, step = [*names, OUTPUT, *inputs], names[0]
    taken = []
    for p in signature_of(undo).parameters.values():
        if p.name in known and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
            taken.append(p.name)
        elif p.default is inspect.Parameter.empty:
            raise MissingInputError(
                f"step '{step}', compensate: '{p}' is neither the step's output ('{step}' or '{OUTPUT}') nor one of "
                f"its inputs{hint(p.name, known)} (there are: {', '.join(dict.fromkeys(known))})"
            )
    return taken
