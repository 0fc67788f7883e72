"""What a job is: one readable, typed description, kept as `job.yaml` beside the notebook it runs."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import pydantic
import yaml
from pydantic import BaseModel, ConfigDict, Field

from aios_workbench.errors import AiosError, JobError, UnknownOptionError, hint
from aios_workbench.promote.channels import is_channel
from aios_workbench.promote.interval import Interval
from aios_workbench.promote.schedule import Schedule, zone
from aios_workbench.promote.spec_parts import (
    After,
    Duration,
    EventTrigger,
    Overlap,
    PackageName,
    Pause,
    Size,
    SizeOrNone,
    Slo,
    Starting,
)

_GATE_WORDS = ("approve", "reject", "wait")
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
        Cron, five fields.
    every : float or str, optional
        Instead of a schedule: an interval, "15m" or seconds, counted from `starting`.
    starting : str, optional
        An instant such as "2026-01-31T06:00+01:00" (without an offset: on the clock of `timezone`). Intervals count
        from it, and no tick comes before it. Without it, intervals count from 1970-01-01 00:00 UTC.
    on_event : list of EventTrigger
        Events that start a run, each at most once per event.
    after : list of After
        Jobs after whose runs this one starts.
    after_mode : {"all", "any"}
        Whether every one of them must have ended anew since this job last started, or one is enough.
    timezone : str
        IANA zone the schedule is read in. A job without any of these runs only when it is triggered.
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
    memory : int or str, optional
        The most memory its kernel and that one's children may hold together, "2GB"; beyond it they are killed.
    overlap : {"forbid", "queue", "replace"}
        What becomes of a tick that comes while `concurrency` runs of the job are going or waiting: it is recorded as
        skipped, it waits, or the oldest run is cancelled for it. ("skip", of earlier versions, is "forbid".)
    concurrency : int
        How many runs of the job may go on side by side.
    late_after : float or str, optional
        Tell the channels when a run has not ended this long after it was due.
    absent_after : float or str, optional
        Tell the channels when no run has succeeded for so long.
    slo : Slo, optional
        What it promises; a version on trial that breaks it is rolled back.
    approvals : int
        How many people other than the one who promotes must agree to a version before it runs.
    gates : dict
        What answers a gate when nobody is there: "approve", "reject", "wait", or
        ``{"decision": "approve", "values": {…}}``.
    alerts : list of str
        Who is told when a run fails, takes too long, or a drift monitor in it alerts: addresses of apprise [1]_
        (``mailto://…``, ``slack://…``, ``json://…``), or ``$NAME`` of an environment variable that holds one: this
        file is meant for git, and addresses have passwords in them.
    retention : int
        How many runs keep their files.
    retention_for : float or str, optional
        How long, "90d"; the newest run keeps its files whatever its age.
    retention_bytes : int or str, optional
        How many bytes the files of all runs may take together, "5GB"; the oldest go first.
    environment : {"worker", "locked"}
        Which Python runs it: the worker's own, or one made from the packages locked at the promotion.
    packages : list of str
        Packages to be locked that no import shows, by name: drivers, plugins.
    card : str, optional
        A model card, seen from the notebook's folder: the job is promoted only while it is there and nothing that it
        must say is missing.
    drift : list of str
        Drift monitors of the workspace that must be quiet: while one of them alerts nothing is promoted.
    tests : list of str
        Files, folders or ids of pytest, seen from the notebook's folder, that must pass: they are run when it is
        promoted.
    data : {"warn", "pin"}
        What becomes of a run when a data file that the notebook names is not as it was when it was promoted: a warning
        in its log, or no run at all.
    data_limit : int or str
        Data files up to this size are copied into the bundle, 40 MB in all; of larger ones it holds the hash. 0: none.

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
    every: Duration = Field(default=None, ge=1)
    starting: Starting = None
    on_event: list[EventTrigger] = Field(default_factory=list, max_length=20)
    after: list[After] = Field(default_factory=list, max_length=50)
    after_mode: Literal["all", "any"] = "all"
    timezone: str = "UTC"
    parameters: dict[str, Any] = Field(default_factory=dict)
    missed: Literal["latest", "all", "skip"] = "latest"
    catch_up: int = Field(default=24, ge=1, le=1000)
    retries: int = Field(default=0, ge=0, le=100)
    retry_delay: Pause = 60.0
    timeout: Duration = None
    memory: Size = Field(default=None, ge=64 * 2**20)
    overlap: Overlap = "forbid"
    concurrency: int = Field(default=1, ge=1, le=100)
    late_after: Duration = None
    absent_after: Duration = None
    slo: Slo | None = None
    approvals: int = Field(default=0, ge=0, le=10)
    gates: dict[str, Gate] = Field(default_factory=dict)
    alerts: list[str] = Field(default_factory=list, max_length=20)
    retention: int = Field(default=50, ge=1)
    retention_for: Duration = None
    retention_bytes: Size = None
    environment: Literal["worker", "locked"] = "worker"
    packages: list[PackageName] = Field(default_factory=list, max_length=100)
    card: str | None = Field(default=None, min_length=1)
    drift: list[str] = Field(default_factory=list, max_length=50)
    tests: list[str] = Field(default_factory=list, max_length=50)
    data: Literal["warn", "pin"] = "warn"
    data_limit: SizeOrNone = 10_000_000

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
        tz = zone(self.timezone)
        if self.schedule is not None:
            Schedule(self.schedule, self.timezone)
        if self.schedule is not None and self.every is not None:
            raise ValueError("give a schedule or an interval (every), not both")
        if self.starting is not None:
            _instant(self.starting, tz)
        if any(other.job == self.name for other in self.after):
            raise ValueError(f"it cannot start after itself ({self.name})")
        return self

    @property
    def starts_at(self) -> float | None:
        """The instant of `starting`, epoch seconds."""
        return None if self.starting is None else _instant(self.starting, zone(self.timezone))

    @property
    def ticks(self) -> Schedule | Interval | None:
        """When it is due by the clock; None for a job that something else starts."""
        if self.every is not None:
            return Interval(self.every, self.starts_at, self.timezone)
        return None if self.schedule is None else Schedule(self.schedule, self.timezone, self.starts_at)

    @property
    def starts_itself(self) -> bool:
        """True when it runs with nobody asking for it: by the clock, on an event, after another job."""
        return bool(self.schedule or self.every or self.on_event or self.after)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict; durations as text."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> JobSpec:
        """Read what `to_dict` wrote."""
        return cls(**data)

    def to_yaml(self) -> str:
        """Return `job.yaml`: what differs from the defaults, an option a line, in the order they are documented."""
        said = self.model_dump(mode="json", exclude_defaults=True)
        data = {**said, "schedule": self.schedule, "timezone": self.timezone}
        data = {name: data[name] for name in type(self).model_fields if name in data}
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


def _instant(text: str, tz: dt.tzinfo) -> float:
    try:
        found = dt.datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=tz)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no instant; write 2026-01-31 or 2026-01-31T06:00+01:00") from None


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
