"""The base of everything that is shown or sent: a checked, JSON-able record."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """Base of everything on the wire: no field but the known ones, every field always written."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)
