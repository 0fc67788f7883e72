"""Parts of a job's description that are more than one value."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator

from aios_workbench.errors import ParameterError
from aios_workbench.workflow.durations import parse_duration
from aios_workbench.workflow.isolation import parse_bytes

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_SIZES = ((10**12, "TB"), (2**40, "TiB"), (10**9, "GB"), (2**30, "GiB"), (10**6, "MB"), (2**20, "MiB"))


def _seconds(value: Any) -> Any:
    try:
        return None if value is None else parse_duration(value)
    except ParameterError as e:
        raise ValueError(str(e)) from None  # pydantic then names the option


def _pause(value: Any) -> Any:
    return 0.0 if value in (0, "0", "0s") else _seconds(value)


def _bytes(value: Any) -> Any:
    return None if value is None else parse_bytes(value)


def readable(seconds: float | None) -> str | float | None:
    """Return the shortest text `parse_duration` reads back as the same number of seconds.

    Examples
    --------
    >>> readable(5400.0), readable(30.0), readable(0.25)
    ('90m', '30s', 0.25)
    """
    if not seconds:
        return seconds
    for size, unit in _UNITS:
        if seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return seconds


def readable_size(count: int | None) -> str | int | None:
    """Return the shortest text `parse_bytes` reads back as the same number of bytes.

    Examples
    --------
    >>> readable_size(2_000_000_000), readable_size(3 * 2**30), readable_size(1000)
    ('2GB', '3GiB', 1000)
    """
    for size, unit in _SIZES:
        if count and count % size == 0:
            return f"{count // size}{unit}"
    return count


_Readable = PlainSerializer(readable, when_used="json")
Duration = Annotated[float | None, BeforeValidator(_seconds), _Readable]
Pause = Annotated[float, BeforeValidator(_pause), _Readable]
Size = Annotated[int | None, BeforeValidator(_bytes), PlainSerializer(readable_size, when_used="json")]
SizeOrNone = Annotated[
    int,
    BeforeValidator(lambda v: 0 if v in (0, "0") else _bytes(v)),
    PlainSerializer(readable_size, when_used="json"),
]
#: YAML reads 2026-01-31 as a date
Starting = Annotated[str | None, BeforeValidator(lambda v: v.isoformat() if isinstance(v, dt.date) else v)]
Overlap = Annotated[
    Literal["forbid", "queue", "replace"], BeforeValidator(lambda v: "forbid" if v == "skip" else v)
]

#: as package indexes allow them (PEP 508)
PackageName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EventTrigger(_Part):
    """Start the job when something is said to have happened.

    Parameters
    ----------
    event : str
        Name of the event, such as ``orders.ready``; ``*`` stands for any characters.
    where : dict
        What the event's data must hold: a path such as ``region`` or ``file.kind``, and the value there.
    parameters : dict
        Parameters of the notebook by the path of the value in the event's data.
    """

    event: str = Field(min_length=1, max_length=200)
    where: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, str] = Field(default_factory=dict)

    @field_validator("event")
    @classmethod
    def _printable(cls, event: str) -> str:
        if not event.isprintable() or event != event.strip():
            raise ValueError("must be printable text with no space at either end")
        return event


class After(_Part):
    """Start the job when another one has ended.

    Parameters
    ----------
    job : str
        The other job's name.
    on : {"succeeded", "failed", "ended"}
        How it must have ended.
    """

    job: str = Field(min_length=1, max_length=100)
    on: Literal["succeeded", "failed", "ended"] = "succeeded"


class Slo(_Part):
    """What the job promises: by it a version on trial is judged, and rolled back.

    Parameters
    ----------
    failures : float, optional
        The largest share of runs that may fail, 0 to 1.
    within : float or str, optional
        Longest time from the start of a run to its end, "30m" or seconds.
    """

    failures: float | None = Field(default=None, ge=0, lt=1)
    within: Duration = None
