"""What stands between a notebook and production: found without running it, and by running it in a clean kernel.

Rules stand in one file per family: `readable`, `hidden`, `rewrites`, `determinism` and `cleanrun` (is it reproducible),
`modules`, `files` and `surroundings` (is it complete), `secrets`, `danger` and `outputs` (is it safe), `fit` (does it
fit the job). `registry` knows them all.
"""

from __future__ import annotations

from aios_workbench.promote.checks.finding import Edit, Finding, QuickFix, Severity, require
from aios_workbench.promote.checks.fixes import Fixed, fix_notebook
from aios_workbench.promote.checks.registry import all_rules, rule
from aios_workbench.promote.checks.report import Inspection, check, checked_spec, inspect
from aios_workbench.promote.checks.rules import Rule

__all__ = [
    "Edit", "Finding", "Fixed", "Inspection", "QuickFix", "Rule", "Severity", "all_rules", "check", "checked_spec",
    "fix_notebook", "inspect", "require", "rule",
]  # fmt: skip
