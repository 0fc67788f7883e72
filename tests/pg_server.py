"""A private PostgreSQL cluster: own folder, unix socket alone, run by somebody who is not root."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVERS = Path("/usr/lib/postgresql")
#: a test's database needs not survive a power cut
_OPTIONS = "-c listen_addresses='' -c fsync=off -c shared_buffers=32MB -c max_connections=200"


def programs(extension: str | None = None) -> Path:
    """Return the folder of the newest server's programs; skip where there is none, or not the extension."""
    found = sorted(SERVERS.glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if not found:
        pytest.skip("no PostgreSQL server: run .ci/pgvector")
    control = Path("/usr/share/postgresql") / found[-1].parts[-3] / "extension" / f"{extension}.control"
    if extension is not None and not control.exists():
        pytest.skip(f"PostgreSQL has no extension {extension}: run .ci/pgvector")
    return found[-1].parent


class Cluster:
    """A running cluster; `url` is the address of its database."""

    def __init__(self, bin_: Path) -> None:
        self._bin = bin_
        user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        # a socket's path may have 107 characters: pytest's folders are too deep
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._as: dict[str, object] = {"env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}}
        if os.geteuid() == 0:
            shutil.chown(self.folder, user)
            self._as |= {"user": user, "group": pwd.getpwnam(user).pw_gid}
        self._run("initdb", "-D", "data", "-U", "aios", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.url = f"postgresql://aios@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"{_OPTIONS} -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-t", "60", "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        """Stop the server: "immediate" is a crash, "fast" hangs up on everybody in good order."""
        self._run("pg_ctl", "-D", "data", "-m", how, "-w", "stop")

    def schema(self, name: str) -> str:
        """Return the address of a workspace in a schema of its own."""
        return f"{self.url}&schema={name}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
            **self._as,
        )  # type: ignore[call-overload]
        assert done.returncode == 0, f"{program}: {done.stderr} {done.stdout}"


@contextlib.contextmanager
def cluster(extension: str | None = None) -> Iterator[Cluster]:
    """Start a cluster; it is gone afterwards."""
    made = Cluster(programs(extension))
    made.start()
    try:
        yield made
    finally:
        with contextlib.suppress(AssertionError):  # a test may have stopped it
            made.stop()
        shutil.rmtree(made.folder, ignore_errors=True)
