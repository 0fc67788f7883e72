"""Asks an interpreter what it is and what is installed in it. Runs in that interpreter: standard library only.

A kernel's Python need not be ours: its packages are asked for in a process of its own, by this file's text.
"""

from __future__ import annotations

import importlib.metadata as md
import importlib.util
import json
import os
import platform
import re
import sys
import sysconfig
from typing import Any
from urllib.parse import unquote


def interpreter() -> dict[str, Any]:
    """Return what this interpreter is, and what markers of requirements are compared with."""
    version = ".".join(map(str, sys.implementation.version[:3]))
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "platform": sysconfig.get_platform(),
        "executable": sys.executable,
        "markers": {
            "implementation_name": sys.implementation.name, "implementation_version": version, "os_name": os.name,
            "platform_machine": platform.machine(), "platform_release": platform.release(),
            "platform_system": platform.system(), "platform_version": platform.version(),
            "python_full_version": platform.python_version(),
            "platform_python_implementation": platform.python_implementation(),
            "python_version": ".".join(platform.python_version_tuple()[:2]), "sys_platform": sys.platform,
        },
    }  # fmt: skip


def distributions() -> dict[str, dict[str, Any]]:
    """Return every installed distribution by its normal name; the first on the path is the one that is imported."""
    found: dict[str, dict[str, Any]] = {}
    for dist in md.distributions():
        name = dist.metadata["Name"]  # None where an installer was killed
        if name and normal(name) not in found:
            found[normal(name)] = {
                "name": normal(name), "version": dist.version, "requires": list(dist.requires or ()),
                "licence": _licence(dist.metadata), "origin": _origin(dist.read_text("direct_url.json")),
            }  # fmt: skip
    return found


def normal(name: str) -> str:
    """Return a distribution's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(metadata: Any) -> dict[str, str]:
    """Return what a distribution says of its licence: an SPDX expression, else words."""
    expression = metadata.get("License-Expression")
    if expression:
        return {"expression": expression.strip()}
    said = [
        c.rpartition(" :: ")[2] for c in metadata.get_all("Classifier") or () if c.startswith("License ::")
    ]
    words = " ".join((metadata.get("License") or "").split())
    # Some put the whole text of the licence there.
    name = ", ".join(s for s in said if s != "OSI Approved") or (words if len(words) <= 100 else "")
    return {"name": name} if name and name.upper() != "UNKNOWN" else {}


def _origin(text: str | None) -> dict[str, Any]:
    """Return where a distribution was installed from: PEP 610; nothing for a package index."""
    if not text:
        return {}
    try:
        said = json.loads(text)
    except ValueError:
        return {"kind": "unknown"}
    url = re.sub(r"//[^/@]*@", "//", str(said.get("url", "")))  # a password may stand there
    if "vcs_info" in said:
        vcs = said["vcs_info"]
        return {"kind": "vcs", "vcs": str(vcs.get("vcs")), "commit": str(vcs.get("commit_id")), "url": url}
    if "dir_info" in said:
        editable = bool(said["dir_info"].get("editable"))
        return {"kind": "editable" if editable else "folder", "url": url}
    return {"kind": "archive", "url": url}


def providers(
    modules: list[str], known: dict[str, dict[str, Any]], brought: dict[str, list[str]]
) -> dict[str, list[str]]:
    """Return the distributions that brought each of these modules; none for the standard library's and unknown ones."""
    found: dict[str, list[str]] = {}
    for module in modules:
        root = module.partition(".")[0]
        names = sorted({normal(n) for n in brought.get(root, ())} & set(known))
        if len(names) > 1:
            names = _narrowed(module, names)
        found[module] = names or _by_folder(root, known)
    return found


def by_root() -> dict[str, list[str]]:
    """Return the distributions by the top-level module they brought; reads every list of files."""
    return {root: list(names) for root, names in md.packages_distributions().items()}


def _narrowed(module: str, names: list[str]) -> list[str]:
    """Of those that share a namespace, keep the ones that have files of this module, as deep as one has."""
    files = {n: [str(f).replace("\\", "/") for f in md.distribution(n).files or ()] for n in names}
    parts = module.split(".")
    while parts:
        path = "/".join(parts)
        kept = [n for n in names if any(f.startswith((path + "/", path + ".")) for f in files[n])]
        if kept:
            return kept
        parts.pop()
    return names


def _by_folder(root: str, known: dict[str, dict[str, Any]]) -> list[str]:
    """Of an editable install only its folder is on record."""
    try:
        spec = importlib.util.find_spec(root)
    except (ImportError, ValueError, AttributeError):
        return []
    places = [*(spec.submodule_search_locations or ()), spec.origin or ""] if spec is not None else []
    for name, dist in sorted(known.items()):
        url = dist["origin"].get("url", "")
        folder = os.path.realpath(unquote(url[len("file://") :])) if url.startswith("file://") else None
        if folder and any(os.path.realpath(p).startswith(folder + os.sep) for p in places if p):
            return [name]
    return []


def exists(module: str) -> bool:
    """Tell whether a top-level module is there, whoever brought it."""
    try:
        return importlib.util.find_spec(module.partition(".")[0]) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def main() -> None:
    """Answer the question on standard input on standard output."""
    sys.path[:] = [p for p in sys.path if p]  # not what lies in the folder it happens to run in
    modules = json.loads(sys.stdin.read())
    known = distributions()
    answer = {
        **interpreter(), "distributions": known, "providers": providers(modules, known, by_root()),
        "there": [m for m in modules if exists(m)],
    }  # fmt: skip
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
