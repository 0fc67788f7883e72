"""The set-up, run for real on a miniature checkout: same bootstrap, an empty lock, a build backend of its own."""

from __future__ import annotations

import ast
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aios_workbench import _causes, bootstrap

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parents[1]
SOURCES = ("bootstrap.py", "_causes.py")

# A PEP 517 backend that needs nothing from a registry. It notes each build, and "builds" a bundle.
BACKEND = """
import os, pathlib, time, zipfile

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(folder, config_settings=None, metadata_directory=None):
    here = pathlib.Path.cwd()
    npm = os.environ.get("HATCH_JUPYTER_BUILDER_SKIP_NPM") != "1"
    with open(here / "builds.log", "a") as f:
        f.write("front\\n" if npm else "project\\n")
    if npm:
        if (here / "labextension" / "broken").exists():
            raise SystemExit("jlpm run build:prod: error TS2551")
        bundle = here / "aios_workbench" / "labextension"
        bundle.mkdir(exist_ok=True)
        (bundle / "package.json").write_text((here / "labextension" / "package.json").read_text())
        (here / "aios_workbench" / "static").mkdir(exist_ok=True)
        for name in ("graph.js", "tuning.js", "drift.js", "explain.js"):
            (here / "aios_workbench" / "static" / name).write_text("1")
    name, info = "mini-1-py3-none-any.whl", "mini-1.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as z:
        z.writestr("mini.pth", str(here))
        z.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: mini\\nVersion: 1\\n")
        z.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        z.writestr(f"{info}/RECORD", "")
    return name
"""

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


