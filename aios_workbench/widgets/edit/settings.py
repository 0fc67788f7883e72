"""A step's settings as its decorator says them, what of them is asked to change, and how that is written."""

from __future__ import annotations

import ast
import inspect
import keyword
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aios_workbench.errors import AiosError, CycleError, DefinitionError, ParameterError, hint
from aios_workbench.widgets.edit.items import Item, items
from aios_workbench.widgets.messages import StepPolicy
from aios_workbench.widgets.policies import binary, named
from aios_workbench.workflow import Workflow
from aios_workbench.workflow.durations import parse_duration
from aios_workbench.workflow.loops import LOOP_OPTIONS
from aios_workbench.workflow.mapping import MAP_OPTIONS
from aios_workbench.workflow.options import check_options
from aios_workbench.workflow.written import Definition

#: In the order they are written.
FIELDS = {
    "step": (
        "retries",
        "backoff",
        "retry_on",
        "give_up_on",
        "timeout",
        "hedge",
        "executor",
        "memory",
        "cache",
        "after",
        "fallback",
        "on_error",
        "tags",
        "when",
    ),
    "gate": ("timeout", "on_reject", "after", "tags", "when"),
}
_KNOWN = {"map": MAP_OPTIONS, "loop": LOOP_OPTIONS}
_DEFAULTS = {
    "executor": "thread",
    "retries": 0,
    "cache": False,
    "on_reject": "fail",
    "on_error": "fail",
    "backoff": 0.5,
}
_ERRORS = ("retry_on", "give_up_on")
_LISTS = ("after", "fallback", "tags", *_ERRORS)
_DURATIONS = ("timeout", "backoff", "hedge")


def fields_of(kind: str) -> list[str]:
    """Return the settings a decorator of this kind takes; a map or a loop has some of a step's."""
    if kind == "gate":
        return list(FIELDS["gate"])
    return [f for f in FIELDS["step"] if f in _KNOWN.get(kind, FIELDS["step"])]


@dataclass(frozen=True)
class Said:
    """The arguments of a decorator as written: name -> source, and whether some come from ``**options``."""

    text: str
    items: Mapping[str, Item]
    starred: bool

    @classmethod
    def of(cls, arguments: str) -> Said:
        """Read the bracketed arguments."""
        there = items(arguments)
        starred = any(not i.name for i in there)
        return cls(arguments, {i.name: i for i in there if i.name}, starred)

    def source(self, name: str) -> str | None:
        """Return an argument's source; None when it is not written here."""
        item = self.items.get(name)
        return None if item is None else self.text[item.value : item.end]

    def elements(self, name: str) -> list[str] | None:
        """Return the sources of a list's or tuple's elements; of anything else, the whole as the only one."""
        source = self.source(name)
        if source is None:
            return None
        try:
            node = ast.parse(f"({source}\n)", mode="eval").body
        except (SyntaxError, ValueError):
            return [source]
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and source[:1] in ("[", "(", "{"):
            return [source[i.start : i.end] for i in items(source)]
        if isinstance(node, ast.Constant) and node.value is None:
            return []
        return [source]


def current(definition: Definition, said: Said) -> StepPolicy:
    """Return a step's settings: what is written out as it is written, the rest by its value."""
    o = definition.options

    def given(name: str) -> bool:
        return name in said.items or (said.starred and name in o)

    return StepPolicy(
        retries=o.get("retries", 0) if given("retries") else None,
        backoff=_duration(said, "backoff", o) if given("backoff") else None,
        timeout=_duration(said, "timeout", o) if given("timeout") else None,
        hedge=_duration(said, "hedge", o) if given("hedge") else None,
        executor=o.get("executor", "thread") if given("executor") else None,
        memory=_memory(said, o) if given("memory") else None,
        retry_on=said.elements("retry_on") or named(o.get("retry_on") or ()),
        give_up_on=said.elements("give_up_on") or named(o.get("give_up_on") or ()),
        cache=bool(o.get("cache", False)) if given("cache") else None,
        on_error=o.get("on_error", "fail") if given("on_error") else None,
        after=list(o.get("after") or ()), tags=[str(t) for t in o.get("tags") or ()],
        fallback=said.elements("fallback") or [getattr(f, "__name__", repr(f)) for f in definition.fallbacks],
        when=_when(said, o), on_reject=o.get("on_reject", "fail") if given("on_reject") else None,
    )  # fmt: skip


def _duration(said: Said, name: str, options: Mapping[str, Any]) -> str | None:
    source = said.source(name)
    if source is None:
        return None if options.get(name) is None else f"{options[name]:g}"
    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError):
        return source
    return None if value is None else str(value)


def _memory(said: Said, options: Mapping[str, Any]) -> str | None:
    source = said.source("memory")
    if source is None:
        return None if options.get("memory") is None else binary(options["memory"])
    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError):
        return source
    return None if value is None else str(value)


def _when(said: Said, options: Mapping[str, Any]) -> str | None:
    when = options.get("when")
    source = said.source("when")
    return None if when is None else source or getattr(when, "__name__", repr(when))


