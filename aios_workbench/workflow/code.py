"""What a function is: a hash that changes exactly when its behaviour can.

The hash covers the bytecode (so comments and layout do not count), the defaults, the closure, and the values
of the globals it names: functions and classes of the user's own code are followed, values are hashed by
content, installed modules count by name. It is stable over processes of one Python minor version.
"""

from __future__ import annotations

import dis
import hashlib
import inspect
import sys
import sysconfig
import types
from collections.abc import Callable
from typing import Any

from aios_workbench.errors import SerializationError

_INSTALLED = tuple({sysconfig.get_path(k) for k in ("stdlib", "platstdlib", "purelib", "platlib")})


def code_hash(fn: Callable[..., Any], *extra: object) -> str:
    """Return 32 hex digits for a function and anything else that decides its result."""
    digest, seen = hashlib.sha256(f"py{sys.version_info[0]}.{sys.version_info[1]}".encode()), _Seen()
    _feed(digest, fn, seen)
    for item in extra:
        _feed(digest, item, seen)
    return digest.hexdigest()[:32]


def source_of(fn: Callable[..., Any]) -> str:
    """Return the function's source text, or an empty string where there is none."""
    try:
        import textwrap

        return textwrap.dedent(inspect.getsource(inspect.unwrap(fn)))
    except (OSError, TypeError):
        return ""


def cell_of(fn: Callable[..., Any]) -> str:
    """Say where a function was written: ``cell In[7]``, or ``file.py:12``."""
    code = getattr(inspect.unwrap(fn), "__code__", None)
    if code is None:
        return "unknown place"
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        compiler = getattr(shell, "compile", None)
        name = getattr(compiler, "_filename_map", {}).get(code.co_filename)
        if name is not None:
            return f"cell In[{name}], line {code.co_firstlineno}"
    return f"{code.co_filename}:{code.co_firstlineno}"


def pickle_function(fn: Callable[..., Any], step: str) -> bytes:
    """Return the function as bytes that any process of this environment can load.

    Raises
    ------
    SerializationError
        Naming the step, the place and the variable that cannot travel.
    """
    import cloudpickle

    module = sys.modules.get(getattr(fn, "__module__", None) or "")
    by_value = _is_own(module) and module is not None and module.__name__ not in ("__main__", "__mp_main__")
    registered = False
    try:
        if by_value and module is not None and module.__name__ not in cloudpickle.list_registry_pickle_by_value():
            cloudpickle.register_pickle_by_value(module)
            registered = True
        return bytes(cloudpickle.dumps(fn, protocol=5))
    except Exception as e:
        culprit = _culprit(fn)
        raise SerializationError(
            f"step '{step}' ({cell_of(fn)}) cannot be stored: {culprit or f'{type(e).__name__}: {e}'}. Create such "
            "objects (connections, locks, open files, clients) inside the step, or pass plain data as a parameter"
        ) from e
    finally:
        if registered and module is not None:
            cloudpickle.unregister_pickle_by_value(module)


def _culprit(fn: Callable[..., Any]) -> str:
    import cloudpickle

    fn = inspect.unwrap(fn)
    named = dict(_globals_of(fn))
    free = getattr(getattr(fn, "__code__", None), "co_freevars", ())
    for name, cell in zip(free, getattr(fn, "__closure__", None) or (), strict=False):
        try:
            named[name] = cell.cell_contents
        except ValueError:
            continue
    for name, value in named.items():
        try:
            cloudpickle.dumps(value)
        except Exception as e:
            return f"it uses '{name}', a {type(value).__name__} that cannot be pickled ({e})"
    return ""


def _is_own(module: types.ModuleType | None) -> bool:
    """True for the user's code: `__main__` and modules that are not installed."""
    if module is None or module.__name__ in ("__main__", "__mp_main__"):
        return True
    if module.__name__.partition(".")[0] == "aios_workbench":
        return False
    path = getattr(module, "__file__", None)
    return path is not None and not path.startswith(_INSTALLED) and "site-packages" not in path


def _globals_of(fn: Any) -> list[tuple[str, Any]]:
    code = getattr(fn, "__code__", None)
    if code is None:
        return []
    return [(n, fn.__globals__[n]) for n in sorted(_global_names(code)) if n in fn.__globals__]


def _global_names(code: types.CodeType) -> set[str]:
    names = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            names |= _global_names(const)
    return names


class _Seen:
    """Functions and classes met on the way: what is being read now, and the digests already known."""

    def __init__(self) -> None:
        self.active: set[int] = set()
        self.known: dict[int, tuple[object, bytes]] = {}  # the object too, so that its id is not reused


