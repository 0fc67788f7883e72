"""What is said about an explanation."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from explain_payloads import VIEWS, answer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aios_workbench.widgets import explain_protocol as wire
from aios_workbench.widgets import generate_ts
from aios_workbench.widgets.explain_pack import codes, pack, unpack

REQUESTS: dict[str, dict[str, Any]] = {
    "global": {}, "swarm": {}, "row": {"row": 1}, "rows": {}, "scatter": {}, "dependence": {"column": 1},
    "effect": {"column": 1}, "interactions": {}, "cohorts": {"a": {"rows": [1, 2]}},
    "what_if": {"row": 1, "changes": {"0": 3, "3": "Ulm", "5": False}}, "agreement": {}, "column": {"column": 3},
    "counterfactual": {"row": 1}, "prototypes": {"row": 1}, "text": {"what": "code"}, "pin": {"picture": "overview"},
}  # fmt: skip


def test_the_typescript_says_the_same() -> None:
    assert generate_ts.EXPLAIN.read_text(encoding="utf-8") == generate_ts.generate_explain(), (
        "labextension/src/explain_protocol.ts is stale: python -m aios_workbench.widgets.generate_ts"
    )


def test_every_request_has_an_answer() -> None:
    assert {m.model_fields["kind"].default for m in wire.ANSWERS} == set(REQUESTS)
    for kind, more in REQUESTS.items():
        request = wire.REQUEST.validate_python({"id": 1, "kind": kind, **more})
        made = answer({"id": 1, "kind": kind, **more})
        assert type(made) is wire.ANSWERS[type(request)]  # type: ignore[index]
        json.dumps(made.model_dump(mode="json"), allow_nan=False)


@pytest.mark.parametrize("name", VIEWS)
def test_views_are_json(name: str) -> None:
    text = json.dumps(VIEWS[name]().model_dump(mode="json"), allow_nan=False)
    assert wire.ExplainView.model_validate_json(text) == VIEWS[name]()


def test_a_change_keeps_its_type() -> None:
    request = wire.REQUEST.validate_python({"id": 1, "kind": "what_if", **REQUESTS["what_if"]})
    assert request.changes == {0: 3.0, 3: "Ulm", 5: False}  # type: ignore[union-attr]
    assert request.changes[5] is False  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "row"},
        {"kind": "row", "row": -1},
        {"kind": "swarm", "points": 10**9},
        {"kind": "rows", "limit": 10**6},
        {"kind": "text", "what": "rm"},
        {"kind": "scatter", "x": {"of": "nothing"}},
        {"kind": "what_if", "row": 0, "changes": {"income": 1}},
        {"kind": "what_if", "row": 0, "changes": {}, "seconds": 1e9},
        {"kind": "nothing"},
        {},
    ],
)
def test_what_is_no_request_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        wire.REQUEST.validate_python({"id": 1, **wrong})


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True)), st.sampled_from(["u8", "u16"]), st.booleans()
)
def test_numbers_come_back_as_fine_as_said(values: list[float], kind: Any, binary: bool) -> None:
    crate: list[bytes] | None = [] if binary else None
    packed = pack(values, kind, crate)
    with np.errstate(over="ignore", invalid="ignore"):
        back = unpack(packed, crate or ())
    known = [v for v in values if math.isfinite(v)]
    assert (packed.base64 is None) == binary
    for before, after in zip(values, back, strict=True):
        if not math.isfinite(before):
            assert math.isnan(after)
        elif math.isfinite(span := max(known) - min(known)):
            assert abs(after - before) <= span / packed.top * 0.51 + 1e-9 * abs(before)


def test_whole_numbers_come_back() -> None:
    crate: list[bytes] = []
    packed = [
        codes([-127, 0, 127], "i8", crate),
        codes([4_000_000_000], "u32", crate),
        codes([255, 3], "u8", crate, missing=255),
    ]
    assert [unpack(p, crate).tolist() for p in packed[:2]] == [[-127, 0, 127], [4_000_000_000]]
    assert math.isnan(unpack(packed[2], crate)[0])
    assert [p.buffer for p in packed] == [0, 1, 2]
