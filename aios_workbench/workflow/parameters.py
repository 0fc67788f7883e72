"""Workflow parameters: what a run is given, with a type, a default and a JSON schema."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import MissingInputError, ParameterError, hint

_EMPTY = inspect.Parameter.empty


@dataclass(frozen=True)
class ParameterSpec:
    """A named input of a workflow.

    Attributes
    ----------
    type : str
        The annotation as text; ``"any"`` when there is none.
    schema : dict
        JSON schema, for forms.
    """

    name: str
    type: str
    required: bool
    default: Any
    schema: dict[str, Any]
    steps: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return {
            "name": self.name, "type": self.type, "required": self.required,
            "default": self.default, "schema": self.schema, "steps": list(self.steps),
        }  # fmt: skip


def signature_of(fn: Callable[..., Any]) -> inspect.Signature:
    """Return the signature with annotations resolved where that is possible."""
    try:
        return inspect.signature(fn, eval_str=True)
    except Exception:  # noqa: BLE001 - an annotation that names something not defined (yet): keep it as text
        return inspect.signature(fn)


def annotation_name(annotation: Any) -> str:
    """Return an annotation as a person would write it."""
    if annotation is _EMPTY:
        return "any"
    if isinstance(annotation, str):
        return annotation
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


class Parameters:
    """The parameters of a workflow, gathered from its steps' signatures.

    Raises
    ------
    MissingInputError
        When two steps declare the same parameter with different types or defaults.
    """

    def __init__(self) -> None:
        self._annotation: dict[str, Any] = {}
        self._default: dict[str, Any] = {}
        self._steps: dict[str, list[str]] = {}

    def add(self, step: str, where: str, parameter: inspect.Parameter) -> None:
        """Declare that `step` takes `parameter`."""
        name = parameter.name
        if name in self._steps:
            for what, mine, theirs in (
                ("type", parameter.annotation, self._annotation[name]),
                ("default", parameter.default, self._default[name]),
            ):
                if mine is not _EMPTY and theirs is not _EMPTY and not _same(mine, theirs):
                    raise MissingInputError(
                        f"parameter '{name}' has {what} {mine!r} in step '{step}' ({where}) but {theirs!r} in step "
                        f"'{self._steps[name][0]}'; give it one {what}, or another name"
                    )
        if self._annotation.get(name, _EMPTY) is _EMPTY:
            self._annotation[name] = parameter.annotation
        if self._default.get(name, _EMPTY) is _EMPTY:
            self._default[name] = parameter.default
        self._steps.setdefault(name, []).append(step)

    def specs(self) -> list[ParameterSpec]:
        """Return the declared parameters in order of appearance."""
        out = []
        for name, steps in self._steps.items():
            annotation, default = self._annotation[name], self._default[name]
            required = default is _EMPTY
            out.append(ParameterSpec(
                name, annotation_name(annotation), required, None if required else _jsonable(default),
                _schema(annotation), tuple(steps),
            ))  # fmt: skip
        return out

    def validate(self, given: Mapping[str, Any], workflow: str) -> dict[str, Any]:
        """Return all parameters with defaults filled in and types applied.

        Raises
        ------
        ParameterError
            Naming the parameter, what was given, what is expected and the nearest known name.
        """
        for name in given:
            if name not in self._steps:
                known = ", ".join(self._steps) or "none"
                raise ParameterError(
                    f"workflow '{workflow}' has no parameter '{name}'{hint(name, self._steps)} (it has: {known})"
                )
        out: dict[str, Any] = {}
        for name in self._steps:
            annotation, default = self._annotation[name], self._default[name]
            if name in given:
                out[name] = coerce(given[name], annotation, name, f"workflow '{workflow}'")
            elif default is _EMPTY:
                raise ParameterError(
                    f"workflow '{workflow}' needs parameter '{name}' ({annotation_name(annotation)}), used by step "
                    f"'{self._steps[name][0]}': wf.run({name}=…), or give it a default; if '{name}' should be a "
                    f"step, define one with that name"
                )
            else:
                out[name] = default
        return out


def coerce(value: Any, annotation: Any, name: str, where: str) -> Any:
    """Return the value as the annotation says.

    Raises
    ------
    ParameterError
        When it does not fit.
    """
    if annotation is _EMPTY or isinstance(annotation, str) or annotation is Any:
        return value
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticUserError

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=_config(annotation))
    except PydanticUserError:
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError as e:
        problem = "; ".join(
            (f"{'.'.join(map(str, p['loc']))}: " if p["loc"] else "") + p["msg"] for p in e.errors()[:3]
        )
        raise ParameterError(
            f"{where}: parameter '{name}' must be {annotation_name(annotation)}, not {_short(value)}: {problem}"
        ) from None


def _config(annotation: Any) -> Any:
    import dataclasses

    from pydantic import BaseModel, ConfigDict

    owns = isinstance(annotation, type) and (
        issubclass(annotation, BaseModel)
        or dataclasses.is_dataclass(annotation)
        or typing.is_typeddict(annotation)
    )
    return None if owns else ConfigDict(arbitrary_types_allowed=True)


def _schema(annotation: Any) -> dict[str, Any]:
    if annotation is _EMPTY or isinstance(annotation, str) or annotation is Any:
        return {}
    from pydantic import TypeAdapter

    try:
        return dict(TypeAdapter(annotation, config=_config(annotation)).json_schema())
    except Exception:  # noqa: BLE001 - a data frame, a callable: no form field can hold it
        return {}


def _jsonable(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (str, int, float, bool, list, dict, type(None))):
        return value
    return repr(value)


def _same(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except Exception:  # noqa: BLE001 - arrays and frames do not say yes or no
        return a is b


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "…"
