"""AIOS20x: the files a notebook reads: are they there, and does their path mean the same elsewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import hint
from aios_workbench.promote.checks.context import Context, keyword
from aios_workbench.promote.checks.finding import Finding, QuickFix
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.checks.source import Code
from aios_workbench.promote.digests import Told, file_sha256

ABSOLUTE = Rule("AIOS203", "absolute-path", "warning", "A path starts at the root of one machine.",
                "The worker's machine has other folders.", fixable=True)  # fmt: skip
HOME = Rule("AIOS204", "home-path", "warning", "A path starts at a person's home folder.",
            "A worker runs as somebody else.")  # fmt: skip
CHDIR = Rule("AIOS205", "change-folder", "warning", "The notebook changes its working folder.",
             "Every relative path behind it means something else, and run twice something else again.")  # fmt: skip
MISSING_FILE = Rule("AIOS206", "missing-file", "warning", "A file is read that is not there.",
                    "Unless something brings it before the job runs, the job fails.")  # fmt: skip
RULES = (ABSOLUTE, HOME, CHDIR, MISSING_FILE)

_ABSOLUTE = re.compile(
    r"^(/(home|Users|root|tmp|var|opt|mnt|data|srv|work|content|Volumes)/.+|[A-Za-z]:[\\/].+)"
)
_HOME = re.compile(r"^~[\w.-]*/.+")
_PATTERN = re.compile(r"[*?\[]")
_URL = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PANDAS = frozenset(
    (
        "read_csv",
        "read_parquet",
        "read_excel",
        "read_json",
        "read_feather",
        "read_pickle",
        "read_table",
        "read_fwf",
        "read_orc",
        "read_hdf",
        "read_stata",
        "read_sas",
        "read_spss",
        "read_xml",
        "read_ipc",
        "scan_csv",
        "scan_parquet",
        "read_ndjson",
        "scan_ndjson",
        "read_avro",
    )
)
_READERS = frozenset(
    (
        "numpy.load",
        "numpy.loadtxt",
        "numpy.genfromtxt",
        "numpy.fromfile",
        "joblib.load",
        "torch.load",
        "PIL.Image.open",
        "cv2.imread",
        "imageio.imread",
        "geopandas.read_file",
        "xarray.open_dataset",
        "zipfile.ZipFile",
        "tarfile.open",
        "pyarrow.parquet.read_table",
        "pyarrow.csv.read_csv",
        "gzip.open",
        "scipy.io.loadmat",
        "duckdb.read_csv",
        "duckdb.read_parquet",
        "duckdb.read_json",
        "matplotlib.pyplot.imread",
        "skops.io.load",
        "h5py.File",
        "nibabel.load",
        "pyreadr.read_r",
        "openpyxl.load_workbook",
    )
)
_PATH_READS = frozenset(("read_text", "read_bytes", "stat"))
_WRITES = re.compile(
    r"^(to_\w+|savefig|save|savez|savez_compressed|savetxt|dump|write_\w+|imwrite|save_\w+|mkdir|touch|sink_\w+)$"
)
_LINKS = re.compile(
    r"^(urllib\.request\.urlretrieve|shutil\.(copy|copy2|copyfile|move)|os\.rename|wget\.download)$"
)


@dataclass(frozen=True)
class DataFile:
    """A file the notebook reads.

    Attributes
    ----------
    path : str
        As the notebook says it.
    sha256 : str
        Of its content, as it is now.
    """

    path: str
    sha256: str
    bytes: int
    cell: int
    line: int

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return asdict(self)


@dataclass(frozen=True)
class _Read:
    code: Code
    node: ast.expr
    path: str


def find(ctx: Context) -> Iterator[Finding]:
    """Yield paths that mean nothing elsewhere, and files that are not there."""
    for code in ctx.codes:
        yield from _paths(ctx, code)
        yield from _changes(ctx, code)
    yield from _missing(ctx)


def _paths(ctx: Context, code: Code) -> Iterator[Finding]:
    told: set[tuple[int, str]] = set()
    for node in code.nodes:
        match node:
            case ast.Constant(value=str() as text) if _ABSOLUTE.match(text) and "\n" not in text[:200]:
                if (node.lineno, text) not in told and not _is_documentation(code, node):
                    told.add((node.lineno, text))
                    yield ABSOLUTE.at(
                        code, node, f"the path {text[:80]!r} exists on this machine only",
                        "use a path relative to the notebook, or make it a parameter", variable=text[:200],
                        quick=_relative(ctx, code, node, text),
                    )  # fmt: skip
            case ast.Constant(value=str() as text) if _HOME.match(text):
                yield _home(code, node, f"the path {text[:80]!r} lies in the home folder of whoever runs it")
            case ast.Call(func=ast.Attribute(attr="home" | "expanduser") as function) if ctx.dotted(function) in (
                "pathlib.Path.home", "os.path.expanduser",
            ) and not any(isinstance(a, ast.Constant) for a in node.args):  # fmt: skip
                yield _home(code, node, f"{ctx.dotted(function)}() is the home folder of whoever runs it")
            case _:
                pass


def _home(code: Code, node: ast.AST, message: str) -> Finding:
    return HOME.at(code, node, message, "use a path relative to the notebook, or make it a parameter")


def _is_documentation(code: Code, node: ast.Constant) -> bool:
    return isinstance(next(code.parents(node), None), ast.Expr)


def _relative(ctx: Context, code: Code, node: ast.Constant, text: str) -> QuickFix | None:
    """Return the fix for a path that leads into the notebook's own folder."""
    path = Path(text)
    if not path.is_absolute() or isinstance(next(code.parents(node), None), ast.JoinedStr):
        return None
    try:
        inside = path.relative_to(ctx.folder.resolve()).as_posix()
    except ValueError:
        return None
    return code.replace(f"write {inside!r}", (node, repr(inside)))


