"""AIOS208 and on: what a job has not: a person, a terminal; and what it may lack: a network, a shell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.finding import Finding, QuickFix
from aios_workbench.promote.checks.modules import installed
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.checks.source import Code, Magic

NETWORK = Rule("AIOS208", "network", "note", "The notebook calls another machine.",
               "That needs a route, a timeout and a retry at three in the morning.")  # fmt: skip
INTERACTIVE = Rule(
    "AIOS209",
    "interactive",
    "error",
    "The notebook asks a person.",
    "In a job nobody answers, and the cell fails. A warning where it runs only under a condition.",
)
DEBUGGER = Rule("AIOS210", "debugger", "error", "A debugger is started.",
                "The job waits for commands that nobody gives.", fixable=True)  # fmt: skip
WIDGET = Rule("AIOS211", "widget-input", "warning", "A value is taken from a widget that a person moves.",
              "A job always sees the value it starts with. Make it a parameter.")  # fmt: skip
INSTALLS = Rule("AIOS212", "installs-packages", "warning", "The notebook installs packages.",
                "The environment changes under the job's feet, and not to what was tested.", fixable=True)  # fmt: skip
SHELL = Rule("AIOS213", "shell-magic", "note", "A shell command is run.",
             "Its failure stops nothing, and the worker's machine may not have the program.")  # fmt: skip
OTHER_CODE = Rule("AIOS215", "other-notebook", "warning", "Another notebook or script is run by %run or %load.",
                  "It is not bundled: the job runs whatever lies there on that day.")  # fmt: skip
STOPS = Rule("AIOS216", "stops-early", "warning", "The notebook stops itself before its end.",
             "exit() kills the job's kernel: the run counts as failed, and cells below never run.")  # fmt: skip
RULES = (NETWORK, INTERACTIVE, DEBUGGER, WIDGET, INSTALLS, SHELL, OTHER_CODE, STOPS)

_NETWORK = frozenset(
    (
        "requests",
        "urllib",
        "http",
        "httpx",
        "aiohttp",
        "boto3",
        "botocore",
        "s3fs",
        "gcsfs",
        "ftplib",
        "smtplib",
        "paramiko",
        "websocket",
        "websockets",
        "socket",
        "openai",
        "anthropic",
        "psycopg",
        "psycopg2",
        "pymysql",
        "pymongo",
        "redis",
        "snowflake",
        "kafka",
        "urllib3",
        "google",
    )
)
_NOT_CALLS = (
    "urllib.parse.",
    "http.HTTPStatus",
    "requests.exceptions",
    "urllib.error",
    "google.protobuf",
    "socket.gethostname",
)
_READ_URL = re.compile(r"^(https?|s3|gs|ftp|abfs|az)://", re.IGNORECASE)
_ASKS = frozenset(
    ("input", "getpass.getpass", "getpass", "click.prompt", "click.confirm", "questionary.text")
)
_DEBUGGERS = frozenset(
    (
        "breakpoint",
        "pdb.set_trace",
        "ipdb.set_trace",
        "IPython.core.debugger.set_trace",
        "pudb.set_trace",
        "IPython.embed",
        "code.interact",
        "pdb.pm",
    )
)
_WIDGET_VALUES = frozenset(
    (
        "IntSlider",
        "FloatSlider",
        "Text",
        "Dropdown",
        "Checkbox",
        "Button",
        "FileUpload",
        "Select",
        "SelectMultiple",
        "ToggleButtons",
        "RadioButtons",
        "DatePicker",
        "IntText",
        "FloatText",
        "Textarea",
        "BoundedIntText",
        "Combobox",
        "Password",
        "IntRangeSlider",
    )
)
_INSTALL = re.compile(r"\b(?:pip3?|conda|mamba|uv pip|poetry|apt(?:-get)?)\b[^&|;\n]*\b(?:install|add)\b")
_PACKAGES = re.compile(r"\binstall\b(.*)")


def find(ctx: Context) -> Iterator[Finding]:
    """Yield what needs a person, a network or a shell."""
    for i, code in enumerate(ctx.codes):
        yield from _calls(ctx, code)
        yield from _stops(ctx, code, last=i == len(ctx.codes) - 1)
        for magic in code.magics:
            yield from _magic(code, magic)
    yield from _widgets(ctx)


def _calls(ctx: Context, code: Code) -> Iterator[Finding]:
    network = False
    for call in code.calls:
        name = ctx.called(call)
        if name in _ASKS:
            soft = code.guarded(call) or code.deferred(call)
            yield INTERACTIVE.at(
                code, call, "the cell asks for input; in a job nobody answers and it fails",
                "make it a parameter, or a gate of the workflow", variable=name, severity="warning" if soft else None,
            )  # fmt: skip
        elif name in _DEBUGGERS:
            yield DEBUGGER.at(
                code, call, f"{name}() waits for a person", "remove it", variable=name, quick=_without(code, call),
                severity="warning" if code.guarded(call) else None,
            )  # fmt: skip
        elif not network and _goes_out(ctx, call, name):
            network = True  # one a cell says it
            yield NETWORK.at(
                code, call, f"{name.lstrip('.')}(…) calls another machine",
                "give it a timeout, and retries where the workflow runs it", variable=name.lstrip("."),
            )  # fmt: skip


def _goes_out(ctx: Context, call: ast.Call, name: str) -> bool:
    if name.partition(".")[0] in _NETWORK and "." in name and not name.startswith(_NOT_CALLS):
        return True
    first = ctx.literal(call.args[0]) if call.args else None
    return (
        isinstance(first, str)
        and bool(_READ_URL.match(first))
        and name.rpartition(".")[2].startswith(("read_", "urlopen", "load"))
    )


def _without(code: Code, call: ast.Call) -> QuickFix | None:
    """Return the fix that takes out the line of a call that stands alone."""
    above = next(code.parents(call), None)
    if (
        not isinstance(above, ast.Expr)
        or code.cell.moved
        or code.lines[call.lineno - 1].strip() != code.text_of(call)
    ):
        return None
    block = next(code.parents(above), None)
    siblings = (
        next((b for _, b in ast.iter_fields(block) if isinstance(b, list) and above in b), [])
        if block
        else []
    )
    if len(siblings) < 2 and not isinstance(block, ast.Module):
        return code.replace("put pass in its place", (call, "pass"))
    return code.drop_lines("remove the line", call.lineno, call.end_lineno or call.lineno)


def _stops(ctx: Context, code: Code, *, last: bool) -> Iterator[Finding]:
    for statement in code.tree.body:
        match statement:
            case ast.Expr(value=ast.Call() as call) if ctx.called(call) in (
                "exit",
                "quit",
                "sys.exit",
                "os._exit",
            ):
                yield STOPS.at(
                    code,
                    statement,
                    f"{ctx.called(call)}() ends the run here",
                    "remove it, or raise an error that says why",
                )
            case ast.Raise() if not last:
                yield STOPS.at(
                    code,
                    statement,
                    "the cell always raises, and no cell below it runs",
                    "remove it, or give it a condition",
                )
            case _:
                pass


def _magic(code: Code, magic: Magic) -> Iterator[Finding]:
    shell = magic.kind == "shell" or magic.name in (
        "system",
        "sx",
        "sc",
        "bash",
        "sh",
        "script",
        "!",
        "cmd",
        "powershell",
    )
    if magic.name in ("pip", "conda", "mamba", "uv") or (shell and _INSTALL.search(magic.text)):
        if not re.search(r"\b(install|add|uninstall)\b", magic.text):
            return
        shown = f"%{magic.name} {magic.text}" if magic.name and not shell else magic.text
        yield INSTALLS.at(
            code, magic.line, f"{shown.strip().splitlines()[0][:80]!r} changes the environment while the job runs",
            "add the package to the project's requirements and remove the line", quick=_no_install(code, magic),
        )  # fmt: skip
    elif shell:
        command = magic.text.strip().splitlines()[:1]
        yield SHELL.at(
            code, magic.line, f"a shell command is run: {(command or [''])[0][:60]!r}",
            "do it in Python, or use subprocess.run([...], check=True)",
        )  # fmt: skip
    elif magic.name in ("run", "load", "loadpy"):
        yield OTHER_CODE.at(
            code,
            magic.line,
            f"%{magic.name} {magic.text[:60]} is not bundled",
            "move its code into a module and import it",
            variable=magic.text.split()[-1] if magic.text.split() else None,
        )
    elif magic.name in ("debug", "pdb") and magic.kind == "line" and magic.text.strip() != "off":
        yield DEBUGGER.at(
            code, magic.line, f"%{magic.name} waits for a person", "remove it", variable=f"%{magic.name}"
        )


def _no_install(code: Code, magic: Magic) -> QuickFix | None:
    """Return the fix that removes the line, where what it installs is here already."""
    line = code.lines[magic.line - 1] if magic.line <= len(code.lines) else ""
    found = _PACKAGES.search(magic.text)
    words = [w for w in (found[1].split() if found else []) if not w.startswith("-")]
    names = [re.split(r"[\[<>=!~;]", w.strip("\"'"))[0].replace("-", "_") for w in words]
    if (
        magic.kind == "cell"
        or not line.lstrip().startswith(("%", "!"))
        or not names
        or line.rstrip().endswith("\\")
    ):
        return None
    if not all(installed(n) or installed(n.lower()) for n in names) or len(code.lines) < 2:
        return None
    return code.drop_lines("remove the line: the package is here", magic.line, magic.line)


def _widgets(ctx: Context) -> Iterator[Finding]:
    """Widgets whose `.value` the notebook reads, and functions of `interact`."""
    made: dict[str, tuple[Code, ast.Call, str]] = {}
    for code in ctx.codes:
        for call in code.calls:
            name = ctx.called(call)
            if name in ("ipywidgets.interact", "ipywidgets.interactive", "ipywidgets.interact_manual"):
                yield WIDGET.at(
                    code,
                    call,
                    "interact() waits for a person to move it",
                    "make its arguments parameters",
                    variable=name,
                )
            above = next(code.parents(call), None)
            kind = name.rpartition(".")[2]
            if name.startswith("ipywidgets.") and kind in _WIDGET_VALUES and isinstance(above, ast.Assign):
                made.update({t.id: (code, call, kind) for t in above.targets if isinstance(t, ast.Name)})
    read = {
        node.value.id
        for code in ctx.codes
        for node in code.nodes
        if isinstance(node, ast.Attribute)
        and node.attr == "value"
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.value, ast.Name)
    }
    for name, (code, call, kind) in made.items():
        if name in read:
            yield WIDGET.at(
                code, call, f"{name}.value is what a person chooses in a {kind}; a job gets what it starts with",
                "make it a parameter", variable=name,
            )  # fmt: skip
