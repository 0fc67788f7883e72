"""Where a step's function is called: in a thread of this process, or in a process of its own.

One protocol (`Executor`), one conformance suite (`tests/engine/executor_suite.py`); others register themselves.
"""

from aios_workbench.engine.executors.base import Call, Cancelled, Executor, check, executor, names, register

__all__ = ["Call", "Cancelled", "Executor", "check", "executor", "names", "register"]
