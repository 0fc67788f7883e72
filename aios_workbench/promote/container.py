"""What a container image of a job is built from: Dockerfile, bundle, locks, a wheel of aios-workbench.

Dockerfile and labels: Open Container Initiative, "Image Format Specification", annotations
(github.com/opencontainers/image-spec/blob/main/annotations.md). No image is built in our tests: the Dockerfile is held
to hadolint's rules, and its commands are executed in a folder of their own.
"""

from __future__ import annotations

import datetime as dt
import shlex
import shutil
import sys
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

from aios_workbench.adapters import Level
from aios_workbench.errors import ConflictError, JobError, WorkspaceError
from aios_workbench.promote.environment import ENVIRONMENT, SBOM, Lock, installer, read_lock
from aios_workbench.promote.environment.capture import capture_packages
from aios_workbench.promote.environment.hashes import hashed
from aios_workbench.promote.environment.installer import Progress
from aios_workbench.promote.environment.kernels import PYTHON, require_rebuildable
from aios_workbench.promote.environment.wheels import workbench_wheel
from aios_workbench.promote.records import find_version, intact_bundle, job_row
from aios_workbench.promote.sbom import sbom
from aios_workbench.promote.targets.containers import bundle_in_image
from aios_workbench.promote.targets.plan import IN_IMAGE, Plan
from aios_workbench.promote.verifying import MANIFEST, PROVENANCE
from aios_workbench.workspace import Workspace

#: What has been run of it; see `aios_workbench.adapters.LEVELS`.
EVIDENCE: Level = "schema"
USER = 10001
_DOCKERFILE, _MARK = "Dockerfile", "written by AIOS Workbench. Do not edit"
_HOME = "/work"
#: a package that is installed twice in one environment is installed in one version
_RUNNER, _KERNEL = "runner", "kernel"


@dataclass(frozen=True)
class _Image:
    """An image to be.

    Attributes
    ----------
    locks : dict
        What is installed, by environment: one for everything, or one for aios-workbench and one for the kernel where
        the two want different versions of a package.
    """

    plan: Plan
    version: int
    created: str
    locks: dict[str, Lock]
    wheel: str

    @property
    def kernel(self) -> str:
        return f"{IN_IMAGE}/{_KERNEL if _KERNEL in self.locks else _RUNNER}/bin/python"


