"""The lock of a notebook's environment: which packages, of which version, from where, for which Python."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError, NotFoundError

REQUIREMENTS = "requirements.lock"
ENVIRONMENT = "environment.json"
_FORMAT = 1


@dataclass(frozen=True)
class Package:
    """An installed distribution.

    Attributes
    ----------
    source : {"index", "archive", "vcs", "folder", "editable", "unknown"}
        Where it was installed from. Only what came from an index can be made again elsewhere.
    origin : dict
        Of a checkout: repository without a password, and commit; of an archive or a folder its name.
    direct : bool
        Whether the notebook itself needs it, or only another package.
    extras : tuple of str
        Parts of it that others ask for.
    requires : tuple of str
        Packages of this lock that it needs.
    licence : dict
        ``expression`` (SPDX) or ``name``, as its makers say; empty when they say nothing.
    hashes : tuple of str
        SHA-256 of the files of this version in the package index; empty where none was asked.
    """

    name: str
    version: str
    source: str = "index"
    origin: Mapping[str, str] = field(default_factory=dict)
    direct: bool = False
    extras: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    licence: Mapping[str, str] = field(default_factory=dict)
    hashes: tuple[str, ...] = ()

    @property
    def rebuildable(self) -> bool:
        """Whether another machine can install the same."""
        return self.source == "index"

    @property
    def told(self) -> str:
        """Where it came from, in words."""
        name = self.origin.get("name", "")
        return {
            "index": "from a package index",
            "archive": f"from the archive {name}",
            "vcs": f"from {self.origin.get('vcs', 'a repository')}, commit {self.origin.get('commit', '?')[:12]}",
            "folder": f"from the folder {name}",
            "editable": f"editable, from the folder {name}",
        }.get(self.source, "from an unknown place")


@dataclass(frozen=True)
class Lock:
    """An environment as a notebook needs it.

    Attributes
    ----------
    python : str
        Full version.
    platform : str
        Such as "linux-x86_64": versions were chosen for it.
    captured_from : {"worker", "kernel"}
        The interpreter that promoted, or that of another kernel.
    imports : mapping of str to list of str
        Module -> the packages that brought it.
    optional : list of str
        Modules the code goes on without; those of them that are there are locked too.
    not_found : list of str
        Modules that were not installed.
    workbench : str or None
        Version of aios-workbench where the notebook needs it. It is in no list: whoever runs the job brings it.
    hashes_missing : str
        Why there are none; empty when there are.
    """

    python: str
    implementation: str
    platform: str
    captured_from: str
    packages: tuple[Package, ...]
    imports: Mapping[str, list[str]] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    not_found: tuple[str, ...] = ()
    workbench: str | None = None
    hashes_missing: str = "none were asked for"

    @property
    def versions(self) -> dict[str, str]:
        """Version by package."""
        return {p.name: p.version for p in self.packages}

    @property
    def stuck(self) -> list[Package]:
        """Packages that cannot be made again elsewhere."""
        return [p for p in self.packages if not p.rebuildable]

    @property
    def hashed(self) -> bool:
        """Whether every package to be installed has hashes: pip takes all or none."""
        return all(p.hashes for p in self.packages if p.rebuildable)

    @property
    def minor(self) -> str:
        """Python's version without the patch level."""
        return ".".join(self.python.split(".")[:2])

    @property
    def key(self) -> str:
        """The name of an environment made from it."""
        text = f"{self.implementation} {self.minor}\n{self.platform}\n{self.requirements}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def requirements(self) -> str:
        """`requirements.lock`, as pip and uv read it: sorted, complete, no address."""
        count = f"{len(self.packages)} package{'s' if len(self.packages) != 1 else ''}"
        lines = [
            "# What the notebook's kernel needs, as it was installed when the notebook was promoted. Do not edit.",
            f"# {self.implementation} {self.python}, {self.platform}; {count}, "
            + (
                "with hashes." if self.hashed and self.packages else f"without hashes: {self.hashes_missing}."
            ),
        ]
        if self.workbench:
            lines.append(f"# aios-workbench {self.workbench} is not listed: whoever runs the job brings it.")
        lines += [
            f"# {p.name} {p.version} is not listed: installed {p.told}; no index has it." for p in self.stuck
        ]
        for p in self.packages:
            if p.rebuildable:
                hashes = [f"--hash=sha256:{h}" for h in p.hashes] if self.hashed else []
                lines.append(" \\\n    ".join([f"{p.name}=={p.version}", *hashes]))
        return "\n".join(lines) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return `environment.json` as data."""
        return {"format": _FORMAT, **asdict(self)}

    @property
    def document(self) -> str:
        """`environment.json`."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Lock:
        """Read what `to_dict` wrote.

        Raises
        ------
        JobError
            When it is something else, or of a newer version.
        """
        if data.get("format") != _FORMAT:
            raise JobError(
                f"{ENVIRONMENT} has format {data.get('format')!r}, this aios-workbench reads {_FORMAT}; update it"
            )
        fields = {k: v for k, v in data.items() if k != "format"}
        try:
            packages = tuple(_package(p) for p in fields.pop("packages"))
            made = cls(packages=packages, **fields)
            return cls(
                **{**made.__dict__, "optional": tuple(made.optional), "not_found": tuple(made.not_found)}
            )
        except (KeyError, TypeError, AttributeError) as e:
            raise JobError(f"{ENVIRONMENT} is damaged ({e}); promote the notebook again") from None


def _package(data: Mapping[str, Any]) -> Package:
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return Package(**fields)


def read_lock(folder: Path) -> Lock | None:
    """Return the lock of a bundle; None for one promoted before there were locks.

    Raises
    ------
    JobError
        When it is damaged.
    NotFoundError
        When there is no such folder.
    """
    if not folder.is_dir():
        raise NotFoundError(f"no bundle {folder}")
    try:
        data = json.loads((folder / ENVIRONMENT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as e:
        raise JobError(f"{folder / ENVIRONMENT} cannot be read: {e}; promote the notebook again") from None
    if not isinstance(data, dict):
        raise JobError(f"{folder / ENVIRONMENT} is damaged; promote the notebook again")
    return Lock.from_dict(data)
