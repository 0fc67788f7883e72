"""SHA-256 of the files a package index has of each locked version. What was once asked is remembered.

The hashes in an installed package's RECORD are those of its files, not of the wheel: of no use to an installer.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

from aios_workbench.promote.environment import installer
from aios_workbench.promote.environment.capture import with_hashes
from aios_workbench.promote.environment.installer import Progress
from aios_workbench.promote.environment.lock import Lock
from aios_workbench.promote.environment.probe import normal

_SECONDS = 180.0
_ROUNDS = 8
_DOING = "asking the package index for the hashes of {} packages"
_ENTRY = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)((?:\s*\\\n\s+--hash=sha256:[0-9a-f]{64})+)", re.MULTILINE)
_UNKNOWN = re.compile(
    r"(?:there (?:is|are) no versions? of |Because )([a-z0-9][a-z0-9._-]*)(?:==\S+)?(?= was not found|==| has no |$)"
)


def hashed(lock: Lock, progress: Progress = installer.silent) -> Lock:
    """Return the lock with the hashes a package index gives, as far as it does.

    Raises nothing for an index that cannot be reached: `hashes_missing` says so, and the lock has none.
    """
    wanted = {p.name: p.version for p in lock.packages if p.rebuildable}
    known = _remembered()
    found = {n: known[f"{n}=={v}"] for n, v in wanted.items() if f"{n}=={v}" in known}
    missing = {n: v for n, v in wanted.items() if n not in found}
    why = ""
    if missing:
        asked, why = _ask(missing, lock.python, progress)
        found |= asked
        _remember({f"{n}=={wanted[n]}": h for n, h in asked.items()})
    return with_hashes(lock, found, why)


def _ask(pins: Mapping[str, str], python: str, progress: Progress) -> tuple[dict[str, tuple[str, ...]], str]:
    """Return hashes by package, and why some have none."""
    left = dict(pins)
    with tempfile.TemporaryDirectory(prefix="aios-hashes-") as made:
        folder = Path(made)
        for _ in range(_ROUNDS):
            text, said = _compile(left, python, folder, progress)
            if said is None:
                found = _read(text)
                # Of a folder of wheels (find-links) uv tells no hashes; pip does.
                if bare := {n: v for n, v in left.items() if n not in found}:
                    found |= _read(_with_pip(bare, folder, progress)[0])
                gone = sorted(pins.keys() - found.keys())
                return found, f"the package index does not have {', '.join(gone)}" if gone else ""
            unknown = {name for name in _UNKNOWN.findall(said) if name in left}
            if not unknown:
                break
            left = {n: v for n, v in left.items() if n not in unknown}
    return {}, "no package index gave any"


def _read(text: str) -> dict[str, tuple[str, ...]]:
    return {n: tuple(sorted(re.findall(r"sha256:([0-9a-f]{64})", h))) for n, _, h in _ENTRY.findall(text)}


def _compile(
    pins: Mapping[str, str], python: str, folder: Path, progress: Progress
) -> tuple[str, str | None]:
    """Return what uv's or pip's resolver writes of these versions, or what it complained of."""
    tool = installer.uv()
    if tool is None:
        return _with_pip(pins, folder, progress)
    source, out = _written(pins, folder)
    command: list[str | Path] = [
        tool, "pip", "compile", *installer.uv_flags(os.environ), source, "-o", out, "-q", "--no-deps",
        "--generate-hashes", "--no-header",
        "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--python-version", python,
        "--python", sys.executable,
    ]  # fmt: skip
    env = installer.uv_settings(_environment())
    said = installer.run(command, env, folder / "log", progress, _DOING.format(len(pins)), _SECONDS)
    return (out.read_text(encoding="utf-8") if said is None else ""), said


def _with_pip(pins: Mapping[str, str], folder: Path, progress: Progress) -> tuple[str, str | None]:
    """Ask by pip: it tells the one file it would install here, not all that there are."""
    source, out = _written(pins, folder)
    command: list[str | Path] = [
        sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed", "--no-input", "-q",
        "--report", out, "-r", source,
    ]  # fmt: skip
    said = installer.run(
        command, _environment(), folder / "log", progress, _DOING.format(len(pins)), _SECONDS
    )
    if said is not None:
        return "", said
    lines = []
    for item in json.loads(out.read_text(encoding="utf-8"))["install"]:
        digest = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        if digest:
            name = normal(item["metadata"]["name"])
            lines.append(f"{name}=={item['metadata']['version']} \\\n    --hash=sha256:{digest}\n")
    return "".join(lines), None


def _written(pins: Mapping[str, str], folder: Path) -> tuple[Path, Path]:
    source, out = folder / "pins.in", folder / "pins.txt"
    source.write_text("".join(f"{n}=={v}\n" for n, v in sorted(pins.items())), encoding="utf-8")
    out.unlink(missing_ok=True)
    return source, out


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}


def _memory() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "aios-workbench" / "hashes.json"


def _remembered() -> dict[str, tuple[str, ...]]:
    try:
        data = json.loads(_memory().read_text(encoding="utf-8"))
        return {str(k): tuple(v) for k, v in data.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _remember(more: Mapping[str, tuple[str, ...]]) -> None:
    """Add to the memory; another process that does so at the same time may win, and is asked again."""
    if not more:
        return
    path = _memory()
    aside = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps({**_remembered(), **more}, sort_keys=True), encoding="utf-8")
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)  # then it is asked again
