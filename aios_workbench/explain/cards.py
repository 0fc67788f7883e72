"""Model cards."""

from __future__ import annotations

from typing import Any


class ModelCard:
    """A model card."""


def model_card(model: Any, **parts: Any) -> ModelCard:
    """Write a model's card."""
    raise NotImplementedError
