"""One source for kernel and browser."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from aios_workbench.widgets import generate_ts, protocol


def test_typescript_is_what_the_models_say() -> None:
    assert generate_ts.TARGET.read_text(encoding="utf-8") == generate_ts.generate(), (
        "labextension/src/protocol.ts is stale: python -m aios_workbench.widgets.generate_ts"
    )


def test_generation_is_deterministic() -> None:
    assert generate_ts.generate() == generate_ts.generate()


def test_every_request_has_an_answer_and_a_kind_of_its_own() -> None:
    kinds = [m.model_fields["kind"].default for m in protocol.ANSWERS]
    assert len(set(kinds)) == len(kinds)
    assert set(protocol.ANSWERS) == set(protocol.AnyRequest.__args__)


def test_a_defaulted_field_is_optional_to_write_and_always_there_to_read() -> None:
    text = generate_ts.generate()
    assert "offset?: number;" in text.split("interface PreviewPage")[1].split("}")[0]
    assert "?" not in text.split("interface StepNode")[1].split("}")[0]


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "open_step", "id": 1},
        {"kind": "open_step", "id": 1, "step": "a", "more": 1},
        {"kind": "unknown", "id": 1},
        {"kind": "preview", "id": 1, "hash": "../../etc/passwd"},
        {"kind": "preview", "id": 1, "hash": "0" * 64, "limit": 10**9},
        {"id": 1},
    ],
)
def test_what_is_no_request_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        protocol.REQUEST.validate_python(content)
