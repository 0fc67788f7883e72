"""Which Python a notebook's own kernel is: another one than this process's, where its kernel spec says so."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

#: jupyter_client starts its own interpreter for these names, whatever the search path has.
_OWN = re.compile(r"python(3(\.\d+)?)?(\.exe)?")


def kernel_python(book: Any) -> Path | None:
    """Return the interpreter of the kernel that a notebook names, or None where that is this process's own.

    A kernel that is not installed here, or is not Python, is none: what is then captured is this environment.

    Parameters
    ----------
    book : NotebookNode
        The notebook; its metadata name the kernel.

    Examples
    --------
    >>> import nbformat
    >>> kernel_python(nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "P"}}))
    """
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    name = book.metadata.get("kernelspec", {}).get("name")
    if not isinstance(name, str) or not name:
        return None
    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except (NoSuchKernel, OSError, ValueError):
        return None
    if not spec.argv or spec.language.casefold() != "python" or _OWN.fullmatch(spec.argv[0]):
        return None
    found = shutil.which(spec.argv[0])
    # Not resolved: an environment's python is a link to the one it was made from.
    return None if found is None or Path(found) == Path(sys.executable) else Path(found)
