"""Set up .venv in this checkout, then run one verb. Standard library only: needs no uv, no Node, no make.

    python3 -m aios_workbench.bootstrap demo [options]        the main job, headless, end to end
    python3 -m aios_workbench.bootstrap lab [folder] [...]    JupyterLab on notebooks/ (or tutorials, ...)
    python3 -m aios_workbench.bootstrap test [pytest args]    linters, types and every test; or just those named
    python3 -m aios_workbench.bootstrap setup                 nothing but the set-up

Set-up can be interrupted at any point and called again: it goes on where it stopped. AIOS_NO_UV=1 installs
with pip alone. Exit codes: 3 when set-up fails, 2 for a wrong verb, else those of the verb.
"""

# Python 3.6 must be able to parse this file, or the user sees a SyntaxError instead of the next line's message.
import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    import shutil

    better = [name for name in ("python3.13", "python3.12", "python3.11") if shutil.which(name)]
    print(
        "[aios] Python 3.11 or newer is needed (3.11, 3.12 and 3.13 are tested), this is {}.\n"
        "[aios] Next step: {}".format(
            sys.version.split()[0],
            "run `{} -m aios_workbench.bootstrap {}`".format(better[0], " ".join(sys.argv[1:]) or "setup")
            if better
            else "install one of those and call it by its name, such as `python3.12 -m aios_workbench.bootstrap`.",
        ),
        file=sys.stderr,
    )
    sys.exit(3)

import collections
import collections.abc
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import typing

from aios_workbench._causes import HOPELESS, SetupError, explain

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PY = BIN / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "aios-setup.json"
MUTEX = ROOT / ".venv.lock"
BUNDLE = ROOT / "aios_workbench" / "labextension"
STATIC = ROOT / "aios_workbench" / "static"
BUILT = (
    BUNDLE / "package.json",
    STATIC / "graph.js",
    STATIC / "tuning.js",
    STATIC / "drift.js",
    STATIC / "explain.js",
)
DEVELOPMENT = (
    BUNDLE / "build_log.json"
)  # only a development build by hand leaves it; never test or ship that one
NOT_SOURCE = {"node_modules", "lib", ".yarn", "__pycache__", "test-results"}
GIGABYTES = {"packages": 3.0, "project": 0.7}  # room each phase wants, node_modules and caches included
WAIT_FOR_OTHER = 1800.0  # seconds
START = time.monotonic()


def say(text: str) -> None:
    """Print a progress line with the seconds since the start."""
    print(f"[aios {time.monotonic() - START:6.1f} s] {text}", file=sys.stderr, flush=True)


def child_env(**more: str) -> "dict[str, str]":
    """Return the environment for child processes: bytecode may be written, nobody is phoned."""
    env = {
        k: v
        for k, v in os.environ.items()
        if k not in ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH")
    }
    env.update(DO_NOT_TRACK="1", MLFLOW_DISABLE_TELEMETRY="true", PIP_DISABLE_PIP_VERSION_CHECK="1", **more)
    env["VIRTUAL_ENV"] = str(VENV)
    env["PATH"] = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return env


