"""Small notebooks with known defects, each with a twin that has none, and labels: (rule, cell).

They were written for the check, from what is met in practice; nobody's notebooks are in here. A label names the cell
in which a person would change something; None is the notebook as a whole.
"""

from __future__ import annotations

from corpus import complete, fit, hidden, random_order, safe, unseen
from corpus.kit import Case, write

CASES: tuple[Case, ...] = (*hidden.CASES, *random_order.CASES, *complete.CASES, *safe.CASES, *fit.CASES)
#: written after the rules; nothing was fitted to them
UNSEEN: tuple[Case, ...] = unseen.CASES

__all__ = ["CASES", "UNSEEN", "Case", "write"]
