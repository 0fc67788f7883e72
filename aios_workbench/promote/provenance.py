"""Where a version comes from: an in-toto statement with SLSA provenance, beside the bundle and in the catalog.

It says what went in (commit, notebook, modules, data, environment, each by hash), what the check found, and who
promoted it, when and where. It is not part of the content: the same notebook promoted twice is the same version.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import re
import socket
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from aios_workbench import __version__
from aios_workbench.promote import data
from aios_workbench.promote.bundle import JOB, NOTEBOOK, Bundle
from aios_workbench.promote.checks import Finding
from aios_workbench.promote.modules import RESERVED
from aios_workbench.promote.spec import JobSpec

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:aios-workbench:promote:v1"
_ENVIRONMENT = ("requirements.lock", "environment.json", "sbom.json")
_GIT_SECONDS = 5.0


def collect(
    notebook: Path,
    spec: JobSpec,
    bundle: Bundle,
    findings: list[Finding],
    by: str,
    now: float,
    gates: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the statement about a bundle; its version is yet to be set, see `of_version`.

    Parameters
    ----------
    notebook : Path
        The file that is promoted.
    findings : list of Finding
        What the check said.
    by : str
        Who promotes.
    now : float
        Epoch seconds.
    gates : mapping, optional
        What was found when the job's gates were held against it; see `promote.gates`.
    """
    hashes, git = bundle.hashes, git_state(notebook)
    modules = {n: h for n, h in hashes.items() if n not in RESERVED and not n.startswith(f"{data.COPIES}/")}
    code = {NOTEBOOK: hashes[NOTEBOOK], **modules}
    environment = {n: hashes[n] for n in _ENVIRONMENT if n in hashes}
    locked = {n: h for n, h in environment.items() if n != "sbom.json"}  # which lists the code as well
    inputs = [_dependency(NOTEBOOK, hashes[NOTEBOOK], kind="notebook")]
    inputs += [_dependency(n, h, kind="module") for n, h in modules.items()]
    inputs += [_dependency(n, h, kind="environment") for n, h in environment.items()]
    entries = data.read_manifest(bundle.files.get(data.DATA))
    inputs += [_dependency(e.path, e.sha256, kind="data", bytes=e.bytes, copied=e.copied) for e in entries]
    if git is not None:
        inputs.insert(0, _commit(git))
    counts = Counter(f.severity for f in findings)
    internal = {
        "codeHash": _joined(code), "environmentHash": _joined(locked) if locked else None,
        "dataHash": _joined({e.path: e.sha256 for e in entries}) if entries else None,
        "check": {
            **{kind: counts.get(kind, 0) for kind in ("error", "warning", "note")},
            "rules": sorted({f.rule for f in findings if f.rule}), "rulesVersion": rules_version(),
        },
        "gates": dict(gates or {}),
        "promotedBy": by, "host": socket.gethostname(), "user": _user(), "python": platform.python_version(),
        "platform": platform.platform(terse=True), "git": git,
    }  # fmt: skip
    at = _iso(now)
    return {
        "_type": STATEMENT,
        "subject": [{"name": spec.name, "digest": {"sha256": bundle.hash}}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"job": spec.name, "notebook": spec.notebook, "spec": {"sha256": hashes[JOB]}},
                "internalParameters": internal,
                "resolvedDependencies": inputs,
            },
            "runDetails": {
                "builder": {"id": "urn:aios-workbench:promote", "version": {"aios-workbench": __version__}},
                "metadata": {"startedOn": at, "finishedOn": at},
                "byproducts": [],
            },
        },
    }  # fmt: skip


def of_version(statement: dict[str, Any], job_id: str, version: int, note: str | None) -> dict[str, Any]:
    """Return the statement of one version of a job."""
    predicate = statement["predicate"]
    details = predicate["runDetails"]
    metadata = {**details["metadata"], "invocationId": f"urn:aios-workbench:{job_id}:v{version}"}
    subject = [
        {
            **s,
            "name": f"{s['name']}/v{version}",
            "annotations": {"job_id": job_id, "version": version, "note": note},
        }
        for s in statement["subject"]
    ]
    return {
        **statement,
        "subject": subject,
        "predicate": {**predicate, "runDetails": {**details, "metadata": metadata}},
    }


