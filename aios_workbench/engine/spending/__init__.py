"""What steps spend, and the budgets they spend from."""

from aios_workbench.engine.spending.ledger import Budget, Purse, spent
from aios_workbench.engine.spending.meter import Clock, Meter

__all__ = ["Budget", "Clock", "Meter", "Purse", "spent"]
