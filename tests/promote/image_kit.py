"""Executes a Dockerfile's instructions in a folder: everything but what only root in a container can do."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

#: folders of the image that stand below the root here
_OURS = re.compile(r"(?<![\w./])/(?=(?:opt/aios|build|work)\b)")


@dataclass
class Built:
    """What came of a Dockerfile."""

    root: Path
    context: Path
    instructions: list[tuple[str, str]]
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)
    user: str = ""
    workdir: str = ""
    entrypoint: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def here(self, text: str) -> str:
        return _OURS.sub(f"{self.root}/", text)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Start what the image would."""
        words = [self.here(word) for word in self.entrypoint]
        return subprocess.run(
            [*words, *arguments], cwd=self.here(self.workdir), env={**self.environment, **env}, capture_output=True,
            text=True, check=False, timeout=170,
        )  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "UV_", "LANG", "TMP"))}
        path = f"{self.root}/bin{os.pathsep}/usr/bin{os.pathsep}/bin"
        made = {"PATH": path}
        for name, value in self.env.items():
            made[name] = self.here(value.replace("$PATH", path))
        return {**kept, **made}


def parse(text: str) -> list[tuple[str, str]]:
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [
        (w, rest.strip())
        for w, _, rest in (line.partition(" ") for line in joined.splitlines() if line.strip())
    ]


def build(context: Path, root: Path) -> Built:
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "python").symlink_to(sys.executable)
    made = Built(root, context, parse((context / "Dockerfile").read_text()))
    for word, rest in made.instructions:
        globals()[f"_{word.lower()}"](made, rest)
    return made


def _arg(made: Built, rest: str) -> None:
    name, _, value = rest.partition("=")
    made.labels[f"ARG {name}"] = value


def _from(made: Built, rest: str) -> None:
    made.stages.append(rest.replace("${BASE}", made.labels["ARG BASE"]))
    made.env.clear()  # of another image


def _env(made: Built, rest: str) -> None:
    made.env.update(word.split("=", 1) for word in shlex.split(rest))


def _label(made: Built, rest: str) -> None:
    words = (
        word.replace("\\$", "$").split("=", 1) for word in shlex.split(rest)
    )  # shlex keeps that backslash
    made.labels.update((name, value) for name, value in words)


def _copy(made: Built, rest: str) -> None:
    words = rest.split()
    if words[0].startswith("--from="):
        assert words[1] == words[2]  # one root stands for both images
        assert Path(made.here(words[1])).exists()
        return
    source, target = words
    allowed = [
        line[1:] for line in (made.context / ".dockerignore").read_text().splitlines() if line.startswith("!")
    ]
    assert any(fnmatch.fnmatch(source, p) or source.startswith(f"{p}/") for p in allowed), source
    there = Path(made.here(target))
    there.parent.mkdir(parents=True, exist_ok=True)
    if (made.context / source).is_dir():
        shutil.copytree(made.context / source, there)
    else:
        shutil.copy(made.context / source, there)


def _run(made: Built, rest: str) -> None:
    for command in rest.split("&&"):
        if command.strip().startswith("useradd"):
            made.skipped.append(command.strip())
        elif command.strip().startswith("install -d -o"):
            made.skipped.append(command.strip())
            Path(made.here(command.split()[-1])).mkdir()
        else:
            subprocess.run(["sh", "-ec", made.here(command)], env=made.environment, check=True, timeout=170)


def _user(made: Built, rest: str) -> None:
    made.user = rest


def _workdir(made: Built, rest: str) -> None:
    made.workdir = rest


def _entrypoint(made: Built, rest: str) -> None:
    made.entrypoint = json.loads(rest)
