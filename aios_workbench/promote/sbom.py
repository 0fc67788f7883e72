"""A CycloneDX bill of materials of a bundle: what is in it, and what is installed for it.

Ecma International, "CycloneDX Bill of Materials Specification", ECMA-424, version 1.6, 2024.
Equal bundles have equal bills: no time, no random number.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aios_workbench import __version__

if TYPE_CHECKING:
    from aios_workbench.promote.environment.lock import Lock, Package

NAME = "sbom.json"
_PROPERTY = "aios-workbench:"


def sbom(lock: Lock, files: Mapping[str, bytes], job: str) -> bytes:
    """Return the bill of materials of a job's bundle, as CycloneDX 1.6 JSON.

    Parameters
    ----------
    lock : Lock
        What is installed for it.
    files : mapping of str to bytes
        What is in it, by path.
    job : str
        The job's name.

    Returns
    -------
    bytes
        UTF-8. Packages carry purl, version, licence and, where a package index was asked, the SHA-256 of every file
        of that version; the bundle's files carry their own.

    Examples
    --------
    >>> from aios_workbench.promote.environment import Lock, Package
    >>> lock = Lock("3.11.7", "cpython", "linux-x86_64", "worker", (Package("six", "1.17.0"),))
    >>> json.loads(sbom(lock, {"notebook.ipynb": b"{}"}, "claims"))["components"][0]["purl"]
    'pkg:pypi/six@1.17.0'
    """
    hashes = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    content = hashlib.sha256(
        json.dumps([job, hashes, lock.to_dict()], sort_keys=True).encode("utf-8", "surrogatepass")
    ).hexdigest()
    refs = {p.name: _ref(p) for p in lock.packages}
    direct = sorted(refs[p.name] for p in lock.packages if p.direct)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_OID, content).urn,
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [_tool()]},
            "component": {"type": "application", "bom-ref": "job", "name": job, "version": content[:16]},
            "properties": [
                {"name": f"{_PROPERTY}{name}", "value": value}
                for name, value in (
                    ("captured-from", lock.captured_from), ("platform", lock.platform),
                    ("python", f"{lock.implementation} {lock.python}"),
                )
            ],
        },
        "components": [
            *(_package(p, refs[p.name]) for p in lock.packages),
            *(
                {"type": "file", "bom-ref": f"file:{name}", "name": name,
                 "hashes": [{"alg": "SHA-256", "content": digest}]}
                for name, digest in hashes.items()
            ),
        ],
        "dependencies": [
            {"ref": "job", "dependsOn": sorted([*direct, *(f"file:{name}" for name in hashes)])},
            *(_depends(p, refs) for p in lock.packages),
        ],
    }  # fmt: skip
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def _tool() -> dict[str, str]:
    return {"type": "application", "name": "aios-workbench", "version": __version__}


def _ref(package: Package) -> str:
    return purl(package) or f"{package.name}@{package.version}"


def purl(package: Package) -> str | None:
    """Return a package's URL [1]_; None for one that nobody but this machine has.

    References
    ----------
    .. [1] "Package-URL specification", github.com/package-url/purl-spec.
    """
    base = f"pkg:pypi/{package.name}@{quote(package.version, safe='')}"
    if package.source == "index":
        return base
    if package.source == "vcs":
        where = f"{package.origin['vcs']}+{package.origin['url']}@{package.origin['commit']}"
        return f"{base}?vcs_url={quote(where, safe=':/')}"
    return None


def _package(package: Package, ref: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library", "bom-ref": ref, "name": package.name, "version": package.version,
        "scope": "required",
    }  # fmt: skip
    if package.hashes:
        found["hashes"] = [{"alg": "SHA-256", "content": h} for h in sorted(package.hashes)]
    if "expression" in package.licence:
        found["licenses"] = [{"expression": package.licence["expression"], "acknowledgement": "declared"}]
    elif "name" in package.licence:
        found["licenses"] = [{"license": {"name": package.licence["name"], "acknowledgement": "declared"}}]
    if (url := purl(package)) is not None:
        found["purl"] = url
    if not package.rebuildable:
        found["properties"] = [{"name": f"{_PROPERTY}source", "value": package.told}]
    return found


def _depends(package: Package, refs: Mapping[str, str]) -> dict[str, Any]:
    on = sorted(refs[name] for name in package.requires)
    return {"ref": refs[package.name], **({"dependsOn": on} if on else {})}
