from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.errors import AiosError, JobError, UnknownOptionError
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.spec_parts import readable
from aios_workbench.workflow.durations import parse_duration

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.text(min_size=1, max_size=30).filter(lambda n: n.isprintable() and n == n.strip() and n)


@given(
    name=names,
    notebook=st.text(min_size=1),
    parameters=st.dictionaries(st.text(), json_values, max_size=4),
    missed=st.sampled_from(["skip", "latest", "all"]),
    timeout=st.none() | st.integers(1, 10**7) | st.floats(0.001, 1e6),
    retry_delay=st.just(0) | st.integers(1, 10**7),
    gates=st.dictionaries(
        st.text(), st.sampled_from(["approve", "wait", {"decision": "reject", "values": {"a": 1}}])
    ),
)
def test_job_yaml_round_trips(**options: Any) -> None:
    spec = JobSpec(**options, schedule="*/5 8-18 * * 1-5", timezone="Europe/Berlin")
    assert JobSpec.from_yaml(spec.to_yaml()) == spec
    assert JobSpec.from_dict(spec.to_dict()) == spec


def test_job_yaml_is_readable() -> None:
    spec = JobSpec(
        name="claims", notebook="notebooks/claims.ipynb", schedule="0 6 * * *", timezone="Europe/Berlin",
        parameters={"path": "claims.csv"}, timeout="1h 30m", gates={"review": "approve"},
    )  # fmt: skip
    assert spec.to_yaml().splitlines() == [
        "name: claims", "notebook: notebooks/claims.ipynb", "schedule: 0 6 * * *", "timezone: Europe/Berlin",
        "parameters:", "  path: claims.csv", "timeout: 90m", "gates:", "  review: approve",
    ]  # fmt: skip


@given(st.floats(0.001, 1e7) | st.integers(1, 10**7))
def test_durations_are_written_as_they_are_read(seconds: float) -> None:
    assert parse_duration(readable(seconds)) == seconds  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"retires": 3}, UnknownOptionError, "no option 'retires'; did you mean 'retries'?"),
        ({"schedule": "6 o'clock"}, JobError, "fields, not 5"),
        ({"timezone": "Mars/Base"}, JobError, "no time zone 'Mars/Base'"),
        ({"timeout": "soon"}, JobError, "timeout: 'soon' is not a duration"),
        ({"timeout": 0}, JobError, "timeout: a duration must be positive"),
        ({"retry_delay": -1}, JobError, "retry_delay"),
        ({"retries": -1}, JobError, "retries: Input should be greater"),
        ({"missed": "never"}, JobError, "missed: Input should be 'latest', 'all' or 'skip', not 'never'"),
        ({"overlap": "stack"}, JobError, "overlap: Input should be 'forbid', 'queue' or 'replace'"),
        ({"schedule": "0 6 * * *", "every": "1h"}, JobError, "not both"),
        ({"every": 0.5}, JobError, "every"),
        ({"starting": "soon"}, JobError, "'soon' is no instant"),
        ({"after": [{"job": "claims"}]}, JobError, "after itself"),
        ({"after": [{"jop": "load"}]}, JobError, "after.0.job"),
        ({"memory": "2 elephants"}, JobError, "memory: a size is a number of bytes"),
        ({"slo": {"failures": 1}}, JobError, "slo.failures"),
        ({"gates": {"review": "maybe"}}, JobError, "gates"),
        ({"gates": {"review": {"decide": "approve"}}}, JobError, "gate 'review' needs"),
        ({"name": ""}, JobError, "name"),
        ({"name": "a\nb"}, JobError, "printable"),
        ({"retention": 0}, JobError, "retention"),
    ],
)
def test_refused(options: dict[str, Any], kind: type[AiosError], says: str) -> None:
    with pytest.raises(kind) as caught:
        JobSpec(**{"name": "claims", "notebook": "claims.ipynb", **options})
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "- a\n- b", "name: [", "1: 2", "!!python/object/apply:os.system ['true']"]
)
def test_yaml_that_is_no_job(text: str) -> None:
    with pytest.raises(JobError, match=r"job\.yaml"):
        JobSpec.from_yaml(text)


def test_parts_go_through_yaml() -> None:
    spec = JobSpec(
        name="load", notebook="load.ipynb", every="90m", starting="2026-01-31T06:00+01:00", overlap="skip",
        memory="2GB",
        on_event=[{"event": "orders.*", "where": {"region": "eu"}, "parameters": {"path": "file.path"}}],
        after=[{"job": "extract", "on": "ended"}], slo={"failures": 0.1, "within": "30m"}, retention_bytes="3GiB",
    )  # fmt: skip
    assert (spec.overlap, spec.every, spec.memory, spec.starts_at) == (
        "forbid",
        5400,
        2 * 10**9,
        1769835600.0,
    )
    assert JobSpec.from_yaml(spec.to_yaml()) == spec
    assert "every: 90m\n" in spec.to_yaml()
    assert "retention_bytes: 3GiB\n" in spec.to_yaml()


def test_dates_in_yaml_are_instants() -> None:
    text = "name: j\nnotebook: n\nevery: 1d\nstarting: {}\n"
    for written, said in (
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T06:00:00+01:00", "2026-01-31T06:00:00+01:00"),
        ("2026-01-31T06:00", "2026-01-31T06:00"),
    ):
        spec = JobSpec.from_yaml(text.format(written))
        assert spec.starting == said
        assert JobSpec.from_yaml(spec.to_yaml()) == spec
    with pytest.raises(JobError, match="printable"):
        JobSpec(name="j", notebook="n", on_event=[{"event": "a\nb"}])


@pytest.mark.parametrize(
    ("given", "kept", "written"), [(0, 0, "0"), ("0", 0, "0"), ("5MB", 5_000_000, "5MB")]
)
def test_data_limit(given: object, kept: int, written: str) -> None:
    spec = JobSpec(name="a", notebook="a.ipynb", data_limit=given, data="pin")
    assert (spec.data_limit, spec.data) == (kept, "pin")
    assert f"data_limit: {written}" in spec.to_yaml()
    assert JobSpec.from_yaml(spec.to_yaml()) == spec


@pytest.mark.parametrize("wrong", [{"data": "ignore"}, {"data_limit": "-1"}, {"data_limit": "much"}])
def test_wrong_data_options(wrong: dict[str, str]) -> None:
    with pytest.raises(JobError, match=next(iter(wrong))):
        JobSpec(name="a", notebook="a.ipynb", **wrong)
