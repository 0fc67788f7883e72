"""What a job is: one readable, typed description, kept as `job.yaml` beside the notebook it runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from aios_workbench.errors import AiosError, JobError, ParameterError, UnknownOptionError, hint
from aios_workbench.promote.channels import is_channel
from aios_workbench.promote.schedule import Schedule, zone
from aios_workbench.workflow.durations import parse_duration

_GATE_WORDS = ("approve", "reject", "wait")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def _seconds(value: Any) -> Any:
    try:
        return None if value is None else parse_duration(value)
    except ParameterError as e:
        raise ValueError(str(e)) from None  # pydantic then names the option


def _pause(value: Any) -> Any:
    return 0.0 if value in (0, "0", "0s") else _seconds(value)


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


_Readable = PlainSerializer(readable, when_used="json")
Timeout = Annotated[float | None, BeforeValidator(_seconds), _Readable]
Pause = Annotated[float, BeforeValidator(_pause), _Readable]
Gate = Literal["approve", "reject", "wait"] | dict[str, Any]


class JobSpec(BaseModel):
    """A notebook, when it runs, with what, and what happens when it does not.

    Parameters
    ----------
    name : str
        Unique in the workspace.
    notebook : str
        Path of the notebook, relative to the project folder where it lies in it.
    schedule : str, optional
        Cron, five fields; None runs only when triggered.
    timezone : str
        IANA zone the schedule is read in.
    parameters : dict
        JSON values for names of the notebook's `parameters` cell.
    missed : {"latest", "all", "skip"}
        What becomes of ticks that passed while no worker lived. "latest" runs the newest of them, "all" the
        newest `catch_up` of them one after another, "skip" none. Each is recorded whether it runs or not.
    catch_up : int
        The most ticks "all" makes up for.
    retries : int
        How often a failed run starts again, by itself, `retry_delay` later.
    timeout : float or str, optional
        Longest time of one attempt, "30m" or seconds; its kernel is killed.
    overlap : {"skip"}
        A tick that comes while the job still runs is recorded as skipped.
    gates : dict
        What answers a gate when nobody is there: "approve", "reject", "wait", or
        ``{"decision": "approve", "values": {…}}``.
    alerts : list of str
        Who is told when a run fails, takes too long, or a drift monitor in it alerts: addresses of apprise [1]_
        (``mailto://…``, ``slack://…``, ``json://…``), or ``$NAME`` of an environment variable that holds one: this
        file is meant for git, and addresses have passwords in them.
    retention : int
        How many runs keep their files.
    card : str, optional
        A model card, seen from the notebook's folder: the job is promoted only while it is there and nothing that it
        must say is missing.

    References
    ----------
    .. [1] apprise, "Supported notifications", github.com/caronc/apprise/wiki.

    Raises
    ------
    UnknownOptionError
        For an option that does not exist, naming the nearest.
    JobError
        For a value that does not fit.

    Examples
    --------
    >>> spec = JobSpec(name="claims", notebook="claims.ipynb", schedule="0 6 * * *", timeout="30m")
    >>> spec.timeout, JobSpec.from_yaml(spec.to_yaml()) == spec
    (1800.0, True)
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=100)
    notebook: str = Field(min_length=1)
    schedule: str | None = None
    timezone: str = "UTC"
    parameters: dict[str, Any] = Field(default_factory=dict)
    missed: Literal["latest", "all", "skip"] = "latest"
    catch_up: int = Field(default=24, ge=1, le=1000)
    retries: int = Field(default=0, ge=0, le=100)
    retry_delay: Pause = 60.0
    timeout: Timeout = None
    overlap: Literal["skip"] = "skip"
    gates: dict[str, Gate] = Field(default_factory=dict)
    alerts: list[str] = Field(default_factory=list, max_length=20)
    retention: int = Field(default=50, ge=1)
    card: str | None = Field(default=None, min_length=1)

    def __init__(self, **options: Any) -> None:
        for option in options:
            if option not in type(self).model_fields:
                known = ", ".join(type(self).model_fields)
                raise UnknownOptionError(
                    f"a job has no option {option!r}{hint(option, type(self).model_fields)} (it has: {known})"
                )
        try:
            super().__init__(**options)
        except pydantic.ValidationError as e:
            problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {_problem(p)}" for p in e.errors())
            raise JobError(f"the job {options.get('name', '')!r} cannot be set up: {problems}") from None

    @pydantic.field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if not name.isprintable() or name != name.strip():
            raise ValueError("must be printable text with no space at either end")
        return name

    @pydantic.field_validator("gates")
    @classmethod
    def _decisions(cls, gates: dict[str, Gate]) -> dict[str, Gate]:
        for gate, policy in gates.items():
            if isinstance(policy, dict) and (
                policy.get("decision") not in _GATE_WORDS
                or not policy.keys() <= {"decision", "values", "reason"}
            ):
                raise ValueError(
                    f"gate {gate!r} needs {{'decision': {'|'.join(_GATE_WORDS)}, 'values': {{…}}}}"
                )
        return gates

    @pydantic.field_validator("alerts")
    @classmethod
    def _channels(cls, channels: list[str]) -> list[str]:
        for channel in channels:
            if not is_channel(channel):
                raise ValueError(
                    f"{channel!r} is no address (such as slack://…) and no $NAME of an environment variable"
                )
        return channels

    @pydantic.model_validator(mode="after")
    def _on_time(self) -> JobSpec:
        zone(self.timezone)
        if self.schedule is not None:
            Schedule(self.schedule, self.timezone)
        return self

    @property
    def ticks(self) -> Schedule | None:
        """The schedule, or None for a job that only runs when triggered."""
        return None if self.schedule is None else Schedule(self.schedule, self.timezone)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict; durations as text."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> JobSpec:
        """Read what `to_dict` wrote."""
        return cls(**data)

    def to_yaml(self) -> str:
        """Return `job.yaml`: one option a line, in the order they are documented."""
        data = self.to_dict()
        text = _dump(data, unicode=True)
        # PyYAML writes some control characters as they are and cannot read them back.
        return text if yaml.safe_load(text) == data else _dump(data, unicode=False)

    @classmethod
    def from_yaml(cls, text: str) -> JobSpec:
        """Read a `job.yaml`.

        Raises
        ------
        JobError
            When it is not YAML, or not a job.
        """
        try:
            data = yaml.safe_load(text)
        except yaml.YAMLError as e:
            raise JobError(f"job.yaml is not YAML: {e}") from None
        if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
            raise JobError(
                "job.yaml must be a list of options, such as 'name: claims' and 'notebook: claims.ipynb'"
            )
        return cls(**data)


def _dump(data: dict[str, Any], *, unicode: bool) -> str:
    return str(
        yaml.safe_dump(data, sort_keys=False, allow_unicode=unicode, default_flow_style=False, width=100)
    )


def _problem(problem: Any) -> str:
    cause = problem.get("ctx", {}).get("error")
    return (
        str(cause)
        if isinstance(cause, AiosError | ValueError)
        else f"{problem['msg']}, not {problem['input']!r}"
    )
