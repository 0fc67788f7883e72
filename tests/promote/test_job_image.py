"""An image's context: written whole, linted by hadolint, its commands executed; the bill valid by its schema."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import image_kit
import pytest
from locked_kit import install, lock_of, only_from, repack, shelf, wheel

from aios_workbench import promote
from aios_workbench.cli.app import call
from aios_workbench.errors import ConflictError, JobError, NotFoundError
from aios_workbench.promote import JobSpec, container, image_proof
from aios_workbench.promote.environment import Lock, Package
from aios_workbench.promote.environment.capture import capture_packages
from aios_workbench.promote.sbom import purl, sbom
from aios_workbench.workspace import Workspace

Write = Callable[..., Path]

#: all that `aios run-job` imports; the rest of aios-workbench's hundred packages is not needed to see that it works
RUNNER = (
    "click",
    "cronsim",
    "nbclient",
    "nbconvert",
    "nbformat",
    "psutil",
    "pydantic",
    "pyyaml",
    "rich",
    "tzdata",
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    for path in shelf().iterdir():
        (folder / path.name).symlink_to(path)
    for package in capture_packages(RUNNER).packages:
        if not list(folder.glob(f"{package.name.replace('-', '_')}-{package.version}-*")):
            repack(folder, package.name, package.version)
    wheel(folder, "zz-tiny", "1.0", {"zz_tiny.py": "__version__ = '1.0'\n"})
    return folder


@pytest.fixture
def small(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small aios-workbench, a job's package, and an index that has both."""
    only_from(index, monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lock = capture_packages([*RUNNER, "ipykernel"])
    monkeypatch.setattr(container, "capture_packages", lambda _: lock)
    install(tmp_path / "site", "zz-tiny", "1.0", modules={"zz_tiny.py": "__version__ = '1.0'\n"})
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


NAME = 'Ada\'s "$HOME" \\ job'


@pytest.fixture
def job(ws: Workspace, write: Write, small: None) -> str:
    path = write(
        "tiny.ipynb",
        "import zz_tiny, helper\nprint(zz_tiny.__version__, n, helper.VALUE)",
        parameters="n: int = 1",
    )
    (path.parent / "helper.py").write_text("VALUE = 'bundled'")
    promote.promote(ws, path, JobSpec(name=NAME, notebook="-"), "ada")
    return NAME


@pytest.mark.slow
def test_the_dockerfiles_commands_give_the_job(ws: Workspace, job: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = container.context(ws, job, None, out)
    assert sorted({p.relative_to(out).parts[0] for p in files}) == [
        ".dockerignore", "Dockerfile", "README.md", "bundle", "locks", "sbom.json", "wheels",
    ]  # fmt: skip
    built = image_kit.build(out, tmp_path / "root")
    assert (built.user, built.workdir) == ("10001:10001", "/work")
    assert [s.split()[0] for s in built.skipped] == ["useradd", "install"]  # only root in a container can
    assert "--require-hashes" in (out / "Dockerfile").read_text()
    done = built.run("--params", '{"n": 7}')
    assert done.returncode == 0, done.stderr
    log = next((tmp_path / "root" / "work").rglob("log.txt")).read_text()
    assert "1.0 7 bundled" in log
    # What the user without rights could not do, nobody does unnoticed.
    helper = Path(built.here(built.entrypoint[2])) / "helper.py"
    assert helper.stat().st_mode & 0o222 == 0
    helper.chmod(0o644)
    helper.write_text("VALUE = 'changed'")
    refused = built.run()
    assert refused.returncode == 2
    assert "is not what was promoted: helper.py was changed" in refused.stderr


def test_a_context_is_whole_and_tells_nothing_of_this_machine(
    ws: Workspace, job: str, index: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    container.context(ws, job, 1, out)
    built = image_kit.Built(tmp_path, out, image_kit.parse((out / "Dockerfile").read_text()))
    for word, rest in built.instructions:
        if word == "LABEL":
            image_kit._label(built, rest)
    version = ws.catalog.one("select bundle_hash from job_versions")
    assert version is not None
    assert built.labels["org.opencontainers.image.title"] == NAME
    assert built.labels["org.opencontainers.image.revision"] == version["bundle_hash"]
    assert built.labels["aios-workbench.version"] == "1"
    text = "".join(
        (out / n).read_text() for n in ("Dockerfile", "README.md", "sbom.json", "locks/runner.lock")
    )
    for told in (str(tmp_path), str(index), "find-links", "index-url"):
        assert told not in text
    lock = (out / "locks" / "runner.lock").read_text()
    assert "zz-tiny==1.0 \\\n    --hash=sha256:" in lock
    assert "nbclient==" in lock
    with zipfile.ZipFile(next((out / "wheels").iterdir())) as archive:
        names = archive.namelist()
    assert "aios_workbench/promote/container.py" in names
    assert not [n for n in names if "__pycache__" in n or n.startswith("aios_workbench/labextension")]
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    container.context(ws, job, None, out)  # written by us: written again, and the same
    after = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert {p.name for p in before if after.get(p) != before[p]} <= {"Dockerfile"}  # it names the version now
    assert before.keys() == after.keys()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".out")] == []


def test_versions_that_do_not_fit_together_live_apart(
    ws: Workspace, job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "capture_packages", lambda _: lock_of("zz-tiny==1.0", "traitlets==4.0"))
    monkeypatch.setattr(container, "hashed", lambda lock, _: lock)
    container.context(ws, job, None, tmp_path / "out")
    text = (tmp_path / "out" / "Dockerfile").read_text()
    assert "python -m venv /opt/aios/runner" in text
    assert "python -m venv /opt/aios/kernel" in text
    assert "AIOS_KERNEL_PYTHON=/opt/aios/kernel/bin/python" in text
    assert "--require-hashes" not in text  # there are none
    assert "without hashes: none were asked for" in (tmp_path / "out" / "README.md").read_text()
    assert "traitlets==4.0\n" in (tmp_path / "out" / "locks" / "runner.lock").read_text()
    check = image_proof.lint(tmp_path / "out" / "Dockerfile")
    assert check.ok, check.output


def test_nothing_of_anybody_elses_is_overwritten(
    ws: Workspace, job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "hashed", lambda lock, _: lock)
    out = tmp_path / "mine"
    out.mkdir()
    (out / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(ConflictError, match="was not written by `aios jobs image`; give a new folder"):
        container.context(ws, job, None, out)
    with pytest.raises(ConflictError):
        container.context(ws, job, None, out / "Dockerfile")
    assert (out / "Dockerfile").read_text() == "FROM scratch\n"
    with pytest.raises(NotFoundError, match="version 9"):
        container.context(ws, job, 9, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("lock", "says"),
    [
        (lock_of(python="3.2.1"), r"locked for cpython 3\.2\.1.*an image has one Python"),
        (dataclasses.replace(lock_of(), packages=(Package("zz-own", "1", "editable", {"name": "own"}),)),
         r"lacks zz-own 1 \(editable, from the folder own\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_in_an_image_is_said(lock: Lock, says: str, tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text(lock.document)
    with pytest.raises(JobError, match=says):
        container._locked(tmp_path)
    (tmp_path / "environment.json").unlink()
    with pytest.raises(JobError, match=r"holds no environment\.json"):
        container._locked(tmp_path)


def test_by_command(
    ws: Workspace,
    job: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(container, "hashed", lambda lock, _: lock)
    out = tmp_path / "out"
    where = ["--workspace", str(ws.root), "jobs"]
    assert call([*where, "image", job, "--out", str(out), "--verify", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["evidence"] == "schema"
    assert str(out / "Dockerfile") in told["files"]
    assert [(c["what"], c["ok"]) for c in told["verified"]["checks"]] == [
        ("hadolint", True), ("cyclonedx strict validator, 1.6", True),
    ]  # fmt: skip
    assert call([*where, "try", job]) == 0
    said = capsys.readouterr()
    assert "the locked environment works: Python " in said.out
    assert "installing" in said.err
    assert call([*where, "try", job, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []


# ---------------------------------------------------------------- the bill


HOSTILE = Lock(
    "3.11.7", "cpython", "linux-x86_64", "worker",
    (
        Package("a", "1.0+cpu", licence={"expression": "MIT OR Apache-2.0"}, hashes=("b" * 64, "a" * 64), direct=True,
                requires=("b", "c")),
        Package("b", "2", licence={"name": "Our <b>own</b> \"licence\"\n"}),
        Package("c", "3", "vcs", {"vcs": "git", "commit": "0" * 40, "url": "https://git.example/a b.git"}),
        Package("d", "4", "editable", {"name": "<img src=x onerror=alert(1)>"}),
    ),
)  # fmt: skip


def test_a_bill_is_valid_and_says_everything(tmp_path: Path) -> None:
    files = {"notebook.ipynb": b"{}", "pkg/<img>.py": b"", "ünïcode.py": b"1"}
    made = sbom(HOSTILE, files, "x' \"<b>")
    (tmp_path / "sbom.json").write_bytes(made)
    check = image_proof.validate(tmp_path / "sbom.json")
    assert check.ok, check.output
    said = json.loads(made)
    by_name = {c["name"]: c for c in said["components"]}
    assert by_name["a"]["purl"] == "pkg:pypi/a@1.0%2Bcpu"
    assert by_name["a"]["licenses"] == [{"expression": "MIT OR Apache-2.0", "acknowledgement": "declared"}]
    assert [h["content"] for h in by_name["a"]["hashes"]] == ["a" * 64, "b" * 64]
    assert by_name["c"]["purl"] == f"pkg:pypi/c@3?vcs_url=git%2Bhttps://git.example/a%20b.git%40{'0' * 40}"
    assert "purl" not in by_name["d"]
    assert by_name["d"]["properties"][0]["value"].startswith("editable, from the folder")
    assert by_name["notebook.ipynb"]["hashes"][0]["content"].startswith("44136fa355b3678a")  # of "{}"
    depends = {d["ref"]: d.get("dependsOn", []) for d in said["dependencies"]}
    assert depends["job"] == sorted(["pkg:pypi/a@1.0%2Bcpu", *(f"file:{n}" for n in files)])
    assert depends["pkg:pypi/a@1.0%2Bcpu"] == sorted(["pkg:pypi/b@2", by_name["c"]["purl"]])


def test_a_bad_bill_is_found_out(tmp_path: Path) -> None:
    said = json.loads(sbom(HOSTILE, {}, "x"))
    said["components"][0]["typo"] = 1
    (tmp_path / "sbom.json").write_text(json.dumps(said))
    assert not image_proof.validate(tmp_path / "sbom.json").ok
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /x && pip install y\n")
    assert not image_proof.lint(tmp_path / "Dockerfile").ok


def test_equal_bundles_have_equal_bills() -> None:
    files = {"b": b"1", "a": b"2"}
    first = sbom(HOSTILE, files, "x")
    assert sbom(HOSTILE, dict(reversed(files.items())), "x") == first
    serial = json.loads(first)["serialNumber"]
    others = (
        sbom(HOSTILE, files, "y"), sbom(HOSTILE, {**files, "a": b"3"}, "x"),
        sbom(dataclasses.replace(HOSTILE, python="3.11.8"), files, "x"),
    )  # fmt: skip
    assert len({serial, *(json.loads(o)["serialNumber"] for o in others)}) == 4
    assert purl(Package("a", "1", "folder")) is None
