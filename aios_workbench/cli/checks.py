"""What `aios doctor` looks at. A check never raises: what it trips over is its finding."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import importlib.resources
import json
import os
import platform
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aios_workbench import __version__
from aios_workbench.errors import CorruptArtifactError, NotFoundError

_PACKAGES = (
    "dbos", "jupyterlab", "jupyter-server", "ipykernel", "nbclient", "anywidget", "ipywidgets", "pandas", "pyarrow",
    "duckdb", "numpy", "pydantic", "sqlalchemy", "cloudpickle", "cronsim",
)  # fmt: skip
_SAMPLE = 50
_SCARCE, _LOW = 100 * 2**20, 2**30
_NAME = "aios-workbench"
_CLOCK_SECONDS = 5.0


@dataclass(frozen=True)
class Check:
    """One finding: ``ok``, ``info``, ``warn`` or ``broken``, and the next thing to do."""

    name: str
    status: str
    detail: str
    fix: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return asdict(self)


def versions() -> dict[str, str]:
    """Return what is installed, by name."""
    found = {
        "aios-workbench": __version__, "python": f"{platform.python_version()} ({sys.executable})",
        "platform": platform.platform(), "sqlite": sqlite3.sqlite_version,
    }  # fmt: skip
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def workspace() -> Iterator[Check]:
    """Yield the findings about the workspace; it is opened only if it is there."""
    from aios_workbench.workspace import locate

    root = locate()
    if os.environ.get("AIOS_DATABASE_URL") or os.environ.get("AIOS_ARTIFACTS"):
        yield from _team(root)
        return
    if not (root / "catalog.db").exists():
        yield Check("workspace", "info", f"none at {root} yet", "`aios run` or `wf.run()` makes it")
        return
    yield _guard("workspace", lambda: _folder(root))
    catalog = _guard("catalog", lambda: _database("catalog", root / "catalog.db"))
    yield catalog
    yield _guard("journal", lambda: _database("journal", root / "journal.db"))
    yield _guard("locks", lambda: _locks(root))
    yield _guard("disk", lambda: _disk(root))
    if catalog.status == "broken":
        return
    yield _guard("audit trail", lambda: _audit(root))
    yield _guard("artifacts", lambda: _artifacts(root))
    yield _guard("processes", lambda: _processes(root))


def _team(root: Path) -> Iterator[Check]:
    """Yield the findings about what a team shares; the schema is made if there is none."""
    shared = bool(os.environ.get("AIOS_DATABASE_URL"))
    if not shared and not (root / "catalog.db").exists():
        yield Check("workspace", "info", f"none at {root} yet", "`aios run` or `wf.run()` makes it")
        return
    catalog = _guard("database", lambda: _server(root)) if shared else _guard(
        "catalog", lambda: _database("catalog", root / "catalog.db")
    )  # fmt: skip
    yield catalog
    if catalog.status == "broken":
        return
    yield _guard("workspace", lambda: _folder(root))
    yield _guard("values", lambda: _store(root))
    yield _guard("locks", lambda: _locks(root))
    yield _guard("disk", lambda: _disk(root))
    yield _guard("audit trail", lambda: _audit(root))
    yield _guard("artifacts", lambda: _artifacts(root))
    yield _guard("processes", lambda: _processes(root))


def _server(root: Path) -> Check:
    from aios_workbench.engine import journal
    from aios_workbench.workspace import workspace
    from aios_workbench.workspace.locks import lease_seconds

    ws = workspace(root)
    started = time.perf_counter()
    away = abs(ws.catalog.now() - time.time())
    took = (time.perf_counter() - started) * 1000
    version = (ws.catalog.one("select version() as v") or {"v": ""})["v"].split(" on ")[0]
    told = f"{version}, {ws.place}, answers in {took:.1f} ms, leases of {lease_seconds():g} s"
    if not journal.there(ws):
        told += ", no journal yet"
    if away > _CLOCK_SECONDS:
        return Check("database", "warn", f"{told}; this machine's clock is {away:.0f} s away from the server's",
                     "set the clock: schedules and the times of steps are this machine's, leases are not")  # fmt: skip
    return Check("database", "ok", told)


def _store(root: Path) -> Check:
    from aios_workbench.adapters import ADAPTERS
    from aios_workbench.workspace import workspace

    ws = workspace(root)
    remote = ws.artifacts.remote
    if remote is None:
        seen = f"in {ws.artifacts.folder}: other machines do not see them"
        return Check(
            "values", "warn" if ws.shared else "ok", seen, "set AIOS_ARTIFACTS to a place that all reach"
        )
    remote.exists("00")
    level = next((a.level for a in ADAPTERS if remote.protocol in a.protocols), "untested")
    told = f"{remote.url} answers ({remote.protocol}: {level}), kept here in {ws.artifacts.folder}"
    return Check("values", "ok", told)


def _guard(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as e:  # noqa: BLE001 - a finding, whatever it is
        return Check(name, "broken", f"{type(e).__name__}: {e}")


def _folder(root: Path) -> Check:
    mode = root.stat().st_mode & 0o777
    if mode & 0o077:
        return Check(
            "workspace", "warn", f"{root} can be opened by others (mode {mode:o})", f"chmod 700 {root}"
        )
    return Check("workspace", "ok", str(root))


def _database(name: str, path: Path) -> Check:
    if not path.exists():
        return Check(name, "info", "not there yet")
    con = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    with contextlib.closing(con):
        problems = [row[0] for row in con.execute("pragma integrity_check(5)")]
        mode = con.execute("pragma journal_mode").fetchone()[0]
    if problems != ["ok"]:
        return Check(name, "broken", "; ".join(map(str, problems)), "restore it, or move the workspace away")
    return Check(name, "ok", f"intact, {path.stat().st_size / 1e6:.1f} MB, {mode}")


def _locks(root: Path) -> Check:
    with (
        tempfile.NamedTemporaryFile(dir=root / "executors", suffix=".new") as one,
        Path(one.name).open("rb") as other,
    ):
        fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return Check("locks", "ok", "advisory locks work")
    return Check("locks", "broken", f"{root} is on a disk that ignores locks: two processes would do the same run",
                 "move the workspace to a local disk (AIOS_HOME)")  # fmt: skip


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root).free
    status = "broken" if free < _SCARCE else "warn" if free < _LOW else "ok"
    return Check(
        "disk", status, f"{free / 1e9:.1f} GB free", "" if status == "ok" else "free some, or run `aios gc`"
    )


def _audit(root: Path) -> Check:
    from aios_workbench.govern import verify
    from aios_workbench.workspace import workspace

    ws = workspace(root)
    problem = verify(ws)
    count = (ws.catalog.one("select count(*) as n from audit") or {"n": 0})["n"]
    if problem is not None:
        return Check("audit trail", "broken", f"row {problem['seq']}: {problem['problem']}",
                     "compare it with a backup: somebody has changed the trail")  # fmt: skip
    return Check("audit trail", "ok", f"{count} rows, chain intact")


def _artifacts(root: Path) -> Check:
    from aios_workbench.workspace import artifact_from_row, workspace

    ws = workspace(root)
    rows = ws.catalog.query(
        "select * from artifacts where hash in (select output from steps where output is not null "
        "order by random() limit :n)", n=_SAMPLE,
    )  # fmt: skip
    random.shuffle(rows)
    missing, damaged = [], []
    for artifact in map(artifact_from_row, rows):
        try:
            ws.artifacts.reread(artifact)
        except NotFoundError:
            missing.append(artifact.hash[:12])
        except CorruptArtifactError:
            damaged.append(artifact.hash[:12])
    total = ws.catalog.query("select count(*) as n, coalesce(sum(bytes), 0) as b from artifacts")[0]
    if missing or damaged:
        told = [
            f"{word} {', '.join(names[:3])}"
            for word, names in (("missing", missing), ("damaged", damaged))
            if names
        ]
        return Check("artifacts", "broken", "; ".join(told), "rerun the steps that made them")
    return Check("artifacts", "ok", f"{len(rows)} of {total['n']} verified, {total['b'] / 1e6:.1f} MB in all")


def _processes(root: Path) -> Check:
    from aios_workbench.engine import control, leases
    from aios_workbench.workspace import workspace
    from aios_workbench.workspace.locks import living

    ws = workspace(root)
    alive = living(ws)
    lost = control.list_runs(ws, status="interrupted", limit=1000)
    due = ws.catalog.query(
        "select name from jobs where status = 'active' and next_tick_at is not null and next_tick_at < :now",
        now=time.time() - 60,
    )
    if lost and not alive:
        return Check(
            "processes",
            "warn",
            f"{len(lost)} interrupted runs and nobody to adopt them",
            "start `aios worker`",
        )
    if due and not leases.workers_alive(ws):
        return Check(
            "processes",
            "warn",
            f"job {due[0]['name']} is due and no worker is running",
            "start `aios worker`",
        )
    return Check("processes", "ok", ", ".join(alive) or "none at work")


def front_end() -> Iterator[Check]:
    """Yield the findings about what JupyterLab loads."""
    yield _guard("server extension", _server_extension)
    yield _guard("lab extension", _lab_extension)
    yield _guard("widget bundle", _bundle)


def _server_extension() -> Check:
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.extension.config import ExtensionConfigManager

    manager = ExtensionConfigManager(read_config_path=jupyter_config_path())
    read: Any = manager.get_jpserver_extensions
    enabled = read(section_name="jupyter_server_config").get("aios_workbench")
    if enabled:
        return Check("server extension", "ok", "enabled")
    return Check("server extension", "broken", "disabled" if enabled is False else "not enabled",
                 "jupyter server extension enable aios_workbench")  # fmt: skip


def _lab_extension() -> Check:

    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("labextensions"):
        package = Path(folder) / _NAME / "package.json"
        if package.is_file():
            version = str(json.loads(package.read_text(encoding="utf-8"))["version"])
            if version != __version__:
                return Check("lab extension", "broken", f"version {version}, the package is {__version__}",
                             "install aios-workbench again")  # fmt: skip
            return Check("lab extension", "ok", f"version {version} in {package.parent}")
    return Check("lab extension", "broken", "not found by JupyterLab", "install aios-workbench again")


def _bundle() -> Check:
    static = importlib.resources.files("aios_workbench") / "static"
    wanted = (
        "graph.js",
        "graph.css",
        "tuning.js",
        "tuning.css",
        "drift.js",
        "drift.css",
        "explain.js",
        "explain.css",
    )
    missing = [n for n in wanted if not (static / n).is_file()]
    if missing:
        return Check("widget bundle", "broken", f"{', '.join(missing)} missing in {static}",
                     "install the wheel, or build it: python3 -m aios_workbench.bootstrap setup")  # fmt: skip
    return Check("widget bundle", "ok", str(static))
