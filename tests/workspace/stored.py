"""What the tests of stored values share."""

from __future__ import annotations

from typing import Any

from aios_workbench.workspace.artifacts import decode, encode


def there_and_back(value: Any) -> tuple[str, Any]:
    """Return how a value was stored, and what came back."""
    kind, _type, _shape, _meta, blob = encode(value)
    return kind, decode(kind, blob)