def _feed(digest: Any, value: Any, seen: _Seen) -> None:
    if isinstance(value, (type(None), bool, int, float, complex, str, bytes)):
        digest.update(f"{type(value).__name__}:{value!r};".encode("utf-8", "surrogatepass"))
    elif isinstance(value, types.CodeType):
        _feed_code(digest, value, seen)
    elif isinstance(value, types.ModuleType):
        digest.update(f"module:{value.__name__}:{getattr(value, '__version__', '')};".encode())
    elif isinstance(value, (tuple, list)):
        digest.update(f"{type(value).__name__}{len(value)}:".encode())
        _guarded(digest, value, seen, lambda d: [_feed(d, item, seen) for item in value])
    elif isinstance(value, (set, frozenset)):
        parts = []
        for item in value:
            part = hashlib.sha256()
            _feed(part, item, seen)
            parts.append(part.digest())
        digest.update(b"set:" + b"".join(sorted(parts)))
    elif isinstance(value, dict):
        digest.update(f"dict{len(value)}:".encode())
        _guarded(digest, value, seen, lambda d: [_feed(d, item, seen) for pair in value.items() for item in pair])
    elif isinstance(value, (types.FunctionType, types.MethodType, staticmethod, classmethod)):
        _guarded(digest, value, seen, lambda d: _feed_function(d, value, seen), keep=True)
    elif isinstance(value, type):
        _guarded(digest, value, seen, lambda d: _feed_class(d, value, seen), keep=True)
    else:
        _guarded(digest, value, seen, lambda d: _feed_object(d, value), keep=True)


def _guarded(digest: Any, value: Any, seen: _Seen, feed: Callable[[Any], object], *, keep: bool = False) -> None:
    """Feed through a digest of its own: ends recursion, and reads a shared function once."""
    if id(value) in seen.active:
        digest.update(b"recursion;")
        return
    known = seen.known.get(id(value))
    if known is None:
        seen.active.add(id(value))
        own = hashlib.sha256()
        feed(own)
        seen.active.discard(id(value))
        known = (value, own.digest())
        if keep:
            seen.known[id(value)] = known
    digest.update(known[1])


def _feed_code(digest: Any, code: types.CodeType, seen: _Seen) -> None:
    digest.update(code.co_code)
    _feed(digest, (code.co_names, code.co_varnames, code.co_freevars, code.co_flags, code.co_argcount), seen)
    consts = code.co_consts
    if consts and code.co_flags & inspect.CO_OPTIMIZED and isinstance(consts[0], str):
        consts = consts[1:]  # the docstring
    for const in consts:
        _feed(digest, const, seen)


def _feed_function(digest: Any, fn: Any, seen: _Seen) -> None:
    fn = getattr(fn, "__func__", fn)
    fn = inspect.unwrap(fn)
    module = sys.modules.get(getattr(fn, "__module__", None) or "")
    if not _is_own(module) or not hasattr(fn, "__code__"):
        digest.update(f"installed:{fn.__module__}.{getattr(fn, '__qualname__', fn)};".encode())
        return
    digest.update(b"function:")
    _feed_code(digest, fn.__code__, seen)
    _feed(digest, fn.__defaults__, seen)
    _feed(digest, fn.__kwdefaults__, seen)
    for cell in fn.__closure__ or ():
        try:
            _feed(digest, cell.cell_contents, seen)
        except ValueError:
            digest.update(b"empty;")
    for name, item in _globals_of(fn):
        digest.update(f"{name}=".encode())
        _feed(digest, item, seen)


def _feed_class(digest: Any, cls: type, seen: _Seen) -> None:
    module = sys.modules.get(cls.__module__)
    digest.update(f"class:{cls.__qualname__};".encode())
    if not _is_own(module):
        digest.update(f"{cls.__module__};".encode())
        return
    for base in cls.__bases__:
        _feed(digest, base, seen)
    for name, item in sorted(vars(cls).items()):
        if isinstance(item, property):
            _feed(digest, [name, item.fget, item.fset], seen)
        elif isinstance(item, (types.FunctionType, staticmethod, classmethod)) or not name.startswith("_"):
            digest.update(f"{name}=".encode())
            _feed(digest, item, seen)
        elif name == "__annotations__":
            _feed(digest, {k: str(v) for k, v in item.items()}, seen)


def _feed_object(digest: Any, value: Any) -> None:
    import cloudpickle

    digest.update(f"object:{type(value).__module__}.{type(value).__qualname__};".encode())
    try:
        digest.update(cloudpickle.dumps(value, protocol=5))
    except Exception:  # not storable: pickle_function says so, with the variable's name
        digest.update(b"unpicklable;")
