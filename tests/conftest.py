"""What every test shares: a hermetic environment, a real JupyterLab, a real Chromium, and the order.

`lab` is a JupyterLab server of each module's own; `notebook` writes notebooks into its root; `page`
is a Playwright page on the system Chromium. `lab.open(page, "/tree/x.ipynb")` waits for the lab.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from left_open import LeftOpen

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent

#: the only skips that AIOS_CI=1 lets pass; anything else could have run on the CI machine
ALLOWED_SKIPS = ("needs shared data",)

KERNEL_IDLE = """() => {
    const w = window.jupyterapp.shell.currentWidget;
    const k = w && w.sessionContext && w.sessionContext.session && w.sessionContext.session.kernel;
    return !!k && k.status === 'idle';
}"""


# ---------------------------------------------------------------- environment, order, skips


def pytest_configure(config: pytest.Config) -> None:
    """Point every process the suite starts (nbval kernels too) at temporary folders."""
    home = Path(tempfile.mkdtemp(prefix="aios-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    for name in ("AIOS_DATABASE_URL", "AIOS_ARTIFACTS", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        os.environ.pop(name, None)
    os.environ.update(
        AIOS_HOME=str(home / "aios"),
        DO_NOT_TRACK="1",
        HYPOTHESIS_STORAGE_DIRECTORY=str(
            ROOT / ".venv" / "hypothesis"
        ),  # kept between runs, outside the sources
        IPYTHONDIR=str(home / "ipython"),
        JUPYTER_CONFIG_DIR=str(home / "jupyter-config"),
        JUPYTER_DATA_DIR=str(home / "jupyter-data"),
        JUPYTER_PLATFORM_DIRS="1",
        JUPYTER_PREFER_ENV_PATH="1",  # python3 is the venv's kernel, whatever the user has installed
        JUPYTER_RUNTIME_DIR=str(home / "jupyter-runtime"),
        MLFLOW_DISABLE_TELEMETRY="true",
    )
    # no deadline: an example that takes 5 ms alone takes 500 beside a browser on two cores
    hypothesis.settings.register_profile("aios", deadline=None)
    hypothesis.settings.load_profile("aios")
    if getattr(config.option, "output", None) == "test-results":
        config.option.output = str(home / "playwright")  # pytest-playwright's default is the repository
    if os.environ.get("AIOS_CI") == "1":
        config.option.continue_on_collection_errors = True
    config.stash[HOME] = home
    if hasattr(config, "workerinput"):  # one of xdist's processes
        config.stash[TURNS] = Turns(Path(os.environ["AIOS_TEST_TURNS"]))
    else:
        os.environ["AIOS_TEST_TURNS"] = str(home)
    config.pluginmanager.register(Everywhere())
    config.pluginmanager.register(LeftOpen())


class Turns:
    """Who may run when tests run side by side: those marked `alone` with no other beside them.

    They kill processes at a point in time or count what a machine does in a second. `door` keeps others from
    overtaking one that waits for the room to be empty.
    """

    def __init__(self, folder: Path) -> None:
        self.door, self.room = ((folder / name).open("w") for name in ("door", "room"))

    @contextlib.contextmanager
    def turn(self, *, alone: bool) -> Iterator[None]:
        """Wait for a turn, and have it."""
        fcntl.flock(self.door, fcntl.LOCK_EX)
        try:
            fcntl.flock(self.room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        finally:
            fcntl.flock(self.door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self.room, fcntl.LOCK_UN)


HOME = pytest.StashKey[Path]()
TURNS = pytest.StashKey[Turns]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: sync Playwright leaves an event loop running in the main thread.

    pytest-jupyter's asyncio fixtures and nbval's kernel clients cannot start beside it.
    """
    items.sort(key=lambda item: "browser" in item.path.parts)


