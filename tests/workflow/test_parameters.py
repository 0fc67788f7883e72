"""Parameters: typed by annotation, checked before anything runs, described for forms."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from aios_workbench.errors import ParameterError
from aios_workbench.workflow import ParameterSpec, Workflow, coerce


class Colour(enum.Enum):
    RED = "red"


class Limits(BaseModel):
    low: int
    high: int = 10


@dataclass
class Point:
    x: int


FRAME = pd.DataFrame({"a": [1]})


@pytest.mark.parametrize(
    ("given", "annotation", "expected"),
    [
        ("3", int, 3), (3.0, int, 3), ("1.5", float, 1.5), ("yes", bool, True), (1, bool, True),
        ("x.csv", Path, Path("x.csv")),
        (b"x", str, "x"), ("2026-01-02", dt.date, dt.date(2026, 1, 2)), ("red", Colour, Colour.RED),
        ("a", Literal["a", "b"], "a"), (["1", 2], list[int], [1, 2]), ({"low": "1"}, Limits, Limits(low=1)),
        ({"x": "2"}, Point, Point(2)), (None, int | None, None), ("5", int | None, 5), ((1, 2), list[int], [1, 2]),
        ("anything", Any, "anything"), ("x", "NotDefinedHere", "x"), (FRAME, pd.DataFrame, FRAME),
    ],
)  # fmt: skip
def test_values_take_the_annotated_type(given: Any, annotation: Any, expected: Any) -> None:
    out = coerce(given, annotation, "p", "workflow 'w'")
    assert type(out) is type(expected)
    assert out is expected or out == expected


@pytest.mark.parametrize(
    ("given", "annotation"),
    [
        ("three", int), (3.5, int), (None, int), ("perhaps", bool), ("green", Colour), ("c", Literal["a", "b"]),
        (["x"], list[int]), ({"low": "x"}, Limits), ({}, Limits), ({"y": 1}, Point), ("x", pd.DataFrame),
        ("x", np.ndarray), (10**400, float),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_name_and_value(given: Any, annotation: Any) -> None:
    with pytest.raises(ParameterError) as e:
        coerce(given, annotation, "p", "workflow 'w'")
    text = str(e.value)
    assert text.startswith("workflow 'w': parameter 'p' must be ")
    assert len(text) < 1000


def flow(fn: Callable[..., Any]) -> Workflow:
    wf = Workflow("w")
    wf.step(fn)
    return wf


def test_validate_fills_defaults_and_names_the_nearest_parameter() -> None:
    def load(path: Path, limit: int = 5, tag="x"):  # type: ignore[no-untyped-def]
        return path

    wf = flow(load)
    assert wf.validate({"path": "a.csv", "limit": "7"}) == {"path": Path("a.csv"), "limit": 7, "tag": "x"}
    with pytest.raises(
        ParameterError, match=r"no parameter 'limt'; did you mean 'limit'\? \(it has: path, limit, tag\)"
    ):
        wf.validate({"path": "a", "limt": 3})
    with pytest.raises(
        ParameterError, match=r"needs parameter 'path' \(Path\), used by step 'load': wf.run\(path=…\)"
    ):
        wf.validate({})


def test_specs_describe_a_form() -> None:
    def load(
        path: Path, limits: Limits, frame: pd.DataFrame, when: dt.date = dt.date(2026, 1, 1), n: int = 3
    ) -> Path:
        return path

    specs = {p.name: p for p in flow(load).parameters}
    assert specs["path"] == ParameterSpec(
        "path",
        "Path",
        required=True,
        default=None,
        schema={"format": "path", "type": "string"},
        steps=("load",),
    )
    assert specs["limits"].schema["properties"]["high"]["default"] == 10
    assert specs["frame"].schema == {}
    assert specs["when"].default == "datetime.date(2026, 1, 1)"
    assert specs["n"].to_dict() == {
        "name": "n", "type": "int", "required": False, "default": 3, "schema": {"type": "integer"}, "steps": ["load"],
    }  # fmt: skip


def test_the_first_default_and_annotation_given_by_any_step_hold_for_all() -> None:
    wf = Workflow("w")

    @wf.step
    def a(n):  # type: ignore[no-untyped-def]
        return n

    @wf.step
    def b(n: int = 4) -> int:
        return n

    assert wf.validate({}) == {"n": 4}
    assert wf.validate({"n": "5"}) == {"n": 5}
    assert wf.parameters[0].steps == ("a", "b")