def _changes(ctx: Context, code: Code) -> Iterator[Finding]:
    for call in code.calls:
        if ctx.called(call) in ("os.chdir", "contextlib.chdir"):
            yield CHDIR.at(
                code,
                call,
                "os.chdir changes what every relative path means",
                "write the folder into the paths instead",
            )
    for magic in code.magics:
        if magic.name in ("cd", "pushd", "popd"):
            yield CHDIR.at(
                code, magic.line, f"%{magic.name} changes what every relative path means",
                "write the folder into the paths instead",
            )  # fmt: skip


# ---------------------------------------------------------------- data


def _missing(ctx: Context) -> Iterator[Finding]:
    written = written_paths(ctx)
    moved = any(_changes_folder(ctx, code) for code in ctx.codes)
    told: set[str] = set()
    for read in _reads(ctx):
        if read.path in told or read.path in written or moved or _guarded_by_exists(read):
            continue
        told.add(read.path)
        path = ctx.folder / _expanded(read.path)
        if any(c in read.path for c in "*?[{") or _there(path) or _inside_written(read.path, written):
            continue
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        yield MISSING_FILE.at(
            read.code, read.node, f"the file {read.path!r} is not there{hint(path.name, beside)}".rstrip("?"),
            "put it where the notebook looks for it, or make its path a parameter", variable=read.path,
        )  # fmt: skip


def _changes_folder(ctx: Context, code: Code) -> bool:
    return next(_changes(ctx, code), None) is not None


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~somebody, who is not here
        return Path(text)


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _inside_written(path: str, written: set[str]) -> bool:
    """A file in a folder that the notebook makes may be made by something it calls."""
    return any(path.startswith(f"{w.rstrip('/')}/") for w in written)


def _guarded_by_exists(read: _Read) -> bool:
    """`if path.exists():` and `try:` say that the file may be missing."""
    if read.code.guarded(read.node):
        return True
    return any(
        isinstance(p, (ast.If, ast.IfExp))
        and any(isinstance(n, ast.Attribute) and n.attr in ("exists", "is_file") for n in ast.walk(p.test))
        for p in read.code.parents(read.node)
    )


def _reads(ctx: Context) -> Iterator[_Read]:
    for code in ctx.codes:
        for call in code.calls:
            node = _read_argument(ctx, call)
            text = ctx.literal(node) if node is not None else None
            if isinstance(text, str) and node is not None and _is_file(text):
                yield _Read(code, node, text)


