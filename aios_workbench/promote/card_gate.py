"""A notebook that asks for a model card is promoted with a whole one only."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from aios_workbench.errors import AiosError, NotFoundError
from aios_workbench.promote.notebooks import Cell
from aios_workbench.promote.spec import JobSpec

#: (severity, code, message, fix, cell, line) of a `checks.Finding`.
Found = tuple[str, str, str, str, int | None, int | None]


def card_findings(notebook: Path, cells: Sequence[Cell], spec: JobSpec | None) -> Iterator[Found]:
    """Yield what is wrong with the card of a job: of its `card` option, or the one its notebook makes and saves.

    The card is read, not made: the notebook is run before it is promoted. The path is seen from the notebook's folder.
    """
    asked = list(_saved(cells))
    if spec is not None and spec.card is not None:
        asked = [(spec.card, None, None)]
    for path, cell, line in asked:
        if path is None:
            yield (
                "warning", "card", "the notebook makes a model card, and where it is saved cannot be read in it",
                "name it in the job: card: card.md", cell, line,
            )  # fmt: skip
            continue
        yield from _of(notebook.parent / path, path, cell, line)


def _of(path: Path, shown: str, cell: int | None, line: int | None) -> Iterator[Found]:
    from aios_workbench.explain.cards import load_card

    try:
        card = load_card(path)
    except NotFoundError:
        yield (
            "error", "card", f"the model card {shown} is not there", "run the notebook, so that it writes the card",
            cell, line,
        )  # fmt: skip
        return
    except AiosError as e:
        yield (
            "error",
            "card",
            f"the model card {shown} cannot be read: {e}",
            "run the notebook again",
            cell,
            line,
        )
        return
    if missing := card.missing:
        yield (
            "error", "card", f"the model card {shown} says nothing of {', '.join(missing)}",
            "give aios.model_card what it lacks, and run the notebook again", cell, line,
        )  # fmt: skip
    if card.red:
        yield (
            "warning", "card-red", f"the explanation on the model card {shown} did not pass its checks ({card.red})",
            "look at ex.check, and say under limits= what follows", cell, line,
        )  # fmt: skip
    drift = card.data.drift
    if drift is not None and drift.drifted:
        yield (
            "warning", "card-drift", f"the model card {shown} says that the data drifted", "look at the drift report",
            cell, line,
        )  # fmt: skip


def _saved(cells: Sequence[Cell]) -> Iterator[tuple[str | None, int | None, int | None]]:
    """Yield where cards are saved: each `.save("…")` of what `model_card(…)` gave; None where no text is given."""
    names: set[str] = set()
    found: list[tuple[str | None, int | None, int | None]] = []
    made: tuple[int, int] | None = None
    for cell in cells:
        for node in ast.walk(cell.tree) if cell.tree is not None else ():
            if _is_card(node) and made is None and isinstance(node, ast.Call):
                made = cell.number, node.lineno
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if _is_card(call):
                    names.add(name)
                case ast.Call(func=ast.Attribute(value=of, attr="save"), args=[first, *_]) if _is_card(
                    of
                ) or (isinstance(of, ast.Name) and of.id in names):
                    text = (
                        first.value
                        if isinstance(first, ast.Constant) and isinstance(first.value, str)
                        else None
                    )
                    found.append((text, cell.number, node.lineno))
                case _:
                    pass
    if not found and made is not None:
        found.append((None, *made))
    yield from found


def _is_card(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and (
        (isinstance(node.func, ast.Name) and node.func.id == "model_card")
        or (isinstance(node.func, ast.Attribute) and node.func.attr == "model_card")
    )
