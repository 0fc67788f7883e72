"""Steps of notebook cells in processes of their own: functions by value, errors through the notebook's own cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

if TYPE_CHECKING:
    from pathlib import Path

CELLS = (
    "import aios_workbench as aios\nwf = aios.Workflow('book')\nscale = 2\nclass Odd(Exception):\n    pass",
    "def helper(n):\n    if n > 5:\n        raise Odd(f'{n} is odd')\n    return n * scale",
    (
        "@wf.step(executor='process', memory='1GB', retries=1, backoff='1ms', retry_on=Odd)\n"
        "def one(n: int = 3):\n    print('over there')\n    return helper(n)"
    ),
    "run = wf.run(); print(run.result(60), run['one'].logs)",
    "bad = wf.run(n=9); print(bad.wait(60), len(bad['one'].attempts)); print(bad['one'].error)",
    "import json; print([f['cell'] is not None for f in json.loads(bad.row['error'])['frames']])",
)


@pytest.mark.alone
def test_in_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in CELLS])
    NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    said = [text_of(c) for c in book.cells]
    assert said[3] == "6 over there\n"
    assert said[4].startswith("failed 2\n")
    for line in ("return helper(n)", "raise Odd(f'{n} is odd')", "9 is odd", "In[3], line 4, in one"):
        assert line in said[4], line
    assert "/aios_workbench/" not in said[4]
    assert said[5] == "[True, True]\n"


def text_of(cell: Any) -> str:
    return "".join(o.get("text", "") for o in cell.outputs)
