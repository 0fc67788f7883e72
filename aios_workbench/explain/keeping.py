"""Explanations kept in the workspace, found again by model, data and options."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import AiosError
from aios_workbench.explain.options import Options
from aios_workbench.explain.shap_running import versions

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.live import Live
    from aios_workbench.explain.space import Space

#: So many are kept, the newest.
KEPT = 200


def data_hash(space: Space, frame: pd.DataFrame) -> str:
    """Return what changes when rows do, 64 hex digits: names, kinds, values; not the index."""
    digest = hashlib.sha256()
    matrix = space.encode(frame)
    for at, column in enumerate(space.columns):
        values = [repr(v) for v in space.categories(at)]
        digest.update(json.dumps([column.name, column.kind, str(space.dtypes[at]), values]).encode())
    digest.update(repr(matrix.shape).encode())
    digest.update(matrix.tobytes())
    return digest.hexdigest()


@dataclass
class Shelf:
    """Where one explanation is, or will be; without a path it is only hashed."""

    path: Path | None
    data_hash: str
    background_hash: str

    def find(
        self, frame: pd.DataFrame, live: Live, *, name: str | None, output: int | None
    ) -> Explanation | None:
        """Return the explanation that is kept, with its rows and model at hand; None where there is none."""
        if self.path is None or not self.path.exists():
            return None
        from aios_workbench.explain.explanation import load

        try:
            found = load(self.path)
        except AiosError:
            # damaged, or of another version: it is made again
            return None
        if len(found.arrays.values) > len(frame):
            return None
        changed: dict[str, Any] = {"cached": True}
        if name is not None:
            changed["name"] = name
        found.data = found.data.model_copy(update=changed)
        if output is not None and output != found.data.output:
            return None
        found.frame, found.live = frame.iloc[: len(found.arrays.values)], live
        with contextlib.suppress(OSError):
            self.path.touch()
        return found

    def put(self, explanation: Explanation) -> None:
        """Keep an explanation that was not cancelled; that it cannot be written is no reason to lose it."""
        stopped = [explanation.data.method.stopped]
        stopped += [explanation.data.lime.stopped] if explanation.data.lime else []
        if self.path is None or "cancelled" in stopped:
            return
        from aios_workbench.explain.explanation import Explanation as Plain

        bare = Plain(explanation.data, explanation.arrays)
        with contextlib.suppress(AiosError, OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            bare.save(self.path, raw=True)
            kept = sorted(self.path.parent.glob("*.zip"), key=lambda p: p.stat().st_mtime)
            for old in kept[:-KEPT]:
                old.unlink(missing_ok=True)


def shelf(live: Live, frame: pd.DataFrame, options: Options, workspace: Any) -> Shelf:
    """Return where the explanation of these rows is kept."""
    background = data_hash(live.space, live.background)
    rows = data_hash(live.space, frame)
    mark = live.model.info.fingerprint
    if mark is None:
        return Shelf(None, rows, background)
    asked = {
        "model": mark, "rows": rows, "background": background, "options": asdict(options), "versions": versions(),
        "scale": live.model.scale, "outputs": live.model.outputs, "index": len(frame),
    }  # fmt: skip
    key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    try:
        from aios_workbench.workspace import Workspace
        from aios_workbench.workspace import workspace as opened

        root = workspace.root if isinstance(workspace, Workspace) else opened(workspace).root
    except AiosError:
        return Shelf(None, rows, background)
    return Shelf(root / "explanations" / f"{key}.zip", rows, background)
