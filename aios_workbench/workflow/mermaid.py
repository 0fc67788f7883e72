"""A graph as Mermaid text, which GitHub, JupyterLab's markdown cells and many wikis draw.

Documentation of the language: mermaid.js.org, "Flowcharts" and "Entity codes".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from aios_workbench.workflow.spec import StepSpec

#: State -> Mermaid style: the colours of the static picture, readable on white and on dark pages.
LOOKS = {
    "running": "fill:#ddf4ff,stroke:#0550ae,color:#0550ae",
    "retrying": "fill:#fff1e0,stroke:#8a4600,color:#8a4600",
    "waiting": "fill:#fbefff,stroke:#6639ba,color:#6639ba",
    "succeeded": "fill:#e6f6ea,stroke:#116329,color:#116329",
    "failed": "fill:#ffebe9,stroke:#a40e26,color:#a40e26",
    "cancelled": "fill:#f0f0f0,stroke:#57606a,color:#57606a",
    "compensated": "fill:#fff1e0,stroke:#8a4600,color:#8a4600",
    "skipped": "fill:#f6f8fa,stroke:#57606a,color:#57606a",
}
# All of ASCII that Mermaid might read as its own: entities, directives, markdown, HTML; a first "1." or "-" is a list.
_SPECIAL = re.compile(r"[!-'*+;-@\[-^`{-~]|^-|^(\d+)\.")


def mermaid(steps: Iterable[StepSpec], states: Mapping[str, str] | None = None, direction: str = "LR") -> str:
    """Return steps as a Mermaid flowchart.

    Parameters
    ----------
    steps : iterable of StepSpec
        In any order.
    states : mapping, optional
        Step -> its state in a run; colours the steps and names the state in them.
    direction : {"LR", "TB", "RL", "BT"}
        Where the arrows point.

    Examples
    --------
    >>> print(mermaid([StepSpec("load"), StepSpec("ask", "gate", {"x": "load"})]))
    flowchart LR
      s0["load"]
      s1{{"ask"}}
      s0 --> s1
    <BLANKLINE>
    """
    steps, states = list(steps), states or {}
    number = {s.name: f"s{i}" for i, s in enumerate(steps)}
    lines = [f"flowchart {direction}"]
    for s in steps:
        label = mermaid_text(s.name) + (f"<br/>{states[s.name]}" if s.name in states else "")
        lines.append(
            f'  {number[s.name]}{{{{"{label}"}}}}' if s.kind == "gate" else f'  {number[s.name]}["{label}"]'
        )
    for s in steps:
        given = dict.fromkeys([*s.deps.values(), *s.when_deps.values()])
        lines += [f"  {number[up]} --> {number[s.name]}" for up in given if up in number]
        lines += [
            f"  {number[up]} -.-> {number[s.name]}" for up in s.after if up in number and up not in given
        ]
    for state, look in LOOKS.items():
        members = [number[s.name] for s in steps if states.get(s.name) == state]
        if members:
            lines += [f"  classDef {state} {look}", f"  class {','.join(members)} {state}"]
    return "\n".join(lines) + "\n"


def mermaid_text(text: str) -> str:
    """Return text as it may stand between the quotes of a Mermaid label.

    Examples
    --------
    >>> mermaid_text('say "hi" & <go>')
    'say #34;hi#34; #38; #60;go#62;'
    """
    line = re.sub(r"[\x00-\x1f\x7f]+", " ", text).strip()
    return _SPECIAL.sub(lambda m: f"{m[1]}#46;" if m[1] else f"#{ord(m[0])};", line)