class Mini:
    """A checkout in a temporary folder, and ways to call its bootstrap."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "aios_workbench" / "etc").mkdir(parents=True)
        (root / "aios_workbench" / "__init__.py").touch()
        for name in SOURCES:
            shutil.copy(HERE / "aios_workbench" / name, root / "aios_workbench" / name)
        (root / "labextension").mkdir()
        (root / "labextension" / "package.json").write_text("{}")
        (root / "requirements.lock").write_text("# nothing\n")
        (root / "pyproject.toml").write_text(PYPROJECT)
        (root / "backend.py").write_text(BACKEND)

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "aios_workbench.bootstrap", *args]

    def env(self, **more: str) -> dict[str, str]:
        gone = ("PIP_", "UV_", "PYTHONPATH")
        base = {k: v for k, v in os.environ.items() if not k.startswith(gone)}
        return {**base, "AIOS_NO_UV": "1", "PIP_CONFIG_FILE": os.devnull, **more}

    def __call__(self, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*args),
            cwd=self.root,
            env=self.env(**more),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *args: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*args),
            cwd=self.root,
            env=self.env(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def builds(self) -> list[str]:
        log = self.root / "builds.log"
        return log.read_text().split() if log.exists() else []


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Mini:
    """A mini checkout that is set up; tests leave it so."""
    mini = Mini(tmp_path_factory.mktemp("mini"))
    done = mini("setup")
    assert done.returncode == 0, done.stderr
    return mini


@pytest.fixture
def fresh(tmp_path: Path) -> Mini:
    """A mini checkout with no .venv."""
    return Mini(tmp_path)


# ---------------------------------------------------------------- Python versions


@pytest.mark.parametrize("name", [*SOURCES, "__init__.py"])
def test_an_old_python_can_parse_what_it_must(name: str) -> None:
    """The message about the version has to come before any SyntaxError, and `-m` imports __init__ first."""
    tree = ast.parse((HERE / "aios_workbench" / name).read_text(), feature_version=(3, 6))
    future = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    assert {a.name for n in future for a in n.names} <= {"annotations"}
    assert not (future and name in SOURCES)  # Python 3.6 knows no `annotations`


def pythons() -> Iterator[tuple[str, str]]:
    """Interpreters that bootstrap must refuse: real ones where there are any, pretended ones everywhere."""
    script = "import sys, runpy; sys.argv = ['b', 'demo']; sys.version_info = ({}, 0, 'final', 0); sys.version = '{}.0'"
    run = f"runpy.run_path({str(HERE / 'aios_workbench' / 'bootstrap.py')!r})"
    for version in ("3, 8", "3, 10", "3, 14"):
        yield sys.executable, f"{script.format(version, version.replace(', ', '.'))}; {run}"
    for real in sorted(Path.home().glob(".pyenv/versions/3.*/bin/python")):
        if int(real.parts[-3].split(".")[1]) < 11:
            yield str(real), f"import runpy, sys; sys.argv = ['b', 'demo']; {run}"


@pytest.mark.parametrize(("python", "code"), list(pythons()))
def test_wrong_python_is_told_what_to_do(python: str, code: str) -> None:
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert "Python 3.11 or newer is needed" in done.stderr
    assert re.search(r"this is 3\.\d+\.", done.stderr)
    assert "Next step: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "SyntaxError" not in done.stderr


# ---------------------------------------------------------------- what it does, and does again


def test_second_call_does_nothing(ready: Mini) -> None:
    before = ready.builds
    done = ready("setup")
    assert (done.returncode, done.stderr, ready.builds) == (0, "", before)


def test_only_what_changed_is_done_again(ready: Mini) -> None:
    steps = {
        "labextension/src.ts": ("front", "front end and project"),
        "pyproject.toml": ("project", "project"),
        "aios_workbench/etc/x.json": ("project", "project"),
        "requirements.lock": ("", "locked packages"),
    }
    for name, (build, phase) in steps.items():
        before = ready.builds
        with (ready.root / name).open("a") as f:
            f.write("\n# changed\n")
        done = ready("setup")
        assert done.returncode == 0, done.stderr
        assert ready.builds[len(before) :] == ([build] if build else []), name
        phases = re.findall(r"\] (.+?)(?: \(pip\))?: done in", done.stderr)
        assert phases == [phase], name


def test_a_lost_bundle_is_built_again(ready: Mini) -> None:
    before = ready.builds
    shutil.rmtree(ready.root / "aios_workbench" / "labextension")
    assert ready("setup").returncode == 0
    assert ready.builds == [*before, "front"]


def test_a_development_bundle_is_built_again_for_shipping(ready: Mini) -> None:
    before = ready.builds
    (ready.root / "aios_workbench" / "labextension" / "build_log.json").write_text("{}")
    assert ready("setup").returncode == 0
    assert ready.builds == [*before, "front"]
    assert ready("setup").stderr == ""


def test_the_lab_sees_the_source_bundle(ready: Mini) -> None:
    link = ready.root / ".venv" / "share" / "jupyter" / "labextensions" / "aios-workbench"
    assert link.resolve() == ready.root / "aios_workbench" / "labextension"


def test_a_failed_build_says_why_and_keeps_the_old_bundle(ready: Mini) -> None:
    (ready.root / "labextension" / "broken").touch()
    done = ready("setup")
    (ready.root / "labextension" / "broken").unlink()
    assert done.returncode == 3
    assert "error TS2551" in done.stderr  # the tool's own words
    assert "the front end did not build" in done.stderr
    link = ready.root / ".venv" / "share" / "jupyter" / "labextensions" / "aios-workbench"
    assert (link / "package.json").is_file()
    assert ready("setup").returncode == 0


def test_progress_is_timed(fresh: Mini) -> None:
    done = fresh("setup")
    assert done.returncode == 0, done.stderr
    for phase in ("virtual environment", r"locked packages \(pip\)", r"front end and project \(pip\)"):
        assert re.search(rf"^\[aios +\d+\.\d s\] {phase}: done in \d+\.\d s$", done.stderr, re.MULTILINE), (
            phase
        )


# ---------------------------------------------------------------- interrupted, half-made, twice at once


def test_killed_at_any_phase_it_goes_on(fresh: Mini) -> None:
    for mark in ("virtual environment ...", "locked packages (pip) ...", "front end and project (pip) ..."):
        process = fresh.start("setup")
        assert process.stderr is not None
        for line in process.stderr:
            if mark in line:
                break
        else:
            pytest.fail(f"{mark} was not reached")
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()
    done = fresh("setup")
    assert done.returncode == 0, done.stderr
    assert fresh("setup").stderr == ""


@pytest.mark.parametrize("damage", ["no pip", "dead link"])
def test_a_half_made_venv_is_remade(fresh: Mini, damage: str) -> None:
    venv = fresh.root / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    if damage == "dead link":
        (venv / "bin" / "python").unlink()
        (venv / "bin" / "python").symlink_to("/nowhere/python")
    done = fresh("setup")
    assert done.returncode == 0, done.stderr
    assert "removing an incomplete .venv" in done.stderr


def test_two_at_once_do_the_work_once(fresh: Mini) -> None:
    both = [fresh.start("setup"), fresh.start("setup")]
    said = [p.communicate(timeout=120)[1] for p in both]
    assert [p.returncode for p in both] == [0, 0], said
    assert fresh.builds == ["front"]
    assert sum("another set-up (process" in text for text in said) == 1


def test_a_hanging_other_set_up_is_named(ready: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "MUTEX", ready.root / ".venv.lock")
    monkeypatch.setattr(bootstrap, "WAIT_FOR_OTHER", 0.0)
    with (ready.root / ".venv.lock").open("w") as other:
        other.write("4711\n")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(_causes.SetupError, match="process 4711") as caught, bootstrap.alone():
            pass
    assert "ps -fp 4711" in caught.value.step


# ---------------------------------------------------------------- a hostile world


def test_registry_that_does_not_answer(fresh: Mini) -> None:
    (fresh.root / "requirements.lock").write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")
    done = fresh("setup", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1", NO_PROXY="127.0.0.1")
    assert done.returncode == 3
    assert (
        "locked packages (pip): the package registry does not answer.\n[aios] Next step: check the network"
        in done.stderr
    )


def test_uv_unreachable_is_no_reason_to_try_for_hours(fresh: Mini) -> None:
    done = fresh(
        "setup",
        AIOS_NO_UV="0",
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_RETRIES="1",
        NO_PROXY="127.0.0.1",
    )
    assert done.returncode == 3
    assert "uv, the fast installer: the package registry does not answer" in done.stderr


def test_a_tampered_package_is_refused(fresh: Mini) -> None:
    wheels = fresh.root / "wheels"
    wheels.mkdir()
    subprocess.run(
        [
            sys.executable,
            "-c",
            f"{BACKEND}\nimport os; os.chdir({str(fresh.root)!r}); build_editable({str(wheels)!r})",
        ],
        check=True,
        env={**os.environ, "HATCH_JUPYTER_BUILDER_SKIP_NPM": "1"},
    )
    (fresh.root / "requirements.lock").write_text(f"mini==1 --hash=sha256:{'0' * 64}\n")
    done = fresh("setup", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels))
    assert done.returncode == 3
    assert "is not the one requirements.lock" in done.stderr


def test_full_disk_is_seen_before_work_begins(
    ready: Mini, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {
        "LOCK": "requirements.lock",
        "VENV": ".nowhere",
        "MUTEX": ".m",
        "STAMP": ".nowhere/s",
        "PY": ".nowhere/p",
    }
    for name, path in names.items():
        monkeypatch.setattr(bootstrap, name, ready.root / path)
    monkeypatch.setattr(bootstrap, "ROOT", ready.root)
    usage = shutil.disk_usage(ready.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2_100_000_000))
    assert bootstrap.main(["setup"]) == 3
    said = capsys.readouterr().err
    assert "the disk is full: 2.1 GB free" in said
    assert "about 3.0 GB needed" in said
    assert not (ready.root / ".nowhere").exists()


# the words of the tools themselves, copied from failed runs
OUTPUTS = {
    "pip, disk": (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        "disk",
    ),
    "uv, disk": (
        "error: Failed to write to the cache\n  Caused by: No space left on device (os error 28)",
        "disk",
    ),
    "yarn, disk": ("➤ YN0001: │ Error: ENOSPC: no space left on device, write", "disk"),
    "quota": ("OSError: [Errno 122] Disk quota exceeded: '/x'", "disk"),
    "pip, hash": ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "hash"),
    "uv, hash": ("error: Failed to read `six==1.17.0`\n  Caused by: Hash mismatch for `six==1.17.0`", "hash"),
    "yarn, hash": (
        "➤ YN0018: │ react@npm:18.2.0: The remote archive doesn't match the expected checksum",
        "hash",
    ),
    "pip, dns": (
        "WARNING: Retrying after connection broken by 'NewConnectionError(': [Errno -3] Temporary failure in name re",
        "registry",
    ),
    "uv, dns": (
        "error: Request failed after 3 retries\n  cause: dns error: failed to lookup address",
        "registry",
    ),
    "uv, refused": ("  Caused by: tcp connect error: Connection refused (os error 111)", "registry"),
    "yarn, refused": ("➤ YN0001: │ RequestError: connect ECONNREFUSED 127.0.0.1:9", "registry"),
    "pip, time": (
        "pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool: Read timed out.",
        "registry",
    ),
    "pip, tls": (
        "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify",
        "tls",
    ),
    "uv, tls": ("  Caused by: invalid peer certificate: UnknownIssuer", "tls"),
    "pip, lacks": ("ERROR: No matching distribution found for nosuch==1", "missing"),
    "uv, lacks": ("  x No solution found when resolving dependencies:", "missing"),
    "yarn, tsc": (
        "jlpm run build:prod\nsrc/index.ts(4,1): error TS2551: Property 'x' does not exist",
        "build",
    ),
    "no pip": ("/usr/bin/python3: No module named pip", "pip"),
    "anything": ("Segmentation fault", "unknown"),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_causes_are_recognised(case: str) -> None:
    output, kind = OUTPUTS[case]
    error = _causes.explain("phase", output, 1)
    assert error.kind == kind
    assert error.what.startswith("phase: ")
    assert error.step


@pytest.mark.parametrize("has_pip", [False, True])
def test_debian_without_ensurepip(fresh: Mini, has_pip: bool) -> None:
    """Debian's bare python3 has no ensurepip, and may have no pip either: virtualenv, or a clear message."""
    debian = fresh.root / "python3"
    pip = f'exec {sys.executable} "$@"' if has_pip else f"echo {debian}: No module named pip >&2; exit 1"
    debian.write_text(
        "#!/bin/sh\n"
        'if [ "$2" = venv ]; then echo "The virtual environment was not created successfully because ensurepip is not '
        'available."; exit 1\n'
        f'elif [ "$2" = pip ]; then {pip}\n'
        f'else exec {sys.executable} "$@"; fi\n'
    )
    debian.chmod(0o755)
    script = f"import sys; sys.path.insert(0, {str(fresh.root)!r}); sys.executable = {str(debian)!r}; "
    script += "from aios_workbench import bootstrap as b; sys.exit(b.main(['setup']))"
    env = {**os.environ, "AIOS_NO_UV": "1"}  # with pip's settings: virtualenv comes from the registry
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=fresh.root, env=env, capture_output=True, text=True, check=False)
    if has_pip:
        assert done.returncode == 0, done.stderr
        assert "virtualenv, as this Python has no ensurepip: done" in done.stderr
    else:
        assert done.returncode == 3
        assert "neither ensurepip nor pip" in done.stderr
        assert "apt-get install python3-venv" in done.stderr


