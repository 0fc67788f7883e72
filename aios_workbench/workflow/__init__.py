"""What a workflow is: steps, gates, policies, edges. Pure data; imports nothing of ours but the errors."""

from aios_workbench.workflow.code import cell_of, code_hash, pickle_function, source_of
from aios_workbench.workflow.decision import Decision
from aios_workbench.workflow.definition import Workflow
from aios_workbench.workflow.durations import format_duration, parse_duration
from aios_workbench.workflow.mermaid import mermaid
from aios_workbench.workflow.parameters import ParameterSpec, coerce
from aios_workbench.workflow.policies import Breaker, error_name
from aios_workbench.workflow.spec import StepSpec, WorkflowSpec, digest, topological
from aios_workbench.workflow.specs import is_changed
from aios_workbench.workflow.written import Definition

__all__ = [
    "Breaker", "Decision", "Definition", "ParameterSpec", "StepSpec", "Workflow", "WorkflowSpec", "cell_of",
    "code_hash", "coerce", "digest", "error_name", "format_duration", "is_changed", "mermaid", "parse_duration",
    "pickle_function", "source_of", "topological",
]  # fmt: skip