def quietly(
    title: str, command: "collections.abc.Sequence[object]", env: "dict[str, str]"
) -> "SetupError | None":
    """Run a command without its output but with a sign of life; return None, or what went wrong."""
    say(f"{title} ...")
    began = time.monotonic()
    lines: collections.deque[str] = collections.deque(maxlen=2000)
    process = subprocess.Popen(
        [str(c) for c in command],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    reader = threading.Thread(target=lines.extend, args=(process.stdout,), daemon=True)
    reader.start()
    try:
        while True:
            try:
                code = process.wait(15)
                break
            except subprocess.TimeoutExpired:
                say(f"{title}: still at it after {time.monotonic() - began:.0f} s")
    except BaseException:
        process.kill()
        raise
    reader.join(5)
    if code:
        return explain(title, "".join(lines), code)
    say(f"{title}: done in {time.monotonic() - began:.1f} s")
    return None


def digest(*paths: pathlib.Path) -> str:
    """Hash the names and contents of files and of folders' source files."""
    h = hashlib.sha256()
    for path in paths:
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for f in files:
            inside = set(f.relative_to(path).parts[:-1])
            if f.is_file() and not inside & NOT_SOURCE and f.suffix != ".tsbuildinfo":
                h.update(f"{f.relative_to(ROOT)}\0".encode() + hashlib.sha256(f.read_bytes()).digest())
    return h.hexdigest()


def wanted() -> "dict[str, str]":
    """Return what a finished set-up would be stamped with."""
    front = digest(ROOT / "labextension")
    return {
        "packages": digest(LOCK),
        "front": front,
        "project": hashlib.sha256(
            (front + digest(ROOT / "pyproject.toml", ROOT / "aios_workbench" / "etc")).encode()
        ).hexdigest(),
    }


def stamped() -> "dict[str, str]":
    """Return the phases finished so far; empty when there is no usable .venv."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if PY.exists() and isinstance(stamp, dict) else {}


def built() -> bool:
    """Tell whether the front end is there, in the form that is shipped."""
    return all(p.exists() for p in BUILT) and not DEVELOPMENT.exists()


def stamp(done: "dict[str, str]") -> None:
    """Record finished phases; atomic, so that an interruption never leaves half a stamp."""
    draft = STAMP.with_suffix(".new")
    draft.write_text(json.dumps(done))
    draft.replace(STAMP)


def need_room(phase: str) -> None:
    """Refuse to begin a phase that the disk cannot hold."""
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < GIGABYTES[phase]:
        raise SetupError(
            f"the disk is full: {free:.1f} GB free at {ROOT}, about {GIGABYTES[phase]:.1f} GB needed",
            "free some space, then call the same command again",
            "disk",
        )


@contextlib.contextmanager
def alone() -> "collections.abc.Iterator[None]":
    """Hold the checkout's set-up lock; a second bootstrap waits for the first."""
    import fcntl

    with MUTEX.open("a+") as f:
        end, told = time.monotonic() + WAIT_FOR_OTHER, 0.0
        while True:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                f.seek(0)
                holder = f.read().strip() or "unknown"
            if time.monotonic() > end:
                raise SetupError(
                    f"another set-up (process {holder}) has been at work here for {WAIT_FOR_OTHER / 60:.0f} minutes",
                    f"see what it does (`ps -fp {holder}`), end it if it hangs, then call again",
                )
            if time.monotonic() - told > 15:
                told = time.monotonic()
                say(f"another set-up (process {holder}) is at work here; waiting for it")
            time.sleep(0.5)
        f.truncate(0)
        f.write(f"{os.getpid()}\n")
        f.flush()
        yield


def venv_works() -> bool:
    """Tell a complete virtual environment from none, a half-made one, and one whose Python is gone."""
    probe = "import sys, pip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
    try:
        return (
            subprocess.run([PY, "-c", probe], env=child_env(), capture_output=True, check=False).returncode
            == 0
        )
    except OSError:
        return False


def make_venv() -> None:
    """Create .venv, with virtualenv where the system ships no ensurepip (Debian without python3-venv)."""
    if venv_works():
        return
    if VENV.is_symlink() or VENV.is_file():
        raise SetupError(
            f"{VENV} is not a folder", "move it out of the way, then call the same command again"
        )
    if VENV.exists():
        say("removing an incomplete .venv")
        shutil.rmtree(VENV)
    env = child_env()
    if not quietly("virtual environment", [sys.executable, "-m", "venv", VENV], env) and venv_works():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="aios-virtualenv-") as boot:
        pip = [sys.executable, "-m", "pip", "install", "--target", boot, "virtualenv"]
        command = [sys.executable, "-m", "virtualenv", VENV]
        error = quietly("virtualenv, as this Python has no ensurepip", pip, env) or quietly(
            "virtual environment", command, {**env, "PYTHONPATH": boot}
        )
        if error:
            raise error


