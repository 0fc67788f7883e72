"""AIOS31x: calls that run what somebody else wrote, or trust whom they should not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from aios_workbench.promote.checks.context import Context, is_false, is_true, keyword
from aios_workbench.promote.checks.files import written_paths
from aios_workbench.promote.checks.finding import Finding
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.checks.source import Code

EVAL = Rule("AIOS311", "eval", "warning", "eval or exec runs text that is no constant.",
            "Whoever can change that text can run anything as the job.")  # fmt: skip
PICKLE = Rule(
    "AIOS312",
    "unsafe-load",
    "warning",
    "A file is loaded in a format that can run code (pickle and its kin).",
    "Whoever can write that file runs code as the job.",
)
SHELL = Rule("AIOS313", "shell-command", "warning", "A command goes through a shell.",
             "A value with a semicolon in it becomes a command.")  # fmt: skip
YAML = Rule("AIOS314", "yaml-load", "warning", "yaml.load builds any Python object.",
            "Whoever can write that file runs code as the job.", fixable=True)  # fmt: skip
VERIFY = Rule("AIOS315", "no-verification", "warning", "A certificate or host key is not checked.",
              "Anybody between the job and the other side can read and change what is sent.", fixable=True)  # fmt: skip
SQL = Rule("AIOS316", "sql-by-format", "warning", "SQL is put together from text and values.",
           "A value with a quote in it becomes SQL.")  # fmt: skip
RULES = (EVAL, PICKLE, SHELL, YAML, VERIFY, SQL)

_PICKLES = frozenset((
    "pickle.load", "pickle.loads", "cloudpickle.load", "cloudpickle.loads", "dill.load", "dill.loads", "joblib.load",
    "pandas.read_pickle", "shelve.open", "marshal.load", "marshal.loads", "torch.load", "numpy.load", "_pickle.load",
))  # fmt: skip
_SHELLS = frozenset(("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"))
_SUBPROCESS = frozenset(f"subprocess.{n}" for n in ("run", "call", "check_call", "check_output", "Popen"))
_UNVERIFIED = frozenset(
    ("ssl._create_unverified_context", "ssl._create_default_https_context", "paramiko.AutoAddPolicy")
)
_SQL_CALLS = frozenset(
    ("execute", "executemany", "read_sql", "read_sql_query", "sql", "query", "executescript", "text")
)
_SQL_TEXT = re.compile(
    r"^\s*(select\s.+\sfrom|insert\s+into|update\s.+\sset|delete\s+from|drop\s+table|with\s.+\sas\s*\(|create\s+table)\b",
    re.IGNORECASE | re.DOTALL,
)
#: what may be put into SQL: a name that is a constant of the notebook itself
_SAFE_LOADERS = frozenset(("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"))


def find(ctx: Context) -> Iterator[Finding]:
    """Yield calls that run or trust too much."""
    written = written_paths(ctx)
    for code in ctx.codes:
        for call in code.calls:
            name = ctx.called(call)
            yield from _runs(ctx, code, call, name, written)
            yield from _trusts(code, call, name)
            yield from _sql(ctx, code, call)


def _runs(ctx: Context, code: Code, call: ast.Call, name: str, written: set[str]) -> Iterator[Finding]:
    if name in ("eval", "exec") and call.args and not isinstance(ctx.literal(call.args[0]), str):
        yield EVAL.at(
            code,
            call,
            f"{name}() runs whatever its argument says",
            "use ast.literal_eval for values, a dict for choices",
            variable=name,
        )
    elif name in _PICKLES and _is_foreign(ctx, call, name, written):
        yield PICKLE.at(
            code, call, f"{name}() can run code that is in the file", _loader_fix(name), variable=name
        )
    elif name in _SHELLS and call.args:
        yield SHELL.at(
            code,
            call,
            f"{name}() goes through a shell",
            "use subprocess.run([...], check=True)",
            variable=name,
        )
    elif name in _SUBPROCESS and is_true(keyword(call, "shell")):
        yield SHELL.at(
            code,
            call,
            f"{name}(…, shell=True) goes through a shell",
            "give the command as a list, without shell=True",
            variable=name,
        )
    elif name in ("yaml.load", "yaml.load_all") and not _safe_loader(call):
        yield _yaml(code, call, name)
    elif name in ("yaml.unsafe_load", "yaml.full_load"):
        yield YAML.at(code, call, f"{name}() builds any Python object", "use yaml.safe_load", variable=name,
                      quick=code.replace("use yaml.safe_load", (call.func, _safe_name(code, call))))  # fmt: skip


def _is_foreign(ctx: Context, call: ast.Call, name: str, written: set[str]) -> bool:
    """Tell whether the file is not one that the notebook itself wrote."""
    if name == "numpy.load" and not is_true(keyword(call, "allow_pickle")):
        return False
    if name == "torch.load" and is_true(keyword(call, "weights_only")):
        return False
    first = call.args[0] if call.args else None
    text = ctx.literal(first)
    if text is None and isinstance(first, ast.Call) and ctx.called(first) == "open" and first.args:
        text = ctx.literal(first.args[0])
    if text is None and isinstance(first, ast.Name):
        text = _opened_as(ctx, first.id)
    return not (isinstance(text, str) and text in written)


def _opened_as(ctx: Context, name: str) -> object:
    """Return the path of the file a `with open(…) as name` opens."""
    for code in ctx.codes:
        for node in code.nodes:
            for item in node.items if isinstance(node, ast.With) else ():
                of = item.context_expr
                if (
                    isinstance(item.optional_vars, ast.Name)
                    and item.optional_vars.id == name
                    and isinstance(of, ast.Call)
                ):
                    target = (
                        of.args[0]
                        if of.args
                        else of.func.value
                        if isinstance(of.func, ast.Attribute)
                        else None
                    )
                    mode = of.args[1] if len(of.args) > 1 else None
                    if not (isinstance(mode, ast.Constant) and "w" in str(mode.value)):
                        return ctx.literal(target)
    return None


def _loader_fix(name: str) -> str:
    if name == "torch.load":
        return "give weights_only=True"
    if name in ("pandas.read_pickle", "numpy.load"):
        return "keep data as Parquet or .npy without pickles"
    return "keep data as Parquet or JSON, and models in a format without code (ONNX, skops, safetensors)"


def _safe_loader(call: ast.Call) -> bool:
    loader = keyword(call, "Loader") or (call.args[1] if len(call.args) > 1 else None)
    name = loader.attr if isinstance(loader, ast.Attribute) else getattr(loader, "id", "")
    return name in _SAFE_LOADERS


def _yaml(code: Code, call: ast.Call, name: str) -> Finding:
    first = code.text_of(call.args[0]) if len(call.args) == 1 or keyword(call, "Loader") is not None else None
    quick = None
    if call.args and first is not None and isinstance(call.func, ast.Attribute):
        quick = code.replace("use yaml.safe_load", (call, f"{_safe_name(code, call)}({first})"))
    return YAML.at(
        code, call, f"{name}() builds any Python object", "use yaml.safe_load", variable=name, quick=quick
    )


def _safe_name(code: Code, call: ast.Call) -> str:
    many = "_all" if ast.unparse(call.func).endswith("_all") else ""
    module = code.text_of(call.func.value) if isinstance(call.func, ast.Attribute) else None
    return f"{module or 'yaml'}.safe_load{many}"


def _trusts(code: Code, call: ast.Call, name: str) -> Iterator[Finding]:
    verify = keyword(call, "verify")
    if is_false(verify) and verify is not None:
        yield VERIFY.at(
            code,
            verify,
            "verify=False does not check whom it talks to",
            "remove it, or give the path of the authority's certificate",
            variable="verify",
            quick=code.replace("write verify=True", (verify, "True")),
        )
    elif name in _UNVERIFIED:
        yield VERIFY.at(
            code,
            call,
            f"{name}() does not check whom it talks to",
            "use ssl.create_default_context()",
            variable=name,
        )


def _sql(ctx: Context, code: Code, call: ast.Call) -> Iterator[Finding]:
    last = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if last not in _SQL_CALLS or not call.args:
        return
    node = call.args[0]
    if isinstance(node, ast.Name):
        values = [ctx.values.get(bind.node) for _, bind in ctx.binds.get(node.id, [])]
        node = next((v for v in values if v is not None), node)
    parts = _formatted(node)
    if parts is None or not _SQL_TEXT.match(parts[0]):
        return
    if all(ctx.literal(p) is not None and p not in _parameter_names(ctx, p) for p in parts[1]):
        return  # put together from the notebook's own constants
    yield SQL.at(
        code, call, f"{last}() is given SQL with values written into it",
        "give the values as parameters: execute(sql, {\"name\": value})", variable=last,
    )  # fmt: skip


def _parameter_names(ctx: Context, node: ast.expr) -> list[ast.expr]:
    """A parameter has a constant default, and any value in a job."""
    return [node] if isinstance(node, ast.Name) and node.id in ctx.parameters.by_name else []


def _formatted(node: ast.expr) -> tuple[str, list[ast.expr]] | None:
    """Return the text of a formatted string, values as ?, and the values; None for another expression."""
    match node:
        case ast.JoinedStr(values=values):
            text = "".join(str(v.value) if isinstance(v, ast.Constant) else "?" for v in values)
            inner = [v.value for v in values if isinstance(v, ast.FormattedValue)]
            return (text, inner) if inner else None
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format"),
            args=args,
            keywords=keywords,
        ):
            return text, [*args, *(k.value for k in keywords)]
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
            return text, [*right.elts] if isinstance(right, ast.Tuple) else [right]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            before = _formatted(left)
            if before is not None:
                return before[0], [*before[1], right]
            if isinstance(left, ast.Constant) and isinstance(left.value, str):
                return left.value, [] if isinstance(right, ast.Constant) else [right]
    return None
