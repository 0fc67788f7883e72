"""The notebook run in a clean kernel: real kernels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from check_kit import book_of

from aios_workbench.promote.checks import Inspection, inspect
from aios_workbench.promote.spec import JobSpec

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def seen(folder: Path, *sources: str, saved: dict[int, str] | None = None, timeout: float | None = None,
         parameters: str | None = None, **spec: Any) -> Inspection:  # fmt: skip
    book = book_of(*sources, parameters=parameters)
    for n, text in (saved or {}).items():
        book.cells[n - 1].outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    path = folder / "n.ipynb"
    nbformat.write(book, path)
    before = path.read_bytes()
    job = JobSpec(name="n", notebook="n.ipynb", **spec)
    inspected = inspect(path, job, run=True, timeout=timeout)
    assert path.read_bytes() == before
    return inspected


def of_run(inspection: Inspection) -> list[tuple[str, int | None, str | None]]:
    return [(f.rule, f.cell, f.variable) for f in inspection.findings if f.rule.startswith("AIOS14")]


def test_a_run_that_fails_names_cell_and_variable(tmp_path: Path) -> None:
    found = seen(tmp_path, "rows = 1\nprint(rows)", "if rows:\n    exec('print(hidden)')")
    assert found.run is not None
    assert (found.run.status, found.ok) == ("failed", False)
    assert of_run(found) == [("AIOS141", 2, "hidden")]


def test_a_good_run_is_measured_and_compared(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text("LIMIT = 3\n")
    found = seen(
        tmp_path, "import tools\nblock = bytearray(300_000_000)\nprint(tools.LIMIT, len(block))", "print('same')",
        "import os\nprint(os.environ['AIOS_HEADLESS'], 'AIOS_JOB_RUN' in os.environ)",
        saved={1: "3 300000000\n", 2: "other\n", 3: "1 False\n"},
    )  # fmt: skip
    assert of_run(found) == [("AIOS142", 2, None)]
    assert found.run is not None
    assert (found.run.status, found.run.compared, found.run.flaky) == ("succeeded", 3, {})
    assert found.run.peak_bytes is not None
    assert found.run.peak_bytes > 300_000_000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["n.ipynb", "tools.py"]  # nothing was left behind


def test_a_run_that_does_not_end(tmp_path: Path) -> None:
    found = seen(tmp_path, "import time\nprint('on')", "while True:\n    time.sleep(0.05)", timeout=8)
    assert of_run(found) == [("AIOS144", 2, None)] or of_run(found) == [("AIOS144", None, None)]
    assert not found.ok


def test_the_jobs_values_are_given_and_saved_outputs_left_alone(tmp_path: Path) -> None:
    book = book_of("print('n is', n)\nassert n == 7", parameters="n: int = 1")
    book.cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="n is 1\n")]
    nbformat.write(book, tmp_path / "n.ipynb")
    found = inspect(
        tmp_path / "n.ipynb", JobSpec(name="n", notebook="n.ipynb", parameters={"n": 7}), run=True
    )
    assert of_run(found) == []
    assert found.run is not None
    assert (found.run.status, found.run.compared) == ("succeeded", 0)


def test_what_says_so_is_not_compared(tmp_path: Path) -> None:
    found = seen(
        tmp_path, "# NBVAL_IGNORE_OUTPUT\nprint(2)", "print(2)  # aios: ignore AIOS142 the count grows every day",
        saved={1: "1\n", 2: "1\n"},
    )  # fmt: skip
    assert of_run(found) == []


def test_a_notebook_that_does_not_parse_is_not_run(tmp_path: Path) -> None:
    found = seen(tmp_path, "open('ran', 'w').close()", "def f(:")
    assert found.run is None
    assert not (tmp_path / "ran").exists()


def test_a_workflow_is_waited_for_in_a_workspace_of_its_own(tmp_path: Path) -> None:
    found = seen(
        tmp_path,
        "import aios_workbench as aios\nwf = aios.Workflow('checked')\n"
        "@wf.step\ndef rows():\n    import time\n    time.sleep(1)\n"
        "    open('made.txt', 'w').write('x')\n    return 1\nrun = wf.run()",
    )  # fmt: skip
    assert found.run is not None
    assert found.run.status == "succeeded"
    assert (tmp_path / "made.txt").exists()
    assert not (tmp_path / ".aios").exists()


def test_a_cell_that_papermill_left_behind_shifts_nothing(tmp_path: Path) -> None:
    book = book_of("n = 5", "print('n is', n)", "print('last')", parameters="n: int = 1")
    book.cells[1].metadata["tags"] = ["injected-parameters"]
    for number, text in ((3, "n is 5\n"), (4, "other\n")):
        book.cells[number - 1].outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    nbformat.write(book, tmp_path / "n.ipynb")
    found = inspect(tmp_path / "n.ipynb", run=True)
    assert of_run(found) == [("AIOS142", 4, None)]
