"""Where things live: the workspace folder, its catalog, its artifacts."""

from aios_workbench.workspace.artifacts import Artifact, ArtifactStore, Part, artifact_from_row
from aios_workbench.workspace.catalog import Catalog, Session, dumps, upsert, use_wal, writer
from aios_workbench.workspace.encoding import importing
from aios_workbench.workspace.home import Workspace, locate, workspace

__all__ = [
    "Artifact", "ArtifactStore", "Catalog", "Part", "Session", "Workspace", "artifact_from_row", "dumps", "importing",
    "locate", "upsert", "use_wal", "workspace", "writer",
]  # fmt: skip
