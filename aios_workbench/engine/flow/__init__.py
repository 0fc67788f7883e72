"""Flow control over all processes: limits, rates, priorities, queues."""

from aios_workbench.engine.flow.admission import Admission
from aios_workbench.engine.flow.limits import Limit, limit, limits
from aios_workbench.engine.flow.passage import Passage
from aios_workbench.engine.flow.slots import Slots
from aios_workbench.engine.flow.store import Request

__all__ = ["Admission", "Limit", "Passage", "Request", "Slots", "limit", "limits"]
