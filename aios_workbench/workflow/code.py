"""What a function is: a hash that changes exactly when its behaviour can.

The hash covers the instructions (so comments, docstring and layout do not count), the defaults, the closure,
and the values of the globals it names: functions, classes and modules of the user's own code are followed,
values are hashed by content, installed modules count by name. It is stable over processes of one Python
minor version: pickles are not (sets, shared strings, cloudpickle's class ids), so none is used.
"""

from __future__ import annotations

import copyreg
import dis
import functools
import hashlib
import inspect
import itertools
import sys
import sysconfig
import types
from collections.abc import Callable, Iterable
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
    reached = _own_modules(fn)
    try:
        try:
            return _dumps_by_value(fn, reached)
        except Exception:  # noqa: BLE001 - a module may hold what cannot be stored: it then goes by name
            return _dumps_by_value(fn, {m for m in reached if m.__name__ == getattr(fn, "__module__", None)})
    except Exception as e:
        culprit = _culprit(fn)
        raise SerializationError(
            f"step '{step}' ({cell_of(fn)}) cannot be stored: {culprit or f'{type(e).__name__}: {e}'}. Create such "
            "objects (connections, locks, open files, clients) inside the step, or pass plain data as a parameter"
        ) from e


def _dumps_by_value(fn: Callable[..., Any], modules: set[types.ModuleType]) -> bytes:
    import cloudpickle

    new = [m for m in modules if m.__name__ not in cloudpickle.list_registry_pickle_by_value()]
    for module in new:
        cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(fn, protocol=5))
    finally:
        for module in new:
            cloudpickle.unregister_pickle_by_value(module)


def _own_modules(fn: Any) -> set[types.ModuleType]:
    """The user's own importable modules that a function reaches: another process may not find them."""
    found: set[types.ModuleType] = set()
    todo, seen = [fn], set()
    while todo:
        item = inspect.unwrap(todo.pop()) if callable(todo[-1]) else todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        named = getattr(item, "__module__", None) or ""
        module = item if isinstance(item, types.ModuleType) else sys.modules.get(named)
        if not _is_own(module) or module is None:
            continue
        if module.__name__ not in ("__main__", "__mp_main__") and sys.modules.get(module.__name__) is module:
            found.add(module)
        if isinstance(item, type):
            todo += [f for f in vars(item).values() if isinstance(f, types.FunctionType)]
        elif isinstance(item, types.FunctionType):
            todo += [value for _, value in _globals_of(item) if isinstance(value, _FOLLOWED)]
            todo += [value for value in _cells(item) if isinstance(value, _FOLLOWED)]
    return found


_FOLLOWED = (types.FunctionType, type, types.ModuleType)


def _cells(fn: Any) -> list[Any]:
    values = []
    for cell in getattr(fn, "__closure__", None) or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:  # not bound (yet)
            values.append(_EMPTY_CELL)
    return values


_EMPTY_CELL = "an empty cell"


def _culprit(fn: Callable[..., Any]) -> str:
    import cloudpickle

    fn = inspect.unwrap(fn)
    named = dict(_globals_of(fn))
    free = getattr(getattr(fn, "__code__", None), "co_freevars", ())
    named.update(zip(free, _cells(fn), strict=False))
    for name, value in named.items():
        try:
            cloudpickle.dumps(value)
        except Exception as e:  # noqa: BLE001 - whatever a __reduce__ raises
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


@functools.lru_cache(maxsize=4096)
def _global_names(code: types.CodeType) -> frozenset[str]:
    names = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return frozenset(names.union(*(_global_names(c) for c in _inner(code))))


@functools.lru_cache(maxsize=4096)
def _all_names(code: types.CodeType) -> frozenset[str]:
    return frozenset(code.co_names).union(*(_all_names(c) for c in _inner(code)))


def _inner(code: types.CodeType) -> list[types.CodeType]:
    return [c for c in code.co_consts if isinstance(c, types.CodeType)]


class _Seen:
    """Functions and classes met on the way: what is being read now, and the digests already known."""

    def __init__(self) -> None:
        self.active: set[int] = set()
        self.known: dict[int, tuple[object, bytes]] = {}  # the object too, so that its id is not reused


def _feed(digest: Any, value: Any, seen: _Seen) -> None:  # noqa: C901 - a table of kinds
    if isinstance(value, (type(None), bool, int, float, complex, type(...))):
        digest.update(f"{type(value).__name__}:{value!r};".encode())
    elif isinstance(value, (str, bytes, bytearray, memoryview)):
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)
        digest.update(f"{type(value).__name__}{len(data)}:".encode() + data)
    elif isinstance(value, types.CodeType):
        digest.update(_code_digest(value))
    elif isinstance(value, types.ModuleType):
        digest.update(f"module:{value.__name__}:{getattr(value, '__version__', '')};".encode())
    elif type(value) in (tuple, list):
        digest.update(f"{type(value).__name__}{len(value)}:".encode())
        _guarded(digest, value, seen, lambda d: _feed_all(d, value, seen))
    elif type(value) in (set, frozenset):
        digest.update(b"set:" + b"".join(sorted(_digest_of(item, seen) for item in value)))
    elif type(value) is dict:
        digest.update(f"dict{len(value)}:".encode())
        _guarded(digest, value, seen, lambda d: _feed_all(d, itertools.chain(*value.items()), seen))
    elif isinstance(value, (types.FunctionType, staticmethod, classmethod)):
        _guarded(digest, value, seen, lambda d: _feed_function(d, value, seen), keep=True)
    elif isinstance(value, types.MethodType):
        _feed(digest, [value.__func__, value.__self__], seen)
    elif isinstance(value, type):
        _guarded(digest, value, seen, lambda d: _feed_class(d, value, seen), keep=True)
    else:
        _guarded(digest, value, seen, lambda d: _feed_object(d, value, seen), keep=True)


