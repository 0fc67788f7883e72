"""What a job asks beyond its schedule: written where a target can say it, told where it cannot."""

from __future__ import annotations

import json

import pytest
import yaml
from target_kit import INTERVALS, STEPS, nightly, plan_of, plans

from aios_workbench.errors import JobError
from aios_workbench.promote.targets import NAMES, get


def one(target: str, **options: object) -> str:
    """Return the file that says when and how the job runs."""
    files = get(target).render(plan_of(target, nightly(target, **options)))
    return next(text for name, text in files.items() if not name.endswith((".airflowignore", ".timer")))


@pytest.mark.parametrize("target", NAMES)
def test_what_only_the_embedded_scheduler_does_is_said(target: str) -> None:
    said = get(target).limits(plans(target)["bounded"])
    heads = {limit.partition(":")[0] for limit in said}
    assert {"events", "dependencies", "lateness", "slo", "approvals", "retention"} <= heads
    assert any("claims.ready" in limit for limit in said)
    plain = {limit.partition(":")[0] for limit in get(target).limits(plans(target)["plain"])}
    assert not plain & {
        "events",
        "dependencies",
        "lateness",
        "slo",
        "approvals",
        "starting",
        "concurrency",
        "memory",
    }


KEPT = {
    "airflow": {"concurrency", "starting"}, "argo": {"queue", "replace"}, "crontab": {"queue"}, "dagster": set(),
    "github": {"replace"}, "kfp": {"concurrency"}, "kubernetes": {"replace"}, "prefect": {"queue", "concurrency"},
    "step-functions": set(), "systemd": set(), "temporal": {"queue", "starting"},
}  # fmt: skip


@pytest.mark.parametrize("target", NAMES)
def test_what_is_kept_is_not_denied_and_what_is_not_is_said(target: str) -> None:
    wants = {
        "queue": {"overlap": "queue"}, "replace": {"overlap": "replace"}, "concurrency": {"concurrency": 3},
        "starting": {"starting": "2027-01-01"},
    }  # fmt: skip
    before = get(target).limits(plan_of(target, nightly(target)))
    for want, options in wants.items():
        new = [x for x in get(target).limits(plan_of(target, nightly(target, **options))) if x not in before]
        assert bool(new) is (want not in KEPT[target]), (want, new)


@pytest.mark.parametrize(
    ("target", "options", "has"),
    [
        ("airflow", {"concurrency": 3}, "max_active_runs=3"),
        ("airflow", {"starting": "2027-01-02T03:04"}, "pendulum.datetime(2027, 1, 2, 3, 4, 0"),
        ("airflow", {"starting": "2025-01-02"}, "pendulum.datetime(2026, 1, 31, tz"),
        ("argo", {"overlap": "replace"}, "concurrencyPolicy: Replace"),
        ("argo", {"overlap": "queue"}, "mutexes:"),
        ("crontab", {"overlap": "queue"}, "flock /srv/claims/lock"),
        ("github", {"overlap": "replace"}, "cancel-in-progress: true"),
        ("kfp", {"concurrency": 50}, "max_concurrency=10"),
        ("kfp", {"memory": "1GiB"}, 'set_memory_limit("1536Mi")'),
        ("kubernetes", {"overlap": "replace"}, "concurrencyPolicy: Replace"),
        (
            "prefect",
            {"concurrency": 3, "overlap": "queue"},
            "limit=3, collision_strategy=ConcurrencyLimitStrategy.ENQ",
        ),
        ("step-functions", {"memory": "7.5GiB"}, "Memory: '8192'"),
        ("step-functions", {"memory": "20GiB"}, "Cpu: '4096'"),
        ("systemd", {"memory": "1GiB"}, "MemoryMax=1536M"),
        ("temporal", {"overlap": "queue"}, "BUFFER_ALL"),
        ("temporal", {"overlap": "replace"}, "ScheduleOverlapPolicy.SKIP"),
    ],
)
def test_written_where_it_can_be(target: str, options: dict[str, object], has: str) -> None:
    assert has in one(target, **options)
    assert has not in one(target) or options == {"starting": "2025-01-02"} or "SKIP" in has


@pytest.mark.parametrize("target", ["kubernetes", "argo"])
def test_a_container_is_given_more_than_its_runner_lets_the_notebook_have(target: str) -> None:
    data = yaml.safe_load(one(target, memory="1GiB"))
    found = json.dumps(data)
    assert '"resources": {"requests": {"memory": "1024Mi"}, "limits": {"memory": "1536Mi"}}' in found
    assert "resources" not in json.dumps(yaml.safe_load(one(target)))


def test_too_much_for_fargate() -> None:
    with pytest.raises(JobError, match="Fargate has no task with"):
        one("step-functions", memory="100GiB")


def test_a_step_of_its_own_is_not_capped_by_the_notebook() -> None:
    plan = plan_of("argo", nightly("argo", memory="1GiB"), steps=STEPS)
    assert any(limit.startswith("memory: the cap of 1.07 GB") for limit in get("argo").limits(plan))
    assert "1536Mi" not in "".join(get("argo").render(plan).values())


@pytest.mark.parametrize("target", NAMES)
def test_an_odd_interval(target: str) -> None:
    spec = nightly(target, schedule=None, every="45m", timezone="UTC")
    if target in INTERVALS:
        assert "2700" in next(iter(get(target).render(plan_of(target, spec)).values()))
        return
    with pytest.raises(JobError, match="no cron expression fires every 45m"):
        get(target).render(plan_of(target, spec))
