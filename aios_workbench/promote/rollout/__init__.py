"""Try a new version beside the one that runs, before it takes its place.

A canary gets a share of the runs; a shadow runs beside them, and nothing follows from its runs. Both are judged after
every run: rolled back as soon as they are shown to be worse, or to break what the job promises.

`choose` is called where a run is recorded, `after_run` when one has ended, `step` by every scheduler.
"""

from __future__ import annotations

from aios_workbench.promote.rollout.hand import checked, finish, permit, start, status
from aios_workbench.promote.rollout.life import begin, begin_waiting, going, refuse
from aios_workbench.promote.rollout.routing import choose
from aios_workbench.promote.rollout.rules import Rules
from aios_workbench.promote.rollout.watch import after_run, step

__all__ = [
    "Rules", "after_run", "begin", "begin_waiting", "checked", "choose", "finish", "going", "permit", "refuse", "start",
    "status", "step",
]  # fmt: skip