def changes(
    workflow: Workflow, definition: Definition, said: Said, asked: StepPolicy
) -> dict[str, str | None]:
    """Return what is to be written: argument -> its new source, None where it goes.

    Raises
    ------
    ParameterError
        With a message for each field that cannot be.
    """
    now = current(definition, said)
    fields = fields_of(definition.kind)
    wrong: dict[str, str] = {}
    out: dict[str, str | None] = {}
    options = dict(definition.options)
    for name in type(asked).model_fields:
        wanted, known = _clean(getattr(asked, name)), _clean(getattr(now, name))
        if _same(name, wanted, known, definition):
            continue
        if name not in fields:
            wrong[name] = f"a {definition.kind} has no {name}"
            continue
        if said.starred and name not in said.items:
            wrong[name] = "some options of this decorator come from **…: change it there"
            continue
        try:
            value = _value(name, wanted, workflow, definition, said)
            if value is not None:
                check_options(definition.kind, definition.name, definition.where, {name: value})
            out[name] = _written(name, wanted, said)
        except AiosError as e:
            wrong[name] = _short(str(e), definition).removeprefix(f"{name}: ")
            continue
        options[name] = value
        if value is None:
            del options[name]
    if not wrong and ("after" in out or "when" in out):
        wrong |= _trial(workflow, definition, options, "after" if "after" in out else "when")
    if wrong:
        raise ParameterError("; ".join(f"{n.replace('_', ' ')}: {m}" for n, m in wrong.items()), wrong)
    return out


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return list(dict.fromkeys(v.strip() for v in value if v.strip()))
    return value


def _same(name: str, wanted: Any, known: Any, definition: Definition) -> bool:
    """True when nothing is asked to change, in whatever words it is said."""
    if wanted == known or (wanted in (None, _DEFAULTS.get(name)) and known is None and name != "backoff"):
        return True
    if name in _DURATIONS and wanted is not None and known is not None:
        try:
            return parse_duration(wanted) == definition.options.get(name)
        except ParameterError:
            return False
    if name == "after" or name in _ERRORS:
        return set(wanted) == set(known)
    if name == "fallback":
        return bool(wanted == [getattr(f, "__name__", "") for f in definition.fallbacks])
    return False


def _value(name: str, wanted: Any, workflow: Workflow, definition: Definition, said: Said) -> Any:
    if wanted is None or wanted == []:
        return None if name not in _LISTS else []
    if name == "after":
        for step in wanted:
            if step == definition.name:
                raise DefinitionError("a step cannot wait for itself")
            if step not in workflow._definitions:
                raise DefinitionError(
                    f"workflow '{workflow.name}' has no step '{step}'{hint(step, workflow._definitions)}"
                )
    if name == "fallback":
        written = dict(zip(said.elements("fallback") or (), definition.fallbacks, strict=False))
        return [written.get(f) or function(f, definition.fn) for f in wanted]
    if name == "when":
        return function(wanted, definition.fn)
    if name in _ERRORS:
        return [_error(e, definition.fn) for e in wanted]
    return wanted


def _error(name: str, fn: Any) -> Any:
    """Return the error class a name stands for; a dotted name that the kernel does not know stands for itself."""
    if name[:1] in ("'", '"'):
        return ast.literal_eval(name)
    try:
        return function(name, fn)
    except DefinitionError:
        if "." not in name:
            raise
        return name


def function(name: str, fn: Any) -> Callable[..., Any]:
    """Return what a name stands for beside a step's function.

    Raises
    ------
    DefinitionError
        When it is no name, nothing has it, or it cannot be called.
    """
    parts = name.split(".")
    if not all(p.isidentifier() and not keyword.iskeyword(p) for p in parts):
        raise DefinitionError(f"{name!r} is not a name; define a function in a cell and give its name")
    import builtins

    namespace: Mapping[str, Any] = getattr(inspect.unwrap(fn), "__globals__", {})
    if parts[0] not in namespace and not hasattr(builtins, parts[0]):
        known = [n for n, v in namespace.items() if callable(v) and not n.startswith("_")]
        raise DefinitionError(
            f"the kernel knows no {parts[0]!r}{hint(parts[0], known)}; run the cell that defines it"
        )
    value = namespace.get(parts[0], getattr(builtins, parts[0], None))
    for part in parts[1:]:
        value = getattr(value, part, None)
    if not callable(value):
        raise DefinitionError(f"{name!r} is not a function")
    return value  # type: ignore[no-any-return]


def _written(name: str, wanted: Any, said: Said) -> str | None:
    if wanted is None or wanted == [] or (wanted == _DEFAULTS.get(name) and name != "backoff"):
        return None
    if name in ("after", "tags"):
        return f"[{', '.join(quoted(w) for w in wanted)}]"
    if name == "fallback":
        elements = said.elements("fallback") or []
        texts = [w if w in elements else ".".join(w.split(".")) for w in wanted]
        return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    if name in _ERRORS:
        elements = said.elements(name) or []
        texts = [w if w in elements or "." not in w else quoted(w) for w in wanted]
        return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
    if name == "when":
        return str(wanted)
    if isinstance(wanted, str) and not _is_number(wanted):
        return quoted(wanted)
    return str(wanted)


def _is_number(text: str) -> bool:
    try:
        return bool(ast.literal_eval(text) == float(text))
    except (ValueError, SyntaxError):
        return False


def quoted(text: str) -> str:
    """Return a text as Python writes it, in double quotes where that needs no escape.

    Examples
    --------
    >>> print(quoted("it's"), quoted('a "b"'))
    "it's" 'a "b"'
    """
    plain = repr(text)
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in plain else plain


def _trial(workflow: Workflow, definition: Definition, options: dict[str, Any], field: str) -> dict[str, str]:
    try:
        workflow.what_if(definition.name, options)
    except CycleError as e:
        return {field: str(e).split(": ", 1)[-1]}
    except AiosError:
        return {}  # wrong already: this change may be what puts it right
    return {}


def _short(message: str, definition: Definition) -> str:
    """A decorator's message without the step and the place: the form says both."""
    return message.removeprefix(f"{definition.kind} '{definition.name}' ({definition.where})").lstrip(":, ")