def pip_setting(key: str) -> str:
    """Return a pip setting, from PIP_* or pip.conf."""
    value = os.environ.get("PIP_" + key.upper().replace("-", "_"))
    if value:
        return value
    command = [str(PY), "-m", "pip", "config", "get", f"global.{key}"]
    r = subprocess.run(command, env=child_env(), capture_output=True, text=True, check=False)
    return r.stdout.strip()


def uv() -> "tuple[list[str | pathlib.Path], dict[str, str]] | None":
    """Return the command and environment of uv's installer, or None where uv cannot be had."""
    if os.environ.get("AIOS_NO_UV") == "1":
        return None
    env = child_env()
    if not (BIN / "uv").exists():
        error = quietly("uv, the fast installer", [PY, "-m", "pip", "install", "uv>=0.5"], env)
        if error and error.kind in HOPELESS:
            raise error
        if error:
            return None
    env.update(UV_HTTP_TIMEOUT=env.get("UV_HTTP_TIMEOUT", "120"), UV_NO_PROGRESS="1")
    # uv reads neither pip.conf nor PIP_*: hand it the same index, proxy and CA file, for this run only
    for key, name in (("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE"), ("proxy", "ALL_PROXY")):
        value = pip_setting(key)
        if value:
            env.setdefault(name, value)
    return [BIN / "uv", "pip", "install", "--python", PY, "--compile-bytecode"], env


def install(title: str, *arguments: "str | pathlib.Path", **more: str) -> None:
    """Install with uv; if that fails for a reason that pip may not share, with pip."""
    fast = uv()
    if fast:
        error = quietly(title, [*fast[0], *arguments], {**fast[1], **more})
        if not error:
            return
        if error.kind in HOPELESS:
            raise error
        # pip knows extra indexes, find-links and the system's trust store, which uv is not told of
        say(f"{title}: uv could not; once more with pip")
    error = quietly(f"{title} (pip)", [PY, "-m", "pip", "install", "-q", *arguments], child_env(**more))
    if error:
        raise error


def install_project(build: bool) -> None:
    """Install this checkout editable, with its Jupyter data files; build the front end when `build`.

    The lab extension is then linked, not copied: a bundle rebuilt by hand is seen at once.
    """
    link = VENV / "share" / "jupyter" / "labextensions" / "aios-workbench"
    if link.is_symlink():
        link.unlink()  # or the installer would uninstall through it, from the source tree
    title = "front end and project" if build else "project"
    try:
        install(title, "--no-deps", "--editable", ROOT, HATCH_JUPYTER_BUILDER_SKIP_NPM="" if build else "1")
    finally:
        if BUNDLE.is_dir():  # after a failed build the previous bundle goes on working
            shutil.rmtree(link, ignore_errors=True)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(BUNDLE, link.parent), target_is_directory=True)
    if build and DEVELOPMENT.exists():
        DEVELOPMENT.unlink()
    missing = [str(p.relative_to(ROOT)) for p in BUILT if not p.exists()]
    if missing:
        raise SetupError(
            f"the front end was built without {', '.join(missing)}", "see labextension/package.json"
        )


def setup() -> None:
    """Bring .venv up to date; a call with nothing to do takes a fraction of a second."""
    if not (LOCK.is_file() and (ROOT / "labextension").is_dir()):
        raise SetupError(
            f"{ROOT} is not a checkout of AIOS Workbench",
            "clone the repository and call this from its top folder",
        )
    if stamped() == wanted() and built():
        return
    with alone():
        want, done = wanted(), stamped()
        if "packages" not in done:
            need_room("packages")
        make_venv()
        if done.get("packages") != want["packages"]:
            # the lock is complete; --no-deps because pip refuses extras named by others (pandas[parquet]) in hash mode
            install("locked packages", "--no-deps", "--require-hashes", "-r", LOCK)
            done["packages"] = want["packages"]
            stamp(done)
        build = done.get("front") != want["front"] or not built()
        if build or done.get("project") != want["project"]:
            need_room("project")
            install_project(build)
            stamp(want)
    say("set-up is complete")


