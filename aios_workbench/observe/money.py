"""Which of a run's figures are its cost."""

from __future__ import annotations

from aios_workbench.workflow.currencies import CURRENCIES


def is_cost(name: str, unit: str | None, *, kpi: bool = False) -> bool:
    """Tell whether a figure is what a run cost: no KPI, and in a currency or named so.

    Examples
    --------
    >>> is_cost("tokens", "USD"), is_cost("llm_cost", None), is_cost("recovered", "EUR", kpi=True)
    (True, True, False)
    """
    low = name.lower()
    return not kpi and (
        unit in CURRENCIES or low == "cost" or low.startswith("cost_") or low.endswith("_cost")
    )