def context(
    ws: Workspace, job: str, version: int | None, out: Path, progress: Progress = installer.silent
) -> list[Path]:
    """Write what an image of a job's version is built from.

    The image runs the notebook once, with what was locked when it was promoted, as a user without rights, from a
    bundle that user cannot change. No secret is in it.

    Parameters
    ----------
    job : str
        Name or id.
    version : int, optional
        The one that runs, if not given.
    out : Path
        A new or empty folder, or one that this function wrote.
    progress : callable, optional
        Told what is going on: a package index is asked for hashes.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    NotFoundError
        When there is no such job or version.
    JobError
        When the version was promoted without a lock, for another Python, or with packages that no index has.
    ConflictError
        When `out` holds something else.
    WorkspaceError
        When it cannot be written.

    Examples
    --------
    >>> context(workspace(), "claims", None, Path("image"))[0]  # doctest: +SKIP
    PosixPath('image/.dockerignore')
    """
    row = job_row(ws, job)
    number = int(row["version"]) if version is None else version
    found = find_version(ws, row, number)
    bundle, _ = intact_bundle(ws, row["job_id"], number)
    locks = _locks(_locked(bundle), progress)
    _refuse_foreign(out)
    aside = out.absolute().parent / f".{out.name}-{uuid.uuid4().hex[:8]}"
    try:
        aside.mkdir(parents=True)
        wheel = workbench_wheel(aside / "wheels")
        created = dt.datetime.fromtimestamp(found["created_at"], dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        again = shlex.join(
            ["aios", "jobs", "image", row["name"], "--version", str(number), "--out", out.name]
        )
        image = _Image(Plan.of(bundle, again=again), number, created, locks, wheel.name)
        _write(aside, image, bundle)
        if out.exists():
            old = aside.with_name(f"{aside.name}-old")
            out.rename(old)
            shutil.rmtree(old, ignore_errors=True)
        aside.rename(out)
    except OSError as e:
        raise WorkspaceError(
            f"{out} cannot be written: {e}; choose another folder, or free some disk space"
        ) from e
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return sorted(p for p in out.rglob("*") if p.is_file())


def _locked(bundle: Path) -> Lock:
    lock = read_lock(bundle)
    if lock is None:
        raise JobError(
            f"{bundle} holds no {ENVIRONMENT}: it was promoted by an older aios-workbench; promote the notebook again"
        )
    require_rebuildable(lock)
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if (lock.implementation, lock.minor) != (sys.implementation.name, here):
        raise JobError(
            f"the notebook was locked for {lock.implementation} {lock.python}, and this is {sys.implementation.name} "
            f"{here}: an image has one Python. Write the image with an aios-workbench on Python {lock.minor}"
        )
    return lock


def _locks(kernel: Lock, progress: Progress) -> dict[str, Lock]:
    """Return what is installed: one environment where that can be, else two."""
    runner = replace(capture_packages(["aios-workbench"]), workbench=None)
    require_rebuildable(runner)
    ours, theirs = runner.versions, kernel.versions
    if any(ours[name] != version for name, version in theirs.items() if name in ours):
        return {_RUNNER: hashed(runner, progress), _KERNEL: hashed(kernel, progress)}
    packages = {p.name: p for p in (*runner.packages, *kernel.packages)}
    together = replace(kernel, packages=tuple(packages[name] for name in sorted(packages)), workbench=None)
    return {_RUNNER: hashed(together, progress)}


def _refuse_foreign(out: Path) -> None:
    if out.is_dir():
        if not any(out.iterdir()):
            return
        try:
            if _MARK in (out / _DOCKERFILE).read_text(encoding="utf-8"):
                return
        except (OSError, UnicodeDecodeError):
            pass
    elif not out.exists():
        return
    raise ConflictError(f"{out} is there and was not written by `aios jobs image`; give a new folder")


def _write(folder: Path, image: _Image, bundle: Path) -> None:
    content: dict[str, bytes] = {}
    for path in sorted(p for p in bundle.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        content[f"bundle/{path.relative_to(bundle).as_posix()}"] = path.read_bytes()
    for name, lock in image.locks.items():
        content[f"locks/{name}.lock"] = lock.requirements.encode()
    everything = {p.name: p for lock in image.locks.values() for p in lock.packages}
    lock = replace(image.locks[_RUNNER], packages=tuple(everything[n] for n in sorted(everything)))
    # What is written about a bundle is no part of it: the same version gives the same bill.
    kept = {n: c for n, c in content.items() if n not in (f"bundle/{MANIFEST}", f"bundle/{PROVENANCE}")}
    kept[f"wheels/{image.wheel}"] = (folder / "wheels" / image.wheel).read_bytes()
    content[SBOM] = sbom(lock, kept, image.plan.spec.name)
    content[_DOCKERFILE] = dockerfile(image).encode()
    content[".dockerignore"] = b"*\n!bundle\n!locks\n!wheels\n"
    content["README.md"] = _readme(image).encode()
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for path in folder.rglob("*"):
        path.chmod(
            0o755 if path.is_dir() else 0o444
        )  # COPY keeps it: in the image nobody but root changes it


def dockerfile(image: _Image) -> str:
    """Return the Dockerfile: one stage installs, the other has neither caches nor installers' leavings."""
    plan, python = image.plan, next(iter(image.locks.values())).python
    limits = [
        f"the locks were made on {lock.platform}"
        for lock in image.locks.values()
        if "linux" not in lock.platform
    ]
    lines = [f"# {line}".rstrip() for line in plan.header("an image", limits)]
    lines += [
        "# The base may be given by digest, or from a registry of your own: --build-arg BASE=…",
        f"ARG BASE=python:{python}-slim-bookworm", "",
        "FROM ${BASE} AS build",
        "ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1",
    ]  # fmt: skip
    for name, lock in image.locks.items():
        pip = f"{IN_IMAGE}/{name}/bin/pip"
        hashes = " --require-hashes" if lock.hashed else ""
        lines += [
            f"COPY locks/{name}.lock /build/{name}.lock",
            f"RUN python -m venv {IN_IMAGE}/{name} \\",
            f"    && {pip} install --no-cache-dir --no-deps{hashes} -r /build/{name}.lock",
        ]
    lines += [
        f"COPY wheels/{image.wheel} /build/{image.wheel}",
        f"RUN {IN_IMAGE}/{_RUNNER}/bin/pip install --no-cache-dir --no-deps --no-index /build/{image.wheel}", "",
        "FROM ${BASE}",
        *_labels(image),
        f"RUN useradd --uid {USER} --no-create-home --home-dir {_HOME} aios \\",
        f"    && install -d -o {USER} -g {USER} {_HOME}",
        *(f"COPY --from=build {IN_IMAGE}/{name} {IN_IMAGE}/{name}" for name in image.locks),
        f"COPY bundle {bundle_in_image(plan)}",
        f"ENV PATH={IN_IMAGE}/{_RUNNER}/bin:$PATH \\",
        f"    {PYTHON}={image.kernel} \\",
        f"    AIOS_HOME={_HOME}/.aios \\",
        f"    HOME={_HOME} \\",
        "    PYTHONDONTWRITEBYTECODE=1 \\",
        "    PYTHONUNBUFFERED=1",
        f"USER {USER}:{USER}",
        f"WORKDIR {_HOME}",
        f'ENTRYPOINT ["{IN_IMAGE}/{_RUNNER}/bin/aios", "run-job", "{bundle_in_image(plan)}"]',
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _labels(image: _Image) -> list[str]:
    labels = {
        "org.opencontainers.image.title": image.plan.title,
        "org.opencontainers.image.description": f"Runs the notebook {image.plan.spec.notebook} once",
        "org.opencontainers.image.version": str(image.version),
        "org.opencontainers.image.revision": image.plan.bundle_hash,
        "org.opencontainers.image.created": image.created,
        "aios-workbench.job": image.plan.title,
        "aios-workbench.version": str(image.version),
        "aios-workbench.bundle": image.plan.bundle_hash,
        "aios-workbench.lock": image.locks[_RUNNER].key,
    }
    lines = [f"{name}={_quoted(value)}" for name, value in labels.items()]
    return [f"LABEL {lines[0]} \\", *(f"      {line} \\" for line in lines[1:-1]), f"      {lines[-1]}"]


def _quoted(text: str) -> str:
    """Return a word of a Dockerfile in which nothing is expanded."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def _readme(image: _Image) -> str:
    name = image.plan.container_image
    lock = image.locks[_RUNNER]
    told = "with the hashes of all packages" if lock.hashed else f"without hashes: {lock.hashes_missing}"
    two = (
        "\nThe notebook and aios-workbench want different versions of a package: each has its own environment."
        if _KERNEL in image.locks
        else ""
    )
    return f"""# {image.plan.title.replace("<", "&lt;")}, version {image.version}

Bundle {image.plan.bundle_hash}. Python {lock.python}, {len(lock.packages)} packages, locked {told}.{two}

    docker build -t {name} .
    docker run --rm -v aios-work:{_HOME} {name}
    docker run --rm -v aios-work:{_HOME} {name} --params '{{"limit": 500}}'

`podman build` and `buildah build` take the same files. The build fetches the packages from the package index that pip
is told of (`--build-arg`, a secret mount with a pip.conf: no address is written here).

- The image holds no secret; `bundle/job.yaml` is in it, so alerts should name variables ($NAME), not addresses. The
  workspace is {_HOME}/.aios, on a volume or, for a team, in the database that AIOS_DATABASE_URL and AIOS_ARTIFACTS
  name; relative paths of the notebook start in {_HOME}.
- It runs as user {USER}, who cannot change the bundle; a bundle that was changed does not run.
- `{SBOM}` lists everything that is installed and copied (CycloneDX 1.6).
- The locks were made on {lock.platform}: build for the same processor.
- aios-workbench is a wheel made from the files that wrote this folder, without its JupyterLab extension.
- Evidence: {EVIDENCE}. The Dockerfile passes hadolint and its commands were executed one by one; no image was built.
"""
