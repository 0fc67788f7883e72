"""What may stand in the repository: no addresses in locks, no paths, no long files, no loose ends, light imports."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ("requirements.lock", "labextension/yarn.lock")
MAX_LINES = 500
SOURCE = {".py", ".ts", ".tsx", ".mjs", ".css"}
# put together here, so that this file does not find itself
LOOSE_END = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
MACHINE = re.compile(r"(?<![\w.<~$}])/(?:home|root|Users|tmp|work|opt|private|var/folders)/[\w.-]+")

HEAVY = {
    "IPython",
    "aiohttp",
    "altair",
    "anywidget",
    "click",
    "cloudpickle",
    "dbos",
    "duckdb",
    "evidently",
    "faiss",
    "fastapi",
    "httpx",
    "ipykernel",
    "ipywidgets",
    "jupyter_client",
    "jupyter_core",
    "jupyter_server",
    "jupyterlab",
    "lime",
    "mlflow",
    "nbclient",
    "nbconvert",
    "nbformat",
    "numpy",
    "pandas",
    "panel",
    "psycopg",
    "pyarrow",
    "pydantic",
    "rich",
    "scipy",
    "shap",
    "sklearn",
    "sqlalchemy",
    "tornado",
    "traitlets",
    "yaml",
    "zmq",
}


def lines(path: Path) -> list[str]:
    """Return a text file's lines; none of a binary's."""
    try:
        return path.read_text().splitlines()
    except UnicodeDecodeError:
        return []


# ---------------------------------------------------------------- locks and addresses


def addresses(text: str) -> list[str]:
    """Return the lines of a lock file that name an address or a place on a disk."""
    bad = re.compile(r"://|__archiveUrl|@ file|(?<![\w@.~^])(?:/[\w.-]+){2,}|[A-Z]:\\")
    return [line for line in text.splitlines() if bad.search(line)]


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_no_address(root: Path, name: str) -> None:
    text = (root / name).read_text()
    assert len(text) > 10_000
    assert addresses(text) == []


def test_pins_of_benchmarks_and_targets_hold_no_address(root: Path) -> None:
    pins = sorted((root / "benchmarks").glob("**/*.txt"))
    assert pins
    pins += sorted((root / "aios_workbench" / "promote" / "targets" / "pins").glob("*.txt"))
    assert [line for p in pins for line in addresses(p.read_text())] == []


@pytest.mark.parametrize(
    "line",
    [
        'resolution: "x@npm:1.0.0::__archiveUrl=https%3A%2F%2Fr"',
        "--index-url https://registry.example/simple",
        "six @ file:///wheels/six.whl",
        "--find-links /opt/wheels",
        "-e C:\\src\\x",
    ],
)
def test_an_address_is_found(line: str) -> None:
    assert addresses(f'"x@npm:^1":\n  version: 1.0.0\n{line}\n') == [line]


def test_every_locked_package_has_a_hash(root: Path) -> None:
    text = (root / LOCKS[0]).read_text().replace("\\\n", "")
    entries = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line)]
    assert len(entries) > 100
    assert [e for e in entries if not re.match(r"[a-z0-9-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", e)] == []


def test_the_lock_answers_pyproject(root: Path) -> None:
    """A dependency added or raised without `make lock` is found here, not on a user's machine."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    asked = [
        *project["dependencies"],
        *(r for extra in project["optional-dependencies"].values() for r in extra),
    ]
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (root / LOCKS[0]).read_text(), re.MULTILINE))
    wrong = []
    for requirement in map(Requirement, asked):
        version = locked.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement}: locked is {version}")
    assert wrong == []


def registries() -> set[str]:
    """Return the hosts of the registries this machine installs from, whichever they are."""
    # without their last parts, or this file would be a finding
    hosts = {f"{name}.org" for name in ("pypi", "files.pythonhosted", "registry.npmjs")}
    hosts.add(f"registry.{'yarnpkg'}.com")
    commands = [[sys.executable, "-m", "pip", "config", "list"]]
    if npm := shutil.which("npm"):
        commands.append([npm, "config", "get", "registry"])
    for command in commands:
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
        hosts |= {urlsplit(u).hostname or "" for u in re.findall(r"https?://[^\s'\"]+", said)}
    return hosts - {"", "localhost", "127.0.0.1"}


def test_nothing_names_a_registry_or_this_checkout(kept: list[Path], root: Path) -> None:
    here = {str(root), f"{Path.home()}/"} - {"//"}
    found = [
        f"{path.relative_to(root)}:{n}"
        for path in kept
        for n, line in enumerate(lines(path), 1)
        if any(word in line for word in (*registries_once(), *here))
    ]
    assert found == []


def registries_once(memo: list[set[str]] = []) -> set[str]:  # noqa: B006 - the default is the memo
    if not memo:
        memo.append(registries())
    return memo[0]


# ---------------------------------------------------------------- files


def too_long(text: str) -> bool:
    return len(text.splitlines()) > MAX_LINES


def test_no_file_is_too_long(kept: list[Path], root: Path) -> None:
    long = {
        str(p.relative_to(root)): len(lines(p))
        for p in kept
        if p.suffix in SOURCE and too_long(text := p.read_text()) and not text.startswith("// Generated from")
    }
    assert long == {}


def test_no_loose_ends(kept: list[Path], root: Path) -> None:
    found = [
        f"{p.relative_to(root)}:{n}: {line.strip()}"
        for p in kept
        if p.suffix in SOURCE | {".ipynb", ".toml", ".yaml", ".json"} and "yarn" not in p.name
        for n, line in enumerate(lines(p), 1)
        if LOOSE_END.search(line)
    ]
    assert found == []


