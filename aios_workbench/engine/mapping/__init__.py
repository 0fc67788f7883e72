"""Many items through one step: batches in threads, stored as they finish, in the order of the items."""

from aios_workbench.engine.mapping.letters import DeadLetters
from aios_workbench.engine.mapping.walk import run_map

__all__ = ["DeadLetters", "run_map"]