def _feed_all(digest: Any, values: Iterable[Any], seen: _Seen) -> None:
    for value in values:
        _feed(digest, value, seen)


def _digest_of(value: Any, seen: _Seen) -> bytes:
    own = hashlib.sha256()
    _feed(own, value, seen)
    return own.digest()


def _guarded(
    digest: Any, value: Any, seen: _Seen, feed: Callable[[Any], object], *, keep: bool = False
) -> None:
    """Feed through a digest of its own: ends recursion, and reads a shared function once."""
    if id(value) in seen.active:
        digest.update(b"recursion;")
        return
    known = seen.known.get(id(value))
    if known is None:
        seen.active.add(id(value))
        own = hashlib.sha256()
        try:
            feed(own)
        finally:
            seen.active.discard(id(value))
        known = (value, own.digest())
        if keep:
            seen.known[id(value)] = known
    digest.update(known[1])


@functools.lru_cache(maxsize=4096)
def _code_digest(code: types.CodeType) -> bytes:
    # Instructions with what they name, not co_code: a docstring moves every constant's number.
    digest, seen = hashlib.sha256(code.co_exceptiontable), _Seen()
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    layout = (code.co_posonlyargcount, code.co_argcount, code.co_kwonlyargcount, code.co_flags)
    _feed(digest, (arguments, code.co_freevars, layout), seen)
    for instruction in dis.get_instructions(code):
        digest.update(instruction.opname.encode())
        constant = instruction.opcode in dis.hasconst
        _feed(digest, instruction.argval if constant else repr(instruction.argval), seen)
    return digest.digest()


def _feed_function(digest: Any, fn: Any, seen: _Seen) -> None:
    digest.update(f"{type(fn).__name__}:".encode())
    fn = getattr(fn, "__func__", fn)
    if not isinstance(fn, types.FunctionType):
        _feed(digest, fn, seen)
        return
    # Not fn.__module__: functools.wraps gives a library's wrapper the module of what it wraps.
    if not _is_own(sys.modules.get(fn.__globals__.get("__name__", ""))):
        digest.update(f"installed:{fn.__globals__.get('__name__')}.{fn.__code__.co_name};".encode())
        if hasattr(fn, "__wrapped__"):
            settings = [c for c in _cells(fn) if isinstance(c, (type(None), bool, int, float, str))]
            _feed(digest, [fn.__wrapped__, settings], seen)
        return
    _feed(digest, (fn.__code__, fn.__defaults__, fn.__kwdefaults__), seen)
    for value in _cells(fn):
        _feed(digest, value, seen)
    for name, item in _globals_of(fn):
        digest.update(f"{name}=".encode())
        _feed_named(digest, item, _all_names(fn.__code__), seen)


def _feed_named(digest: Any, item: Any, names: frozenset[str], seen: _Seen) -> None:
    """Feed a global; of a module of the user's own, what the code may take from it."""
    _feed(digest, item, seen)
    if isinstance(item, types.ModuleType) and _is_own(item) and id(item) not in seen.active:
        seen.active.add(id(item))
        for name in sorted(names & vars(item).keys()):
            digest.update(f"{name}=".encode())
            _feed_named(digest, vars(item)[name], names, seen)
        seen.active.discard(id(item))


def _feed_class(digest: Any, cls: type, seen: _Seen) -> None:
    digest.update(f"class:{cls.__qualname__};".encode())
    if not _is_own(sys.modules.get(cls.__module__)):
        digest.update(f"{cls.__module__};".encode())
        return
    for base in cls.__bases__:
        _feed(digest, base, seen)
    fields = getattr(cls, "__pydantic_fields__", None) or {}
    for name, field in fields.items():  # pydantic takes the defaults out of the class
        _feed(
            digest, [name, str(field.annotation), field.default, field.default_factory, field.metadata], seen
        )
    for name, item in sorted(vars(cls).items()):
        if isinstance(item, property):
            _feed(digest, [name, item.fget, item.fset], seen)
        elif isinstance(item, (types.FunctionType, staticmethod, classmethod)) or not _is_machinery(name):
            digest.update(f"{name}=".encode())
            _feed(digest, item, seen)
        elif name == "__annotations__":
            _feed(digest, {k: str(v) for k, v in item.items()}, seen)


def _is_machinery(name: str) -> bool:
    return (name.startswith("_") and name.endswith("_")) or name == "_abc_impl"


def _feed_object(digest: Any, value: Any, seen: _Seen) -> None:
    """Feed what pickle would store of an object, taken apart."""
    kind = type(value)
    digest.update(f"object:{kind.__module__}.{kind.__qualname__};".encode())
    inner = getattr(value, "__wrapped__", None)
    if isinstance(inner, types.FunctionType):  # functools.cache and its like
        _feed(digest, inner, seen)
        return
    try:
        reducer = copyreg.dispatch_table.get(kind)
        parts = reducer(value) if reducer is not None else value.__reduce_ex__(4)
        if isinstance(parts, str):  # a name in a module
            digest.update(f"{parts};".encode())
            return
        made, arguments, *rest = parts
        followed = isinstance(made, (type, types.FunctionType))
        _feed(digest, made if followed else f"{made.__module__}.{made.__qualname__}", seen)
        for part in (arguments, *rest):
            _feed(digest, list(part) if hasattr(part, "__next__") else part, seen)
    except RecursionError:
        raise
    except Exception:  # noqa: BLE001 - not storable: pickle_function says so, with the variable's name
        digest.update(b"unpicklable;")
