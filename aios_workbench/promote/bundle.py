"""A promoted notebook, frozen: notebook without outputs, local modules, small data, environment, its `job.yaml`.

`manifest.json` names each file's SHA-256; the bundle's own hash is that of the list. A run refuses a bundle
that no longer matches.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError
from aios_workbench.promote import data, environment
from aios_workbench.promote.digests import Told
from aios_workbench.promote.environment.kernelspec import kernel_python
from aios_workbench.promote.modules import local_modules
from aios_workbench.promote.notebooks import code_cells, read_notebook
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.verifying import MANIFEST, PROVENANCE, bundle_hash, discard, listing, verify

__all__ = [
    "JOB", "MANIFEST", "NOTEBOOK", "PROVENANCE", "Bundle", "bundle_hash", "discard", "frozen_notebook", "listing",
    "local_modules", "make_bundle", "verify",
]  # fmt: skip

NOTEBOOK = "notebook.ipynb"
JOB = "job.yaml"
_LIMIT = 50 * 2**20
#: What an editor writes into a notebook about how it looked, and not about what it does.
_LOOKS = ("execution", "ExecuteTime", "collapsed", "scrolled", "trusted")


@dataclass(frozen=True)
class Bundle:
    """What a promotion freezes, before it is written.

    Attributes
    ----------
    files : mapping of str to bytes
        Content by POSIX path inside the bundle.
    """

    files: Mapping[str, bytes]

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file, by path, sorted."""
        return {name: hashlib.sha256(self.files[name]).hexdigest() for name in sorted(self.files)}

    @property
    def hash(self) -> str:
        """The bundle's name: equal bundles, equal hash."""
        return bundle_hash(self.hashes)

    def write(self, folder: Path, **facts: Any) -> None:
        """Write the files and the manifest into a new folder.

        Parameters
        ----------
        facts
            Recorded in the manifest, but not part of the hash: who, when, from where.
        """
        folder.mkdir(parents=True, mode=0o700)
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(content)
            path.chmod(0o400)  # an editor asks before it changes what is in production
        self.describe(folder, **facts)

    def describe(self, folder: Path, **facts: Any) -> None:
        """Write the manifest of a bundle whose files are there."""
        manifest = {
            "bundle_hash": self.hash, "created_at": time.time(), **facts,
            "files": {n: {"sha256": h, "bytes": len(self.files[n])} for n, h in self.hashes.items()},
        }  # fmt: skip
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8", errors="backslashreplace")


def make_bundle(notebook: Path, spec: JobSpec, told: Told | None = None) -> Bundle:
    """Gather what a promoted notebook needs: itself, the modules beside it, the data it names, its environment.

    Parameters
    ----------
    told : function, optional
        Told how far the reading of large data files is; see `promote.digests.file_sha256`.

    Raises
    ------
    JobError
        When a file cannot be read or the modules are larger than 50 MB.

    Examples
    --------
    >>> import nbformat
    >>> cell = nbformat.v4.new_code_cell("print(open('rates.csv').read())", id="a")
    >>> nbformat.write(nbformat.v4.new_notebook(cells=[cell]), "rates.ipynb")
    >>> _ = Path("rates.csv").write_text("eur,usd")
    >>> bundle = make_bundle(Path("rates.ipynb"), JobSpec(name="rates", notebook="rates.ipynb"))
    >>> [name for name in sorted(bundle.files) if "data" in name]
    ['data-files/rates.csv', 'data.json']
    """
    from aios_workbench.promote.checks.context import Context

    book = read_notebook(notebook)
    ctx = Context(notebook, book, spec)
    modules = local_modules(ctx.folder, [code.tree for code in ctx.codes], exclude=notebook)
    files = {name: _module(notebook, name, path) for name, path in modules.items()}
    size = sum(map(len, files.values()))
    cells, python = code_cells(book), kernel_python(book)
    files |= data.gather(ctx, spec.data_limit, told)
    files |= {NOTEBOOK: frozen_notebook(notebook, book), JOB: spec.to_yaml().encode()}
    if size + len(files[NOTEBOOK]) > _LIMIT:
        taken = [*modules, NOTEBOOK]
        largest = max(taken, key=lambda name: len(files[name]))
        raise JobError(
            f"the modules of {notebook.name} are {size / 2**20:.0f} MB (largest: {largest}); at most 50 MB are "
            "copied into a bundle: keep data outside of packages and pass its path as a parameter"
        )
    return Bundle(
        files | environment.files(ctx.folder, cells, files, spec=spec, modules=modules, python=python)
    )


def frozen_notebook(path: Path, book: Any = None) -> bytes:
    """Return a notebook as a bundle holds it: without outputs, and without what an editor notes about its looks.

    Parameters
    ----------
    book : NotebookNode, optional
        The notebook, if it was read already; it is changed.
    """
    import nbformat

    book = read_notebook(path) if book is None else book
    _name_cells(path, book)
    for cell in book.cells:
        for look in _LOOKS:
            cell.metadata.pop(look, None)
        if isinstance(jupyter := cell.metadata.get("jupyter"), dict):
            kept = {k: v for k, v in jupyter.items() if k not in ("outputs_hidden", "source_hidden")}
            cell.metadata.pop("jupyter")
            if kept:
                cell.metadata["jupyter"] = kept
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    for state in ("widgets", "signature"):
        book.metadata.pop(state, None)
    if isinstance(language := book.metadata.get("language_info"), dict):
        language.pop("version", None)  # of the kernel that saved it last, on whichever machine
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = nbformat.writes(book, version=4)  # type: ignore[no-untyped-call]
    return str(text).encode("utf-8", errors="backslashreplace")


def _name_cells(path: Path, book: Any) -> None:
    """Give cells that have no id in the file one that is the same tomorrow: nbformat draws it anew each time."""
    if (book.nbformat, book.nbformat_minor) < (4, 5):
        return
    try:
        saved = {cell.get("id") for cell in json.loads(path.read_bytes())["cells"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        saved = set()  # of a format from before there were ids
    for number, cell in enumerate(book.cells, start=1):
        if cell.get("id") not in saved:
            cell["id"] = (
                f"cell-{number}-{hashlib.sha256(cell.source.encode(errors='replace')).hexdigest()[:8]}"
            )


def _module(notebook: Path, name: str, path: Path) -> bytes:
    folder = notebook.parent.resolve()
    if not name.isprintable():
        raise JobError(f"the module {name!r} has a character in its name that cannot be printed; rename it")
    try:
        if path.suffix != ".py" and not path.resolve().is_relative_to(folder):
            raise JobError(
                f"{name} is a link that leads out of {folder}: what it leads to would be copied along with the "
                "package. Put the file itself there, or pass its path as a parameter"
            )
        return path.read_bytes()
    except (OSError, RuntimeError) as e:
        raise JobError(f"a module of {notebook.name} cannot be read: {e}") from e
