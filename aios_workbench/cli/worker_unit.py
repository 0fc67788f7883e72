"""`aios worker --install`: the worker as a service of systemd."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aios_workbench.cli import output
from aios_workbench.errors import ConflictError, ParameterError, WorkspaceError

_HEAD = "# Written by AIOS Workbench. Do not edit; write it anew with `aios worker --install`."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.-]{0,199}", re.ASCII)
#: What says where the workspace is; secrets among them go to the file that only its owner can read.
_WORKSPACE = ("AIOS_DATABASE_URL", "AIOS_ARTIFACTS")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

#: What a worker never needs. Not `MemoryDenyWriteExecute`, which numba and torch cannot live with; not a read-only
#: home: a notebook writes beside itself.
_HARDENED = (
    "NoNewPrivileges=yes", "LockPersonality=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK", "SystemCallArchitectures=native", "UMask=0077",
)  # fmt: skip
#: These need a service manager with privileges.
_HARDENED_SYSTEM = (
    "ProtectSystem=full", "ProtectKernelTunables=yes", "ProtectKernelModules=yes", "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes", "ProtectClock=yes", "ProtectHostname=yes", "PrivateTmp=yes",
    "CapabilityBoundingSet=",
)  # fmt: skip


@dataclass
class Unit:
    """What is written, and where.

    Parameters
    ----------
    variables : tuple of str
        Names of this process's environment that the worker gets too, such as the addresses of channels.
    """

    root: Path
    system: bool = False
    name: str = ""
    slots: int = 2
    grace: float = 5.0
    variables: tuple[str, ...] = ()
    _environment: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if not self.name:
            slug = re.sub(r"[^a-z0-9]+", "-", self.root.parent.name.lower()).strip("-")[:60]
            self.name = f"aios-worker-{slug or 'project'}"
        if not _NAME.fullmatch(self.name):
            raise ParameterError(
                f"{self.name!r} is no name for a service; use letters, digits, '-', '_', '.', such as aios-worker"
            )
        self._environment = self._chosen()

    def _chosen(self) -> dict[str, str]:
        found = {"AIOS_HOME": str(self.root)}
        for name in (*_WORKSPACE, *self.variables):
            value = os.environ.get(name)
            if value is None and name in self.variables:
                raise ParameterError(f"--env {name}: there is no such variable in this environment")
            if value:
                found[name] = value
        for name, value in found.items():
            if not _VARIABLE.fullmatch(name) or not value.isprintable():
                raise ParameterError(f"{name!r} cannot be given to a service: it must be one printable line")
        return found

    @property
    def _config(self) -> Path:
        if self.system:
            return Path("/etc")
        return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")

    @property
    def path(self) -> Path:
        """The unit's file."""
        return self._config / "systemd" / ("system" if self.system else "user") / f"{self.name}.service"

    @property
    def environment(self) -> Path:
        """The file of its environment, for its owner's eyes only."""
        return self._config / "aios" / f"{self.name}.env"

    def text(self) -> str:
        """Return the unit."""
        from aios_workbench.promote.targets.systemd import _plain, _word

        command = [
            sys.executable, "-m", "aios_workbench.cli", "worker", "--slots", str(self.slots), "--grace",
            f"{self.grace:g}",
        ]  # fmt: skip
        path = os.pathsep.join((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"))
        lines = [
            _HEAD, "[Unit]", f"Description=AIOS worker of {_plain(self.root.parent.name)}",
            "Documentation=man:systemd.service(5)",
            *(("Wants=network-online.target", "After=network-online.target") if self.system else ()),
            "StartLimitIntervalSec=300", "StartLimitBurst=10", "",
            "[Service]", "Type=exec", f"ExecStart={' '.join(map(_word, command))}",
            f"WorkingDirectory={_plain(str(self.root.parent))}",
            f"EnvironmentFile={_plain(str(self.environment))}", f"Environment={_word(f'PATH={path}')}",
            *((f"User={pwd.getpwuid(self._owner()).pw_name}",) if self.system else ()),
            "Restart=on-failure", "RestartSec=5",
            # The worker alone is told to stop: it ends its kernels itself, and puts their runs back in the queue.
            "KillMode=mixed", f"TimeoutStopSec={self.grace + 30:g}",
            # A kernel that takes all memory is killed alone.
            "OOMPolicy=continue",
            *_HARDENED, *(_HARDENED_SYSTEM if self.system else ()), "",
            "[Install]", f"WantedBy={'multi-user' if self.system else 'default'}.target",
        ]  # fmt: skip
        return "\n".join(lines) + "\n"

    def environment_text(self) -> str:
        """Return the file of the environment, with what somebody added to it."""
        kept = []
        if self.environment.exists():
            for line in self.environment.read_text(encoding="utf-8").splitlines():
                name = line.partition("=")[0].strip()
                if line.strip() and line != _HEAD_ENVIRONMENT and name not in self._environment:
                    kept.append(line)
        ours = [f"{name}={_quoted(value)}" for name, value in self._environment.items()]
        return "\n".join((_HEAD_ENVIRONMENT, *ours, *kept)) + "\n"

    def names(self) -> list[str]:
        """Return the names of the variables we write."""
        return list(self._environment)

    def _owner(self) -> int:
        here = self.root if self.root.exists() else self.root.parent
        return here.stat().st_uid

    def write(self) -> None:
        """Write both files, the environment with mode 0600.

        Raises
        ------
        WorkspaceError
            When they cannot be written.
        """
        try:
            _write(self.environment, self.environment_text(), 0o600, self._owner() if self.system else None)
            _write(self.path, self.text(), 0o644, None)
        except OSError as e:
            way = "; a service of the machine is installed as root: sudo aios worker --install --system, or --user"
            raise WorkspaceError(
                f"{e.filename or self.path} cannot be written: {e.strerror}{way if self.system else ''}"
            ) from e

    def remove(self) -> list[Path]:
        """Delete both files and what enables the unit; returns what was there.

        Raises
        ------
        ConflictError
            When the unit is not ours.
        """
        if self.path.exists() and not self.path.read_text(encoding="utf-8").startswith(_HEAD):
            raise ConflictError(f"{self.path} was not written by aios; delete it yourself")
        enabled = self.path.parent.glob(f"*.wants/{self.name}.service")
        found = [p for p in (self.path, self.environment, *enabled) if p.exists() or p.is_symlink()]
        for path in found:
            path.unlink()
        return found

    def commands(self, *, removed: bool = False) -> list[str]:
        """Return what to type next."""
        control = "sudo systemctl" if self.system else "systemctl --user"
        if removed:
            return [f"{control} stop {self.name}", f"{control} daemon-reload"]
        journal = "sudo journalctl" if self.system else "journalctl --user"
        stay = [] if self.system else ["loginctl enable-linger   # it runs when you are not logged in, too"]
        return [
            f"{control} daemon-reload",
            f"{control} enable --now {self.name}",
            *stay,
            f"{journal} -u {self.name} -f",
        ]


_HEAD_ENVIRONMENT = "# Of the AIOS worker's service: one NAME=value a line. Lines you add stay."


def _quoted(value: str) -> str:
    """Quote a value as systemd.exec(5) reads an EnvironmentFile: nothing in it is expanded."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
    return f'"{escaped}"'


def _write(path: Path, text: str, mode: int, owner: int | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # 0600 from the beginning
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(mode)
        if owner is not None and owner != os.getuid():
            os.chown(temporary, owner, -1)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def verify(unit: Unit) -> bool | None:
    """Let systemd read the unit; None where its tool is not installed.

    Raises
    ------
    ConflictError
        With what it complains about.
    """
    from aios_workbench.promote.targets import proof

    tool = shutil.which("systemd-analyze")
    if tool is None:
        return None
    with tempfile.TemporaryDirectory(prefix="aios-unit-") as folder:
        file = Path(folder) / f"{unit.name}.service"
        file.write_text(unit.text(), encoding="utf-8")
        check = proof.run("systemd-analyze verify", "schema", [tool, "verify", file], silent=True)
    if not check.ok:
        raise ConflictError(f"systemd does not take the unit: {check.output}")
    return True


def install(unit: Unit, *, dry_run: bool, as_json: bool) -> None:
    """Write the service's files, or show them, and say what to type next.

    Raises
    ------
    ConflictError
        Where there is no systemd.
    """
    if not dry_run and shutil.which("systemctl") is None:
        raise ConflictError(
            "there is no systemd on this machine (no systemctl); --dry-run shows the unit, and `aios worker` itself "
            "runs under any supervisor: it ends on SIGTERM and can be started again at any time"
        )
    verified = verify(unit)
    if not dry_run:
        unit.write()
    if as_json:
        output.emit({
            "name": unit.name, "unit": str(unit.path), "text": unit.text(), "environment": str(unit.environment),
            "variables": unit.names(), "verified": verified, "written": not dry_run, "next": unit.commands(),
        })  # fmt: skip
        return
    if dry_run:
        output.say(f"# {unit.path}")
        output.say(unit.text().rstrip(), lines=True)
        output.say(f"# {unit.environment} (mode 0600) would set {', '.join(unit.names())}")
        return
    said = "verified by systemd-analyze" if verified else "not verified: there is no systemd-analyze"
    output.say(f"{unit.path} is written ({said})")
    output.say(f"{unit.environment} holds its environment: {', '.join(unit.names())}")
    _say_next(unit.commands())


def uninstall(unit: Unit, *, dry_run: bool, as_json: bool) -> None:
    """Delete the service's files, or say which."""
    found: list[Any] = [p for p in (unit.path, unit.environment) if p.exists()] if dry_run else unit.remove()
    if as_json:
        output.emit(
            {"name": unit.name, "removed": [str(p) for p in found], "next": unit.commands(removed=True)}
        )
        return
    if not found:
        output.say(f"there is no service {unit.name}")
        return
    for path in found:
        output.say(f"{path} {'would be' if dry_run else 'is'} removed")
    _say_next(unit.commands(removed=True))


def _say_next(commands: list[str]) -> None:
    output.say("next:")
    for command in commands:
        output.say(f"  {command}")
