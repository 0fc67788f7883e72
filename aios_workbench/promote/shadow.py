"""What a notebook may ask about its part in a rollout."""

from __future__ import annotations

import os

VARIABLE = "AIOS_ROLE"


def is_shadow() -> bool:
    """Say whether this is a run in the shadow: beside one that counts, of a version on trial.

    Nothing follows from such a run here: no alert, no other job, no part in what the job promises. What a notebook
    writes, sends or books itself cannot be held back from outside: it leaves that out where this is True.

    Examples
    --------
    >>> is_shadow()
    False
    """
    return os.environ.get(VARIABLE) == "shadow"