def with_approvals(statement: dict[str, Any], approvals: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the statement with who agreed to the version, or did not: known only after it was written."""
    predicate = statement["predicate"]
    given = [
        {
            "name": "approval",
            "annotations": {
                "actor": a["actor"], "decision": a["decision"], "reason": a["reason"], "at": _iso(a["at"]),
            },
        }
        for a in approvals
    ]  # fmt: skip
    details = {
        **predicate["runDetails"],
        "byproducts": [*predicate["runDetails"].get("byproducts", []), *given],
    }
    return {**statement, "predicate": {**predicate, "runDetails": details}}


def rules_version() -> str:
    """Return what changes when a rule of the check is added, removed or made graver."""
    from aios_workbench.promote.checks.registry import all_rules

    text = "\n".join(f"{r.id} {r.name} {r.severity}" for r in all_rules())
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def git_state(notebook: Path) -> dict[str, Any] | None:
    """Return the commit a notebook lies in: `commit`, `branch`, `remote`, `path`, `dirty`; None outside of git.

    Nothing of the repository's own is run, the network is not asked, and a remote is told without credentials.
    """
    top = _git(notebook.parent, "rev-parse", "--show-toplevel")
    commit = _git(notebook.parent, "rev-parse", "HEAD") if top else None
    if not top or not commit:
        return None
    try:
        path = notebook.resolve().relative_to(Path(top).resolve()).as_posix()
    except ValueError:
        return None
    changes = _git(notebook.parent, "status", "--porcelain", "--untracked-files=normal", "--", ".")
    branch = _git(notebook.parent, "rev-parse", "--abbrev-ref", "HEAD")
    remote = _git(notebook.parent, "config", "--get", "remote.origin.url")
    return {
        "commit": commit, "branch": None if branch in (None, "HEAD") else branch, "path": path,
        "remote": without_credentials(remote) if remote else None, "dirty": None if changes is None else bool(changes),
    }  # fmt: skip


def without_credentials(remote: str) -> str:
    """Return the address of a repository without user, password, token or query.

    Examples
    --------
    >>> without_credentials("https://ana:tok3n@example.com/team/repo.git?private_token=x")
    'https://example.com/team/repo.git'
    >>> without_credentials("git@example.com:team/repo.git")
    'example.com:team/repo.git'
    """
    if "://" in remote:
        try:
            parts = urlsplit(remote)
            return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        except ValueError:
            return remote.partition("://")[0] + "://"
    # scp's form: what stands before the last @ of the host's part is a user, or more.
    host, colon, path = remote.partition(":") if "@" not in remote else _scp(remote)
    return f"{host}{colon}{path}"


def _scp(remote: str) -> tuple[str, str, str]:
    found = re.match(r"^.*@([^@/:]+)(:?)(.*)$", remote)
    return (found[1], found[2], found[3]) if found else ("", "", "")


def _git(folder: Path, *arguments: str) -> str | None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, timeout=_GIT_SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", errors="replace").strip() if done.returncode == 0 else None


def _commit(git: Mapping[str, Any]) -> dict[str, Any]:
    uri = f"git+{git['remote']}" if git["remote"] else "git"
    return {
        "uri": uri + (f"@refs/heads/{git['branch']}" if git["branch"] else ""),
        "digest": {"gitCommit": git["commit"]},
        "annotations": {"path": git["path"], "dirty": git["dirty"]},
    }


def _dependency(name: str, sha256: str, **annotations: Any) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": sha256}, "annotations": annotations}


def _joined(hashes: Mapping[str, str]) -> str:
    text = json.dumps(dict(hashes), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user id without a name
        return f"uid-{os.getuid()}"


def _iso(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