def become(*command: "str | pathlib.Path", **more: str) -> typing.NoReturn:
    """Replace this process, so that signals and the exit code are the verb's own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], [str(c) for c in command], child_env(**more))


def demo(*args: str) -> typing.NoReturn:
    """Run the main job, headless."""
    become(PY, "-m", "aios_workbench.demo", *args)


def lab(*args: str) -> int:
    """Run JupyterLab on a folder of this checkout and print its address."""
    folder = ROOT / "notebooks"
    if args and not args[0].startswith("-"):
        folder, args = (ROOT / args[0]).resolve(), args[1:]
    if not folder.is_dir():
        raise SetupError(f"there is no folder {folder}", "name one that exists, such as `lab tutorials`")
    options = [
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.log_level=WARN",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        *(["--allow-root"] if os.geteuid() == 0 else []),
        *([] if os.environ.get("DISPLAY") or sys.platform == "darwin" else ["--no-browser"]),
    ]
    where = [str(PY), "-c", "import jupyter_core.paths as p; print(p.jupyter_runtime_dir())"]
    runtime = subprocess.run(
        where, env=child_env(), capture_output=True, text=True, check=True
    ).stdout.strip()
    process = subprocess.Popen([str(PY), "-m", "jupyterlab", *options, *args], cwd=folder, env=child_env())
    record = pathlib.Path(runtime) / f"jpserver-{process.pid}.json"
    shown = False
    while True:
        try:
            return process.wait(None if shown else 0.2)
        except KeyboardInterrupt:
            continue  # the server got it too, and asks or stops by itself
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError, ValueError):
                server = json.loads(record.read_text())
                print(f"JupyterLab on {folder}: {server['url']}lab?token={server['token']}", flush=True)
                shown = True


#: Half of the time a test waits for a process: two modules at a time, in the order of their folders.
SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


def test(*args: str) -> int:
    """Run linters, types and the whole suite; with arguments, pytest with those."""
    failed = []
    if not args:
        for title, command in (
            ("ruff check", ["ruff", "check", "."]),
            ("ruff format", ["ruff", "format", "--check", "."]),
            ("mypy", ["mypy"]),
        ):
            say(title)
            if subprocess.run([PY, "-m", *command], cwd=ROOT, env=child_env(), check=False).returncode:
                failed.append(title)
        say(
            f"failed: {', '.join(failed)}; now the tests"
            if failed
            else "linters and types are clean; now the tests"
        )
    with tempfile.TemporaryDirectory(prefix="aios-home-") as home:
        # for notebooks tested alone, when tests/conftest.py is not loaded: leave nothing in the checkout
        env = child_env(AIOS_HOME=home)
        code = subprocess.run(
            [PY, "-m", "pytest", *(args or SIDE_BY_SIDE)], cwd=ROOT, env=env, check=False
        ).returncode
    return code or len(failed)


VERBS: "dict[str, collections.abc.Callable[..., int]]" = {
    "demo": demo,
    "lab": lab,
    "test": test,
    "setup": lambda: 0,
}


def main(argv: "list[str]") -> int:
    """Set up, then run the verb that `argv` begins with."""
    verb = argv[0] if argv else "--help"
    if verb in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    if verb not in VERBS or (verb == "setup" and argv[1:]):
        print(f"[aios] there is no `{' '.join(argv)}`; the verbs are {', '.join(VERBS)}", file=sys.stderr)
        return 2
    try:
        setup()
        return VERBS[verb](*argv[1:])
    except SetupError as e:
        e.show()
    except OSError as e:
        error = explain("set-up", str(e), 1)
        step = f"check that you own {ROOT} and may write there" if error.kind == "unknown" else error.step
        SetupError(str(e), step).show()
    except KeyboardInterrupt:
        print("\n[aios] interrupted; call the same command again to go on where it stopped.", file=sys.stderr)
        return 130
    return 3


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