def _is_file(text: str) -> bool:
    return (
        bool(text.strip())
        and len(text) < 400
        and "\n" not in text
        and not _URL.match(text)
        and not text.lstrip().startswith(("{", "["))
    )


def _read_argument(ctx: Context, call: ast.Call) -> ast.expr | None:
    """Return what a call reads from, where it reads."""
    name = ctx.called(call)
    first = call.args[0] if call.args else _named_argument(call)
    last = name.rpartition(".")[2]
    if name in (
        "open",
        "io.open",
        "codecs.open",
        "gzip.open",
        "h5py.File",
        "zipfile.ZipFile",
        "tarfile.open",
    ):
        mode = call.args[1] if len(call.args) > 1 else keyword(call, "mode")
        return (
            first if mode is None or (isinstance(mode, ast.Constant) and str(mode.value)[:1] == "r") else None
        )
    if name in _READERS or (
        name.partition(".")[0] in ("pandas", "polars", "modin", "dask") and last in _PANDAS
    ):
        return first
    if isinstance(call.func, ast.Attribute) and (last in _PATH_READS or (last == "open" and not call.args)):
        return call.func.value
    return None


def _named_argument(call: ast.Call) -> ast.expr | None:
    names = ("filepath_or_buffer", "path", "path_or_buf", "io", "file", "fname", "source")
    return next((k.value for k in call.keywords if k.arg in names), None)


def written_paths(ctx: Context) -> set[str]:
    """Return the paths a notebook makes itself."""
    found: set[str] = set()
    for code in ctx.codes:
        for call in code.calls:
            name = ctx.called(call)
            targets: list[ast.expr] = []
            opens = name in ("open", "gzip.open", "zipfile.ZipFile", "h5py.File")
            if _WRITES.match(name.rpartition(".")[2]) or _LINKS.match(name):
                targets = [*call.args, *(k.value for k in call.keywords)]
                if isinstance(call.func, ast.Attribute):
                    targets.append(call.func.value)
            elif name in ("os.makedirs", "os.mkdir", "sqlite3.connect") or (
                opens and _read_argument(ctx, call) is None
            ):
                targets = call.args[:1]
            found |= {text for t in targets if isinstance(text := ctx.literal(t), str)}
        found |= {
            m.text.split()[0] for m in code.magics if m.name in ("writefile", "file") and m.text.split()
        }
        for magic in code.magics:
            if magic.kind == "shell" or magic.name in ("bash", "sh"):
                words = magic.text.split()
                found |= {*words, *(w.rpartition("/")[2] for w in words if _URL.match(w))}
    return found


def data_files(ctx: Context, told: Told | None = None) -> list[DataFile]:
    """Return the files the notebook reads that are there, each with the hash of its content.

    Of a folder, or a pattern such as ``parts/*.parquet``, every file.

    Parameters
    ----------
    told : function, optional
        Told how far the reading of large files is: path, bytes read, bytes there are.

    Raises
    ------
    OSError
        When one cannot be read.
    """
    found: dict[str, DataFile] = {}
    written = written_paths(ctx)
    for read in _reads(ctx):
        if read.path in found or read.path in written:
            continue
        for said, path in _files_at(ctx.folder, read.path):
            if said not in found:
                digest = file_sha256(path, told)
                found[said] = DataFile(said, digest, path.stat().st_size, read.code.number, read.node.lineno)
    return list(found.values())


def _files_at(folder: Path, said: str) -> Iterator[tuple[str, Path]]:
    path = folder / _expanded(said)
    if _is_plain(path):
        yield said, path
        return
    try:
        inside = path.rglob("*") if path.is_dir() else folder.glob(said) if _PATTERN.search(said) else ()
        for each in sorted(inside):
            below = each.relative_to(path if path.is_dir() else folder)
            if _is_plain(each) and not any(part.startswith(".") for part in below.parts):
                yield (f"{said.rstrip('/')}/{below.as_posix()}" if path.is_dir() else below.as_posix()), each
    except (OSError, ValueError, NotImplementedError):  # a pattern from the root, or one that is none
        return


def _is_plain(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
