"""The worker as a service: what is written, for whose eyes, and that systemd takes it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

SECRET = 'postgresql://ada:se"cr\\et$HOME`x`@db/x'


@pytest.fixture
def config(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = project.folder / "conf ig"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(path))
    monkeypatch.setenv("AIOS_DATABASE_URL", SECRET)
    return path


@pytest.fixture
def systemd() -> None:
    if shutil.which("systemctl") is None or shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here")


@pytest.mark.usefixtures("systemd")
def test_install_and_uninstall(project: Project, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_URL", "slack://a/b/c")
    made = project.json("worker", "--install", "--name", "aios-w", "--slots", "3", "--env", "SLACK_URL")
    unit, environment = config / "systemd/user/aios-w.service", config / "aios/aios-w.env"
    assert (made["unit"], made["environment"], made["written"]) == (str(unit), str(environment), True)
    assert made["verified"] is True  # systemd-analyze verify had nothing to say
    text = unit.read_text()
    assert "se" + '"cr' not in text
    assert "slack://" not in text
    for line in ("Restart=on-failure", "KillMode=mixed", "TimeoutStopSec=35", "NoNewPrivileges=yes"):
        assert f"\n{line}\n" in text
    (start,) = [line.partition("=")[2] for line in text.splitlines() if line.startswith("ExecStart=")]
    assert shlex.split(start)[:5] == [sys.executable, "-m", "aios_workbench.cli", "worker", "--slots"]
    assert environment.stat().st_mode & 0o777 == 0o600
    assert "systemctl --user enable --now aios-w" in made["next"]
    # The file is quoted as a shell would read it: what comes back is what went in.
    read = subprocess.run(
        ["sh", "-c", f'. {shlex.quote(str(environment))}; printf "%s|%s" "$AIOS_DATABASE_URL" "$SLACK_URL"'],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert read.stdout == f"{SECRET}|slack://a/b/c"

    environment.write_text(environment.read_text() + "ADDED=by hand\n")
    project("worker", "--install", "--name", "aios-w")
    assert environment.read_text().endswith("ADDED=by hand\n")
    assert environment.read_text().count("AIOS_HOME=") == 1
    wants = config / "systemd/user/default.target.wants"
    wants.mkdir()
    (wants / "aios-w.service").symlink_to(unit)
    assert "would be removed" in project("worker", "--uninstall", "--name", "aios-w", "--dry-run").stdout
    assert unit.exists()
    assert "daemon-reload" in project("worker", "--uninstall", "--name", "aios-w").stdout
    assert not any(p.exists() or p.is_symlink() for p in (unit, environment, wants / "aios-w.service"))
    assert "there is no service" in project("worker", "--uninstall", "--name", "aios-w").stdout


@pytest.mark.usefixtures("systemd")
@pytest.mark.parametrize("scope", ["--user", "--system"])
def test_systemd_takes_the_unit_of_a_hostile_folder(
    project: Project, config: Path, scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.folder / '100% "odd" $HOME <img src=x onerror=alert(1)> ü\''
    folder.mkdir()
    monkeypatch.setenv("AIOS_HOME", str(folder / ".aios"))
    shown = project.json("worker", "--install", scope, "--dry-run")
    assert (shown["verified"], shown["written"], shown["name"]) == (
        True, False, "aios-worker-100-odd-home-img-src-x-onerror-alert-1",
    )  # fmt: skip
    assert SECRET not in shown["text"]
    assert ("ProtectSystem=full" in shown["text"]) is (scope == "--system")
    assert not config.exists()


def test_refused(project: Project, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is no name for a service" in project.error("worker", "--install", "--name", "../x", code=2)
    assert "no such variable" in project.error("worker", "--install", "--env", "NOT_THERE", code=2)
    monkeypatch.setenv("TWO_LINES", "a\nExecStart=/bin/false")
    assert "one printable line" in project.error("worker", "--install", "--env", "TWO_LINES", code=2)
    (config / "systemd/user").mkdir(parents=True)
    (config / "systemd/user/mine.service").write_text("[Unit]\n")
    assert "not written by aios" in project.error("worker", "--uninstall", "--name", "mine", code=4)
    monkeypatch.setenv("PATH", str(project.folder))
    assert "no systemd on this machine" in project.error("worker", "--install", code=4)
    shown = project("worker", "--install", "--dry-run").stdout
    assert "[Service]" in shown
    assert "AIOS_DATABASE_URL" in shown
    assert "postgresql" not in shown