def test_a_loose_end_is_found() -> None:
    assert LOOSE_END.search("x = 1  # TO" + "DO: later")
    assert not LOOSE_END.search("mastodon, methodology")


def test_no_secret_of_the_shape_of_a_key(kept: list[Path], root: Path) -> None:
    key = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bghp_[A-Za-z0-9]{36}\b")
    tests = root / "tests"
    assert [p for p in kept if tests not in p.parents and any(key.search(line) for line in lines(p))] == []


# ---------------------------------------------------------------- notebooks


def notebooks(kept: list[Path], root: Path) -> list[Path]:
    return [
        p for p in kept if p.suffix == ".ipynb" and p.relative_to(root).parts[0] in {"notebooks", "tutorials"}
    ]


def leaks(notebook: dict[str, object]) -> list[str]:
    """Return the absolute paths in a notebook's outputs."""
    cells = notebook["cells"]
    assert isinstance(cells, list)
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return MACHINE.findall(json.dumps(outputs))


def test_notebooks_leak_no_paths(kept: list[Path], root: Path) -> None:
    books = notebooks(kept, root)
    assert books, "notebooks/ and tutorials/ hold no notebook"
    assert {
        str(p.relative_to(root)): found for p in books if (found := leaks(json.loads(p.read_text())))
    } == {}


def test_a_leak_is_found() -> None:
    output = {"output_type": "stream", "text": ["saved to /home/ada/claims/report.html\n"]}
    assert leaks({"cells": [{"outputs": [output]}]}) == ["/home/ada"]
    assert leaks({"cells": [{"outputs": [{"text": "https://x.example/home/ada and reports/tmp/x"}]}]}) == []


# ---------------------------------------------------------------- promises of the package


@pytest.mark.parametrize("verb", ["demo", "test"])
def test_readme_names_the_commands(root: Path, verb: str) -> None:
    assert f"python3 -m aios_workbench.bootstrap {verb}" in (root / "README.md").read_text()


def test_readme_pictures_exist(root: Path) -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)#\s]+)", (root / "README.md").read_text())
    assert [p for p in pictures if not (root / p).is_file()] == []


def test_versions_are_equal(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    front = json.loads((root / "labextension" / "package.json").read_text())["version"]
    said = subprocess.run(
        [sys.executable, "-c", "import aios_workbench; print(aios_workbench.__version__)"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert front == project == said.stdout.strip()


def loaded(root: Path, statement: str, *flags: str) -> set[str]:
    """Return the top-level modules in a fresh interpreter after a statement."""
    code = f"import sys; sys.path.insert(0, {str(root)!r}); {statement}; print(*sys.modules)"
    env = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    command = [sys.executable, *flags, "-c", code]
    said = subprocess.run(command, capture_output=True, text=True, env=env, check=False, cwd=root)
    assert said.returncode == 0, said.stderr
    return {name.partition(".")[0] for name in said.stdout.split()}


def test_import_is_light(root: Path) -> None:
    assert loaded(root, "import aios_workbench") & HEAVY == set()


def test_a_heavy_import_is_seen(root: Path) -> None:
    assert "pandas" in loaded(root, "import aios_workbench, pandas") & HEAVY


def test_import_needs_nothing_installed(root: Path) -> None:
    """`python3 -m aios_workbench.bootstrap` imports the package before there is a .venv."""
    assert "aios_workbench" in loaded(root, "import aios_workbench", "-S", "-I")


def test_public_names_resolve(root: Path) -> None:
    """Lazy names are strings: each must lead somewhere, and dir() must show it."""
    code = (
        "import aios_workbench as a; [getattr(a, n) for n in a.__all__]; print(set(a.__all__) <= set(dir(a)))"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert said.stdout.strip().endswith("True"), said.stderr


def test_tests_mirror_nothing_twice(root: Path) -> None:
    """pytest's default import mode wants test modules in folders without __init__ to have different names."""
    modules = [p for p in (root / "tests").rglob("test_*.py") if not (p.parent / "__init__.py").exists()]
    names = [p.name for p in modules]
    assert sorted({n for n in names if names.count(n) > 1}) == []


def asserts(node: ast.AST, checkers: set[str]) -> bool:
    """Tell whether a function asserts, expects an exception, or calls something that does."""
    words = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    words |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    known = ("expect", "raises", "fail", "warns", "assert", "wait_for")
    return (
        any(isinstance(n, ast.Assert) for n in ast.walk(node))
        or any(word.startswith(known) for word in words)
        or bool(words & checkers)
    )


def weak_tests(texts: dict[str, str]) -> list[str]:
    """Return the tests that can only fail by accident. Helpers that assert count, wherever they are defined."""
    functions = [
        (name, node)
        for name, text in texts.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    helpers = {n.name for _, n in functions if not n.name.startswith("test_") and asserts(n, set())}
    return [
        f"{name}::{node.name}"
        for name, node in functions
        if node.name.startswith("test_") and not asserts(node, helpers)
    ]


def test_no_test_without_an_assertion(root: Path) -> None:
    files = sorted((root / "tests").rglob("*.py"))
    assert weak_tests({str(p.relative_to(root)): p.read_text() for p in files}) == []


def test_a_weak_test_is_found() -> None:
    text = "def helper(x):\n    assert x\ndef test_a():\n    helper(1)\ndef test_b():\n    print(1)\n"
    assert weak_tests({"t.py": text}) == ["t.py::test_b"]
