"""A notebook's parameters: the assignments of the cell tagged `parameters` (papermill's convention).

The cell is read, not run. A name's type is its annotation, else the type of its literal.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError, ParameterError, hint
from aios_workbench.promote import kinds
from aios_workbench.promote.notebooks import PARAMETERS_TAG, Cell, code_cells, read_notebook

HOW_TO_ADD = (
    "give one cell the tag 'parameters' (JupyterLab: property inspector, Cell Tags) and assign the defaults in it, "
    "for example: path: str = 'claims.csv'"
)


@dataclass(frozen=True)
class NotebookParameter:
    """A name of the parameters cell.

    Attributes
    ----------
    type : str
        The annotation as written, else the literal's type; "Any" where neither says.
    default : object
        As JSON; None also where the default is computed.
    required : bool
        True for a name annotated but not assigned.
    annotated : bool
        Whether the type was written down rather than guessed from the default.
    """

    name: str
    type: str
    default: Any
    required: bool
    annotated: bool
    computed: bool
    cell: int
    line: int

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema, for forms."""
        return kinds.schema(self.type)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return {**asdict(self), "schema": self.schema}


@dataclass(frozen=True)
class ParameterProblem:
    """Something in the parameters cell that cannot become a parameter."""

    cell: int
    line: int
    message: str
    fix: str


class NotebookParameters:
    """The parameters of one notebook.

    Examples
    --------
    >>> p = NotebookParameters.of(Path("notebooks/claims_triage.ipynb"))  # doctest: +SKIP
    >>> p.coerce({"limit": "500"})  # doctest: +SKIP
    {'limit': 500}
    """

    def __init__(self, cells: Iterable[Cell]) -> None:
        tagged = [cell for cell in cells if PARAMETERS_TAG in cell.tags]
        self.cell = tagged[0].number if tagged else None
        self.by_name: dict[str, NotebookParameter] = {}
        self.problems: list[ParameterProblem] = [
            ParameterProblem(
                extra.number, 1, "a second cell is tagged 'parameters'", "remove the tag from one of them"
            )
            for extra in tagged[1:]
        ]
        if tagged and tagged[0].tree is not None:
            for statement in tagged[0].tree.body:
                self._read(statement, tagged[0].number)

    @classmethod
    def of(cls, path: Path) -> NotebookParameters:
        """Read a notebook file."""
        return cls(code_cells(read_notebook(path)))

    def __iter__(self) -> Any:
        return iter(self.by_name.values())

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of all parameters together: a form, and what a program may send."""
        properties = {
            p.name: p.schema if p.required or p.computed else {**p.schema, "default": p.default} for p in self
        }
        required = [p.name for p in self if p.required]
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    def coerce(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the given values as JSON that fits the parameters' types; defaults are not filled in.

        Raises
        ------
        ParameterError
            Saying which parameter, which cell, what is expected and the nearest known name.
        """
        if given and self.cell is None:
            raise ParameterError(
                f"the notebook takes no parameters, but {_names(given)} was given: {HOW_TO_ADD}"
            )
        return {name: self._coerce(name, value) for name, value in given.items()}

    def missing(self, given: Mapping[str, Any]) -> list[NotebookParameter]:
        """Return the required parameters that `given` lacks."""
        return [p for p in self if p.required and p.name not in given]

    def require(self, given: Mapping[str, Any]) -> None:
        """Raise when a required parameter has no value.

        Raises
        ------
        ParameterError
            Naming the parameters.
        """
        if missing := self.missing(given):
            first = missing[0]
            raise ParameterError(
                f"{_names(p.name for p in missing)} (cell {first.cell}) needs a value: give -p {first.name}=…, or "
                f"assign a default in the cell"
            )

    def _coerce(self, name: str, value: Any) -> Any:
        parameter = self.by_name.get(name)
        if parameter is None:
            known = ", ".join(self.by_name) or "none"
            raise ParameterError(
                f"cell {self.cell} has no parameter {name!r}{hint(name, self.by_name)} (it has: {known})"
            )
        try:
            return kinds.to_json(parameter.type, value)
        except ValueError as e:
            remedy = ""
            if parameter.type == "int" and not parameter.annotated:
                remedy = (
                    f". The type was read off the default; if fractions are meant, write {name}: float = …"
                )
            raise ParameterError(
                f"parameter {name!r} (cell {parameter.cell}, line {parameter.line}) must be {parameter.type}, not "
                f"{_short(value)}: {e}{remedy}"
            ) from None

    def _read(self, statement: ast.stmt, cell: int) -> None:
        match statement:
            case ast.Assign(targets=targets, value=value) if all(isinstance(t, ast.Name) for t in targets):
                for target in targets:
                    assert isinstance(target, ast.Name)
                    self._add(target.id, None, value, cell, statement.lineno)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                self._add(name, annotation, value, cell, statement.lineno)
            case ast.Import() | ast.ImportFrom() | ast.Expr() | ast.Pass():
                pass
            case _:
                self.problems.append(ParameterProblem(
                    cell, statement.lineno, f"{ast.unparse(statement).partition(chr(10))[0]!r} is not a parameter",
                    "keep plain assignments in this cell and move the rest to the next one",
                ))  # fmt: skip

    def _add(
        self, name: str, annotation: ast.expr | None, value: ast.expr | None, cell: int, line: int
    ) -> None:
        kind, default, computed = "Any", None, False
        if value is not None:
            try:
                kind, default = kinds.read_default(value)
            except ParameterError as e:
                computed = True
                if annotation is None:
                    self._problem(
                        cell, line, f"the type of {name!r} is not known: {e}", f"annotate it, {name}: str = …"
                    )
        if annotation is not None:
            written = ast.unparse(annotation)
            try:
                kinds.type_of(written)
                kind = written
            except kinds.UnknownTypeError as e:
                self._problem(
                    cell, line, f"type {str(e)!r} of {name!r} is not one a parameter can have; any JSON value is taken",
                    "use int, float, str, bool, list, dict, date, datetime, Path, Optional, Literal",
                )  # fmt: skip
                kind = "Any"
            if value is not None and not computed:
                try:
                    default = kinds.to_json(kind, default)
                except ValueError as e:
                    self._problem(
                        cell, line, f"the default of {name!r} is not {written}: {e}", "correct either"
                    )
        known = annotation is not None and kind != "Any"
        self.by_name[name] = NotebookParameter(
            name, kind, default, value is None, known, computed, cell, line
        )

    def _problem(self, cell: int, line: int, message: str, fix: str) -> None:
        self.problems.append(ParameterProblem(cell, line, message, fix))


