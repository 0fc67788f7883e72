"""`aios.promoted()`: in a notebook, how it compares with what was promoted of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import NotFoundError
from aios_workbench.observe import environment
from aios_workbench.promote.diff import diff
from aios_workbench.promote.differing import differs
from aios_workbench.workspace import workspace


@dataclass(frozen=True)
class Promoted:
    """A notebook's job, and how the saved notebook differs from the version it runs.

    Attributes
    ----------
    version : int
        What the job runs.
    what : tuple of str
        What differs, in words.
    """

    job: str
    version: int
    differs: bool
    what: tuple[str, ...]
    path: Path

    def diff(self) -> dict[str, Any]:
        """Return all that promoting the notebook now would change; see `aios_workbench.promote.diff.diff`."""
        return diff(workspace(), self.job, self.version, self.path)

    def __bool__(self) -> bool:
        return not self.differs

    def __repr__(self) -> str:
        if not self.differs:
            return f"{self.path.name} is version {self.version} of job {self.job!r}, as saved"
        return f"{self.path.name} differs from version {self.version} of job {self.job!r}: {', '.join(self.what)}"


def promoted(notebook: str | Path | None = None) -> Promoted | None:
    """Return the job that a notebook was promoted to, and whether the saved notebook still is that version.

    Parameters
    ----------
    notebook : str or Path, optional
        The file; the notebook this kernel belongs to if not given.

    Returns
    -------
    Promoted or None
        True when nothing differs; it prints itself as a sentence. None when the notebook is no job.

    Raises
    ------
    NotFoundError
        When there is no such file, or the front end does not say which notebook this is.

    Examples
    --------
    >>> promoted("claims.ipynb")  # doctest: +SKIP
    claims.ipynb differs from version 7 of job 'claims': cell 3 changed, rules.py changed
    """
    told = notebook if notebook is not None else environment.notebook()
    if told is None:
        raise NotFoundError(
            "which notebook? The front end does not say; give its path: aios.promoted('claims.ipynb')"
        )
    path = Path(told).expanduser().resolve()
    if not path.is_file():
        raise NotFoundError(f"no notebook {path}; give the path of an .ipynb file that is saved")
    found = differs(workspace(), path)
    if found is None:
        return None
    return Promoted(found["job"], found["version"], found["differs"], tuple(found["what"]), path)
