"""Who did what (audit trail) and what nobody should see (redaction)."""

from __future__ import annotations

from aios_workbench.govern.audit import GENESIS, actor, audit, audit_within, head, verify
from aios_workbench.govern.patterns import is_card, is_iban, kind_of_column, luhn
from aios_workbench.govern.pseudonyms import pseudonym_key
from aios_workbench.govern.redact import KINDS, Finding, Redaction, redact

__all__ = [
    "GENESIS", "KINDS", "Finding", "Redaction", "actor", "audit", "audit_within", "head", "is_card",
    "is_iban", "kind_of_column", "luhn", "pseudonym_key", "redact", "verify",
]  # fmt: skip