def parse_assignments(texts: Iterable[str]) -> dict[str, str]:
    """Return what ``-p name=value`` options say, values still text.

    Raises
    ------
    ParameterError
        For text without ``=``.

    Examples
    --------
    >>> parse_assignments(["path=a=b.csv", "limit=5"])
    {'path': 'a=b.csv', 'limit': '5'}
    """
    out = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ParameterError(f"-p {text!r} is not name=value; for example -p limit=500")
        out[name.strip()] = value
    return out


def inject(book: Any, parameters: NotebookParameters) -> None:
    """Add the cell that sets the run's values after the parameters cell; it is the same for every run.

    Raises
    ------
    JobError
        When the notebook has no parameters cell.
    """
    import nbformat

    if parameters.cell is None:
        raise JobError(f"the notebook takes no parameters: {HOW_TO_ADD}")
    source = "import aios_workbench.promote.inject as _aios_inject\n_aios_inject.apply(globals())"
    tags = {"tags": ["injected-parameters"]}
    cell = nbformat.v4.new_code_cell(source, metadata=tags)  # type: ignore[no-untyped-call]
    book.cells.insert(parameters.cell, cell)


def _names(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _short(value: Any) -> str:
    text = f"{type(value).__name__} {value!r}"
    return text if len(text) < 80 else text[:77] + "…"
