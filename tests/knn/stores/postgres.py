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


def programs() -> Path:
    """Return the folder of the newest server's programs; skip where there is none, or no pgvector."""
    found = sorted(SERVERS.glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if not found:
        pytest.skip("no PostgreSQL server: run .ci/pgvector")
    control = Path("/usr/share/postgresql") / found[-1].parts[-3] / "extension" / "vector.control"
    if not control.exists():
        pytest.skip("PostgreSQL has no extension vector: run .ci/pgvector")
    return found[-1].parent


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster and give the address of its database."""
    bin_ = programs()
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    # a socket's path may have 107 characters: pytest's folders are too deep
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    as_user: dict[str, str | dict[str, str]] = {"env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}}
    if os.geteuid() == 0:
        shutil.chown(folder, user)
        as_user |= {"user": user, "group": pwd.getpwnam(user).pw_gid}  # type: ignore[dict-item]

    def run(*command: str) -> None:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
            **as_user,
        )  # type: ignore[call-overload]
        assert done.returncode == 0, f"{command}: {done.stderr} {done.stdout}"

    run(str(bin_ / "initdb"), "-D", "data", "-U", "aios", "-A", "trust", "-E", "UTF8", "--no-sync")
    # a test's database needs not survive a power cut
    options = (
        f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c shared_buffers=32MB"
    )
    run(str(bin_ / "pg_ctl"), "-D", "data", "-l", "log", "-w", "-t", "60", "-o", options, "start")
    try:
        yield f"postgresql://aios@/postgres?host={folder}"
    finally:
        run(str(bin_ / "pg_ctl"), "-D", "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
