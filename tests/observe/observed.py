"""Runs as rows, so that their times can be anything."""

from __future__ import annotations

import json
from typing import Any

from aios_workbench.workflow import WorkflowSpec
from aios_workbench.workspace import Workspace


class Rows:
    """Writes runs as rows, so that times can be anything."""

    def __init__(self, space: Workspace) -> None:
        self.ws, self.n = space, 0

    def run(self, spec: WorkflowSpec, status: str = "succeeded", **columns: Any) -> str:
        self.n += 1
        row = {"run_id": f"row-{self.n}", "workflow": spec.name, "status": status, "spec_hash": f"spec-{self.n}",
               "created_at": 0.0, "started_at": 0.0, "ended_at": 0.0, **columns}  # fmt: skip
        with self.ws.catalog.transaction() as con:
            con.execute("insert into specs values (?, ?)", (row["spec_hash"], json.dumps(spec.to_dict())))
        self.put("runs", **row)
        return str(row["run_id"])

    def put(self, table: str, **row: Any) -> None:
        names = ", ".join(row)
        with self.ws.catalog.transaction() as con:
            con.execute(
                f"insert into {table} ({names}) values ({', '.join('?' * len(row))})", tuple(row.values())
            )
