"""`aios lab`: JupyterLab on this project, with the workspace of this command line."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import json_option
from aios_workbench.errors import AiosError


@click.command(
    short_help="Open JupyterLab with the workbench.",
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "help_option_names": ["-h", "--help"],
    },
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[FOLDER] [JUPYTER OPTIONS]")
@json_option
def lab(arguments: tuple[str, ...], as_json: bool) -> None:
    """Open JupyterLab on FOLDER (default: here). Further options go to `jupyter lab`."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise AiosError("JupyterLab is not installed in this environment; pip install jupyterlab")
    folder = arguments[0] if arguments and not arguments[0].startswith("-") else None
    if folder is not None and not Path(folder).is_dir():
        raise click.UsageError(f"there is no folder {folder}")
    root = Path(folder or ".").resolve()
    options = [f"--ServerApp.root_dir={root}"]
    options += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    if (
        sys.platform.startswith("linux")
        and not os.environ.get("DISPLAY")
        and not os.environ.get("WAYLAND_DISPLAY")
    ):
        options.append("--no-browser")
    command = [sys.executable, "-m", "jupyterlab", *options, *arguments[1 if folder else 0 :]]
    if as_json:
        output.emit({"command": command, "folder": str(root)}, line=True)
    sys.stdout.flush()
    os.execv(sys.executable, command)  # noqa: S606 - no shell wanted