def test_a_file_in_the_way(fresh: Mini) -> None:
    (fresh.root / ".venv").write_text("mine")
    done = fresh("setup")
    assert done.returncode == 3
    assert ".venv is not a folder" in done.stderr
    assert (fresh.root / ".venv").read_text() == "mine"


def test_not_a_checkout(tmp_path: Path) -> None:
    (tmp_path / "aios_workbench").mkdir()
    (tmp_path / "aios_workbench" / "__init__.py").touch()  # or the installed package would be found first
    for name in SOURCES:
        shutil.copy(HERE / "aios_workbench" / name, tmp_path / "aios_workbench" / name)
    command = [sys.executable, "-m", "aios_workbench.bootstrap", "setup"]
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "is not a checkout of AIOS Workbench" in done.stderr


@pytest.mark.parametrize("args", [["tset"], ["setup", "now"]])
def test_unknown_verb(fresh: Mini, args: list[str]) -> None:
    done = fresh(*args)
    assert done.returncode == 2
    assert "the verbs are demo, lab, test, setup" in done.stderr
    assert not (fresh.root / ".venv").exists()


def test_help_sets_nothing_up(fresh: Mini) -> None:
    done = fresh("--help")
    assert done.returncode == 0
    for verb in ("demo", "lab", "test", "setup"):
        assert f"aios_workbench.bootstrap {verb}" in done.stdout
    assert not (fresh.root / ".venv").exists()


def test_verbs_pass_arguments_and_exit_codes_on(ready: Mini) -> None:
    report = "import os, sys; print(sys.argv[1:], os.environ['DO_NOT_TRACK'], 'PYTHONDONTWRITEBYTECODE' in os.environ)"
    (ready.root / "aios_workbench" / "demo.py").write_text(f"{report}; sys.exit(7)")
    done = ready("demo", "--rows", "5", PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 7
    assert done.stdout == "['--rows', '5'] 1 False\n"
