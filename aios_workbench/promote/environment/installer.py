"""uv, or pip where there is none: found, told the person's own settings, watched, ended when somebody says so."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

#: Told what is going on, a few times a second, with the same words while nothing changes. What it raises ends the work.
Progress = Callable[[str], Any]

_POLL_SECONDS = 0.25
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s`'\")]+")
#: what uv draws around its messages
_FRAME = {ord(c): " " for c in "\u2570\u2500\u25b6\u2502\u00d7\u251c"}
_SETTINGS = (
    ("index-url", "UV_DEFAULT_INDEX"), ("extra-index-url", "UV_INDEX"), ("find-links", "UV_FIND_LINKS"),
    ("cert", "SSL_CERT_FILE"), ("proxy", "ALL_PROXY"),
)  # fmt: skip


def silent(_: str) -> None:
    """Take no notice."""


def uv() -> Path | None:
    """Return uv: beside this Python, or on PATH."""
    beside = Path(sys.executable).parent / "uv"
    found = beside if beside.exists() else shutil.which("uv")
    return Path(found) if found else None


def uv_settings(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with pip's settings in uv's words: uv reads neither pip.conf nor PIP_*."""
    env = dict(env)
    said = _pip_config()
    for key, name in _SETTINGS:
        value = env.get("PIP_" + key.upper().replace("-", "_")) or said.get(key)
        if value:
            if key == "find-links":
                value = ",".join(value.split())
            env.setdefault(name, value)
    if "UV_INDEX" in env:
        env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")  # as pip does; the versions are pinned
    return env


def uv_flags(env: Mapping[str, str]) -> list[str]:
    """Return the settings of pip that uv takes as options only."""
    said = env.get("PIP_NO_INDEX") or _pip_config().get("no-index") or ""
    return ["--no-index"] if said.lower() in ("1", "true", "yes", "on") else []


def _pip_config() -> dict[str, str]:
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.findall(r"^(?:global|install)\.([\w-]+)='(.*)'$", done.stdout, re.MULTILINE)
    return {key: value.replace("\\n", " ").strip() for key, value in found}


def run(
    command: Sequence[str | Path], env: Mapping[str, str], log: Path, progress: Progress, doing: str, seconds: float,
    *, hold: int | None = None,
) -> str | None:  # fmt: skip
    """Run a command to its end; return what it complained of, in one line without addresses, or None.

    Parameters
    ----------
    log : Path
        Where it writes.
    doing : str
        What `progress` is told meanwhile.
    hold : int, optional
        A descriptor with a lock on it: the command holds the lock too, should this process be killed before it.
    """
    started = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(word) for word in command], env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True, pass_fds=() if hold is None else (hold,),
        )  # fmt: skip
        try:
            while process.poll() is None:
                progress(doing)
                if time.monotonic() - started > seconds:
                    return f"it had not ended after {seconds / 60:.0f} minutes"
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_SECONDS)
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    return None if process.returncode == 0 else complaint(log.read_text(encoding="utf-8", errors="replace"))


def complaint(text: str) -> str:
    r"""Return what an installer complained of: its error, in one line, without the address of a registry.

    Examples
    --------
    >>> complaint("Resolving\nerror: No solution found:\n  Because six was not found in https://u:p@index/simple")
    'error: No solution found: Because six was not found in <address>'
    """
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [line.translate(_FRAME).strip() for line in plain.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("WARNING", "warning:", "[notice]"))]
    first = next(
        (
            i
            for i, line in enumerate(lines)
            if re.match(r"error|no solution|failed|caused", line, re.IGNORECASE)
        ),
        max(0, len(lines) - 3),
    )
    said = _ADDRESS.sub("<address>", " ".join(" ".join(lines[first:]).split()))
    return (said if len(said) <= 500 else f"{said[:499]}…") or "it said nothing"