def _refused(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the reason of a skip that CI does not accept, or an empty string."""
    if os.environ.get("AIOS_CI") != "1" or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return ""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    return "" if reason.startswith(ALLOWED_SKIPS) else reason


def _whole(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace").decode()
    if isinstance(data, dict):
        return {_whole(k): _whole(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(map(_whole, data))
    return data


class Everywhere:
    """Hooks for every test. In a conftest they would not reach the notebooks beside tests/."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Let a test wait for its turn, before the clock of its timeout runs."""
        turns = item.config.stash.get(TURNS, None)
        if turns is None:
            return (yield)
        with turns.turn(alone=item.get_closest_marker("alone") is not None):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Give each tested notebook a workspace of its own (its kernel starts after this)."""
        if item.path.suffix == ".ipynb":
            os.environ["AIOS_HOME"] = str(item.config.stash[HOME] / f"aios-{item.path.stem}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """With AIOS_CI=1 a skip that is not on the list is an error: a test that never runs proves nothing."""
        report = yield
        if reason := _refused(report):
            report.outcome = "failed"
            report.longrepr = f"skipped, and AIOS_CI=1 allows that only for {ALLOWED_SKIPS}: {reason}"
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self) -> Generator[None, Any, Any]:
        """Let a test print half a character: between xdist's processes only whole ones travel."""
        data = yield
        return _whole(data)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Refuse module-level skips (importorskip) as well."""
        report = yield
        if reason := _refused(report):
            report.outcome = "failed"
            report.longrepr = f"module skipped, and AIOS_CI=1 allows that only for {ALLOWED_SKIPS}: {reason}"
        return report


# ---------------------------------------------------------------- databases


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server for all tests of this process; each has a schema of its own in it."""
    import pg_server

    with pg_server.cluster() as server:
        yield server


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> str:
    """Where the workspaces of a module are: the empty string for a file, else the address of a schema.

    Modules of which everything must hold on both are listed in their folder's conftest.py. The others are on SQLite,
    or with AIOS_TEST_DATABASE=postgres on PostgreSQL.
    """
    if getattr(request, "param", os.environ.get("AIOS_TEST_DATABASE", "sqlite")) == "sqlite":
        return ""
    return str(request.getfixturevalue("postgres_server").schema(f"m{uuid.uuid4().hex[:12]}"))


# ---------------------------------------------------------------- browser and lab


def find_chromium() -> str | None:
    """Return the system's Chromium, or the one AIOS_CHROMIUM names."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("AIOS_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the system Chromium, quiet and headless; Playwright's own is never downloaded."""
    exe = find_chromium()
    if not exe:
        pytest.skip("no system Chromium: apt-get install chromium, or set AIOS_CHROMIUM")
    flags = [
        "--headless",
        "--no-sandbox",  # CI runs as root in a container
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-dev-shm-usage",
        "--disable-sync",
    ]
    return {**browser_type_launch_args, "executable_path": exe, "args": flags}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Use a window wide enough for a notebook beside a side panel."""
    return {**browser_context_args, "viewport": {"width": 1440, "height": 900}}


@pytest.fixture
def page(page: Page) -> Page:
    """A page whose waits are long enough for a kernel to start on a busy two-core machine."""
    from playwright.sync_api import expect

    page.set_default_timeout(30_000)
    expect.set_options(
        timeout=20_000
    )  # for all, not for the worker that happened to import a file that said so
    return page


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, token, notebook root and private home."""

    base: str
    token: str
    root: Path
    home: Path

    @property
    def log(self) -> str:
        """Everything the server has printed so far."""
        return (self.home / "lab.log").read_text(errors="replace")

    def open(self, page: Page, path: str = "") -> None:
        """Open the lab (`path` such as "/tree/x.ipynb") and wait until it is restored."""
        page.goto(f"{self.base}/lab{path}?token={self.token}&reset")
        page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
        page.wait_for_function(
            "window.jupyterapp && window.jupyterapp.restored.then(() => true)", timeout=60_000
        )

    def run_all(self, page: Page, timeout: float = 60_000) -> None:
        """Wait for the open notebook's kernel (milliseconds), then start all cells; returns at once."""
        page.wait_for_function(KERNEL_IDLE, timeout=timeout)
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
            answer.read()
            return
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start within {seconds} s:\n{log.read_text(errors='replace')[-8000:]}")


@contextlib.contextmanager
def running_lab(root: Path, home: Path, base_url: str = "/", *arguments: str) -> Iterator[Lab]:
    """Run a JupyterLab server of one's own: own port, token, root, config, runtime and data folders."""
    port, token = _free_port(), "t0ken"
    env = {
        **os.environ,
        "HOME": str(home),
        "AIOS_HOME": str(root / ".aios"),  # server and kernels must look at one workspace
        "IPYTHONDIR": str(home / "ipy"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "ws"),
        "JUPYTER_CONFIG_DIR": str(home / "cfg"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "run"),
    }
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # without .pyc files a kernel takes several times as long
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.base_url={base_url}",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={root}",
        "--ServerApp.terminals_enabled=False",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        *arguments,
    ]
    with (home / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=root, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            base = f"http://127.0.0.1:{port}{base_url.rstrip('/')}"
            _wait_until_up(process, f"{base}/api?token={token}", home / "lab.log")
            yield Lab(base, token, root, home)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            with contextlib.suppress(ProcessLookupError):  # kernels that outlived their server
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def labs() -> Callable[..., contextlib.AbstractContextManager[Lab]]:
    """Starts JupyterLab servers with settings of a test's own."""
    return running_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The JupyterLab server a module's tests share: what others have run is not in its lists."""
    with running_lab(tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture(scope="module")
def lab_below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab server whose addresses all begin with a user's name, as behind JupyterHub."""
    root, home = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("home")
    with running_lab(root, home, "/user/ana/") as started:
        yield started


@pytest.fixture
def notebook(lab: Lab) -> Callable[..., str]:
    """Write a notebook of code cells into the lab's root: `notebook("x.ipynb", "1 + 1", …)` -> its name."""
    import nbformat

    def make(name: str, *sources: str) -> str:
        spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        book = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
        book.cells = [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(book, lab.root / name)
        return name

    return make
