"""What the workbench can be connected to, and how far each connection has been proven. Never more than was run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["real", "wire", "schema", "untested"]

#: what each level claims
LEVELS: dict[str, str] = {
    "real": "executed in our tests against the real system",
    "wire": "executed against a peer that speaks the same protocol",
    "schema": "what it writes is validated against the published schema",
    "untested": "not executed, or not there yet",
}


@dataclass(frozen=True)
class Adapter:
    """A connection to a system.

    Attributes
    ----------
    purpose : str
        Which part of the workbench it serves.
    evidence : str
        What was run to prove it, and where.
    protocols : tuple of str
        Of fsspec: what a URL of AIOS_ARTIFACTS begins with.
    """

    name: str
    purpose: str
    level: Level
    evidence: str
    protocols: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return asdict(self)


ADAPTERS: tuple[Adapter, ...] = (
    Adapter("SQLite", "journal and catalog", "real", "tests/engine, tests/faults: runs, kill -9"),
    Adapter("file system", "artifacts", "real", "tests/workspace, tests/cli: stored, verified, collected"),
    Adapter("embedded scheduler", "jobs", "real", "tests/promote: ticks, missed runs, two workers"),
    Adapter(
        "jupyter-scheduler",
        "its dialog and lists, with our jobs behind them",
        "real",
        "tests/browser/test_jupyter_scheduler_lab.py: its API and its lists in JupyterLab, 2.12.1",
    ),
    Adapter(
        "Jupyter kernel",
        "jobs, one-off notebooks",
        "real",
        "tests/promote, tests/cli: executed in a fresh kernel",
    ),
    Adapter(
        "container image",
        "a job's notebook with its locked environment",
        "schema",
        "tests/promote/test_job_image.py: hadolint, the Dockerfile's commands in a folder; no image was built",
    ),
    Adapter("threads", "executor of steps", "real", "tests/engine: parallel branches, retries, timeouts"),
    Adapter(
        "JupyterHub",
        "who may see and act",
        "real",
        "tests/server/test_hub.py: hub, its own proxy, cookie, other users refused, name in the audit trail",
    ),
    Adapter(
        "reverse proxy",
        "panel and widgets below a base URL",
        "wire",
        "tests/browser/test_base_url.py: prefix kept, websockets, cut connections",
    ),
    Adapter(
        "faiss", "vectors, tuned indexes", "real", "tests/knn: all families; the conformance suite of stores"
    ),
    Adapter("DuckDB", "vectors, exact search", "real", "tests/knn/stores: the conformance suite of stores"),
    Adapter("Milvus Lite", "vectors", "real", "tests/knn/stores: the conformance suite of stores, on a file"),
    Adapter(
        "PostgreSQL with pgvector",
        "vectors",
        "real",
        "tests/knn/stores: the conformance suite of stores, on a private cluster of Debian's server",
    ),
    Adapter(
        "Milvus server",
        "vectors",
        "wire",
        "tests/knn/stores: the conformance suite by pymilvus over gRPC and TCP against the server of Milvus Lite",
    ),
    Adapter(
        "Qdrant",
        "vectors",
        "wire",
        "tests/knn/stores: the conformance suite; requests read by the models of qdrant-client (made from its OpenAPI, "
        "unknown fields refused) and answered by its local mode",
    ),
    Adapter(
        "Pinecone",
        "vectors",
        "wire",
        "tests/knn/stores: the conformance suite against a peer of ours of its REST 2025-10, whose data plane "
        "Pinecone's own client reads and writes as well",
    ),
    Adapter(
        "Weaviate",
        "vectors",
        "wire",
        "tests/knn/stores: the conformance suite against a peer of ours, of its REST and GraphQL as documented",
    ),
    Adapter(
        "PostgreSQL",
        "journal and catalog of a team",
        "real",
        "tests/workspace, tests/engine, tests/promote on Debian's server as on SQLite; tests/faults/test_team.py: "
        "machines killed, stopped and fenced, server restarted",
    ),
    Adapter(
        "shared folder (fsspec file)",
        "artifacts of a team",
        "real",
        "tests/workspace/test_remote.py, tests/faults/test_team.py: stored, fetched, verified, collected",
        ("file", "local"),
    ),
    Adapter(
        "memory (fsspec)",
        "artifacts, for tests",
        "real",
        "tests/workspace/test_remote.py: the same as a shared folder",
        ("memory",),
    ),
    Adapter(
        "object store (fsspec s3, gs, abfs)",
        "artifacts of a team",
        "untested",
        "written against fsspec's interface; no store of the kind was reached",
        ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"),
    ),
    Adapter(
        "Airflow 3",
        "target of promotion",
        "real",
        "tests/promote/targets: parsed by Airflow's DagBag, run by `airflow dags test`, as one task and by steps",
    ),
    Adapter(
        "Prefect 3",
        "target of promotion",
        "real",
        "tests/promote/targets: deployed to a Prefect server, run there by a process worker, as one task and by steps",
    ),
    Adapter(
        "Dagster",
        "target of promotion",
        "real",
        "tests/promote/targets: `dagster definitions validate`, `dagster job execute`, as one task and by steps",
    ),
    Adapter(
        "Kubeflow Pipelines 2",
        "target of promotion",
        "real",
        "tests/promote/targets: compiled by kfp, run by its local SubprocessRunner, whole and by steps; no cluster",
    ),
    Adapter(
        "Argo CronWorkflow",
        "target of promotion",
        "schema",
        "tests/promote/targets: Argo's models as hera has them, strictly; the pods' commands run; no cluster",
    ),
    Adapter(
        "Kubernetes CronJob",
        "target of promotion",
        "schema",
        "tests/promote/targets: kubernetes-validate --strict; the container's command run; no cluster",
    ),
    Adapter(
        "AWS Step Functions",
        "target of promotion",
        "wire",
        "tests/promote/targets: stack, schedule and execution in moto; the command that reached ECS run",
    ),
    Adapter(
        "GitHub Actions",
        "target of promotion",
        "schema",
        "tests/promote/targets: check-jsonschema's built-in schema, zizmor --offline; the step's script run; no runner",
    ),
    Adapter(
        "systemd timer",
        "target of promotion",
        "schema",
        "tests/promote/targets: systemd-analyze verify and calendar; ExecStart's words run; no service manager",
    ),
    Adapter(
        "crontab",
        "target of promotion",
        "schema",
        "tests/promote/targets: the line read by cronsim, its command run by sh; no cron daemon",
    ),
    Adapter(
        "Temporal",
        "target of promotion",
        "wire",
        "tests/promote/targets: worker, workflow, activity on Temporal's time-skipping test server; no schedule",
    ),
)
