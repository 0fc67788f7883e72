"""Builds a workflow from the screen: every answer is code, and the code stays the single truth."""

from __future__ import annotations

from aios_workbench._wire import Message
from aios_workbench.errors import ConflictError
from aios_workbench.widgets import protocol
from aios_workbench.widgets.edit.namespace import named, successor
from aios_workbench.widgets.edit.rewrite import edit_step, settings
from aios_workbench.widgets.edit.templates import new_step, templates
from aios_workbench.workflow import Workflow

__all__ = ["REQUESTS", "answer", "edit_step", "named", "new_step", "settings", "successor", "templates"]

#: What this package answers.
REQUESTS = (protocol.AskSettings, protocol.EditStep, protocol.NewStep, protocol.AskTemplates)


def answer(workflow: object, request: protocol.AnyRequest) -> Message:
    """Answer a request about a workflow's code. Nothing is changed by it.

    Raises
    ------
    AiosError
        When there is no answer; a ParameterError names the fields that are wrong.
    """
    if isinstance(request, protocol.AskTemplates):
        return templates()
    workflow = successor(workflow)
    if not isinstance(workflow, Workflow):
        raise ConflictError(
            "the code of this workflow is not in this kernel: run the cells that define it, then try again"
        )
    match request:
        case protocol.AskSettings():
            return settings(workflow, request.step)
        case protocol.EditStep():
            return edit_step(workflow, request.step, request.settings)
        case protocol.NewStep():
            return new_step(workflow, request.template, request.name, request.inputs, request.after)
    raise ConflictError(f"{request.kind!r} is not about code")
