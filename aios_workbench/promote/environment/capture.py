"""From a notebook to its lock: imports -> the packages that brought them -> all that those need."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from aios_workbench.promote.environment.lock import Lock, Package
from aios_workbench.promote.environment.needs import Needs, needs_of
from aios_workbench.promote.environment.survey import Survey, survey
from aios_workbench.promote.modules import local_modules
from aios_workbench.promote.notebooks import Cell

#: Every kernel of a job is started by it.
KERNEL = "ipykernel"
WORKBENCH = "aios-workbench"


def capture(
    folder: Path, cells: Iterable[Cell], *, python: str | Path | None = None, packages: Iterable[str] = (),
    modules: dict[str, Path] | None = None,
) -> Lock:  # fmt: skip
    """Return what a notebook needs of the environment it runs in: its imports' packages and all that those need.

    Parameters
    ----------
    folder : Path
        Where the notebook lies; modules beside it are read too.
    cells : iterable of Cell
        Its code.
    python : str or Path, optional
        The kernel's interpreter; this process's own if not given.
    packages : iterable of str
        Packages that no import shows: drivers, plugins.
    modules : dict, optional
        The files beside it that it imports, where they are known already.

    Returns
    -------
    Lock
        Without hashes; those come from a package index, see `with_hashes`.

    Raises
    ------
    JobError
        When the kernel's interpreter does not answer, or a package that was asked for is not installed there.
    """
    trees = [cell.tree for cell in cells if cell.tree is not None]
    files = local_modules(folder, trees) if modules is None else modules
    local = frozenset(name.partition("/")[0].removesuffix(".py") for name in files)
    needs = needs_of([*trees, *_parsed(files.values())], local)
    seen = survey(sorted(needs.modules), python)
    return _lock(needs, seen, tuple(packages))


def capture_packages(names: Iterable[str], python: str | Path | None = None) -> Lock:
    """Return the lock of packages by name, with all that they need."""
    return _lock(Needs(), survey([], python), tuple(names), kernel=False)


def _parsed(paths: Iterable[Path]) -> Iterator[ast.AST]:
    for path in paths:
        if path.suffix == ".py":
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    yield ast.parse(path.read_bytes())
            except (OSError, SyntaxError, ValueError):
                continue  # the check says so


def _lock(needs: Needs, seen: Survey, asked: tuple[str, ...], *, kernel: bool = True) -> Lock:
    from aios_workbench.promote.environment.probe import normal

    imports = {m: names for m, names in seen.providers.items() if names}
    if (
        WORKBENCH in seen.distributions
    ):  # wherever it is imported from: its dependencies are the notebook's too
        imports |= {m: [WORKBENCH] for m in needs.modules if m.partition(".")[0] == "aios_workbench"}
    roots = {name for names in imports.values() for name in names}
    roots |= {name for names in needs.engines for name in [_first(names, seen)] if name}
    roots |= {_asked(normal(name), seen) for name in asked} | ({KERNEL} if kernel else set())
    closed = _closure(roots, seen)
    ours = closed.pop(WORKBENCH, None)
    packages = tuple(
        _package(name, seen, direct=name in roots, extras=extras, names=closed.keys())
        for name, extras in sorted(closed.items())
    )
    gone = [m for m in sorted(needs.modules) if not imports.get(m) and m not in seen.there]
    return Lock(
        python=seen.interpreter["python"], implementation=seen.interpreter["implementation"],
        platform=seen.interpreter["platform"], captured_from=seen.captured_from, packages=packages,
        imports=dict(sorted(imports.items())), optional=tuple(sorted(m for m, soft in needs.modules.items() if soft)),
        not_found=tuple(gone), workbench=seen.distributions[WORKBENCH]["version"] if ours is not None else None,
    )  # fmt: skip


def _first(names: tuple[str, ...], seen: Survey) -> str | None:
    return next((n for n in names if n in seen.distributions), None)


def _asked(name: str, seen: Survey) -> str:
    from aios_workbench.errors import JobError, hint

    if name not in seen.distributions:
        raise JobError(
            f"the job asks for the package {name!r}, which is not installed in {seen.interpreter['executable']}"
            f"{hint(name, seen.distributions)}; install it there, or take it out of `packages`"
        )
    return name


def _closure(roots: Iterable[str], seen: Survey) -> dict[str, set[str]]:
    """Return all packages that `roots` need, each with the extras that are asked of it.

    A requirement that is not installed is left out: the environment worked without.
    """
    found: dict[str, set[str]] = {}
    todo: list[tuple[str, frozenset[str]]] = [(root, frozenset()) for root in roots]
    while todo:
        name, extras = todo.pop()
        if name not in seen.distributions or (name in found and extras <= found[name]):
            continue
        found.setdefault(name, set()).update(extras)
        todo += _asks_for(name, found[name], seen)
    return found


def _asks_for(name: str, extras: set[str], seen: Survey) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what a package asks for itself, with the extras of that."""
    from packaging.requirements import InvalidRequirement, Requirement

    from aios_workbench.promote.environment.probe import normal

    markers = seen.interpreter["markers"]
    for text in seen.distributions[name]["requires"]:
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            continue  # metadata of before PEP 508
        marker = wanted.marker
        if marker is None or any(marker.evaluate({**markers, "extra": extra}) for extra in extras or {""}):
            yield normal(wanted.name), frozenset(wanted.extras)


def _package(name: str, seen: Survey, *, direct: bool, extras: set[str], names: Iterable[str]) -> Package:
    dist = seen.distributions[name]
    needed = {other for other, _ in _asks_for(name, extras, seen)} & set(names) - {name}
    origin = dist["origin"]
    return Package(
        name, dist["version"], origin.get("kind", "index"), _told(origin), direct, tuple(sorted(extras)),
        tuple(sorted(needed)), dist["licence"],
    )  # fmt: skip


def _told(origin: dict[str, Any]) -> dict[str, str]:
    """Return where a package came from without a path of this machine, a registry's address or a password."""
    if origin.get("kind") == "vcs":
        return {k: str(origin[k]) for k in ("vcs", "commit", "url")}
    if "url" not in origin:
        return {}
    return {"name": PurePosixPath(unquote(urlsplit(str(origin["url"])).path)).name}


def with_hashes(lock: Lock, hashes: dict[str, tuple[str, ...]], missing: str) -> Lock:
    """Return the lock with what a package index says of its files; `missing` says why some have none."""
    packages = tuple(replace(p, hashes=hashes.get(p.name, ())) for p in lock.packages)
    made = replace(lock, packages=packages)
    return replace(made, hashes_missing="" if made.hashed else missing)
