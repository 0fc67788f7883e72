"""A Panel app in a process of its own: Panel changes much in the one it is in."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def served_app(folder: Path, code: str) -> Iterator[str]:
    """Serve an app; give its address."""
    (folder / "app.py").write_text(code)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [sys.executable, "-m", "panel", "serve", "app.py", f"--port={port}", "--address=127.0.0.1"]
    path = {**os.environ, "PYTHONPATH": str(TESTS)}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=path)
    try:
        end = time.monotonic() + 60
        while b"running at" not in (folder / "log").read_bytes():
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/app"
    finally:
        server.terminate()
        server.wait(20)


def saved_app(folder: Path, code: str) -> Path:
    """Run an app's code, which saves a page to the path it is given; return that."""
    (folder / "app.py").write_text(code)
    subprocess.run(
        [sys.executable, "app.py", "app.html"],
        cwd=folder, check=True, capture_output=True, timeout=120, env={**os.environ, "PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    return folder / "app.html"
