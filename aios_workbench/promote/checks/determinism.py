"""AIOS12x: what gives other values in the next run: random numbers, clocks, ids, the order of sets and folders."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from aios_workbench.promote.checks.context import Context, is_true, keyword
from aios_workbench.promote.checks.finding import Finding, QuickFix
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.checks.source import Code

UNSEEDED = Rule("AIOS121", "unseeded-random", "warning", "Random numbers are drawn without a seed.",
                "Every run gives other results, and no two can be compared.", fixable=True)  # fmt: skip
CLOCK = Rule("AIOS122", "clock", "note", "The current time or date is read.",
             "A backfill or rerun of last week computes with today. Make the day a parameter.")  # fmt: skip
IDS = Rule(
    "AIOS123", "random-id", "note", "Ids are drawn at random.", "A rerun makes new ones: rows appear twice."
)
SETS = Rule("AIOS124", "set-order", "warning", "The order of a set decides.",
            "Python shuffles text in sets anew in every process.", fixable=True)  # fmt: skip
LISTING = Rule("AIOS125", "unsorted-listing", "warning", "A folder's files are taken in the order the disk gives them.",
               "Another machine, or a restored backup, gives them in another order.", fixable=True)  # fmt: skip
RULES = (UNSEEDED, CLOCK, IDS, SETS, LISTING)

#: family of functions -> what seeds it, and the line that would
_SEEDS = {
    "numpy.random": (("numpy.random.seed",), "np.random.seed(0)"),
    "random": (("random.seed",), "random.seed(0)"),
    "torch": (("torch.manual_seed", "torch.random.manual_seed"), "torch.manual_seed(0)"),
    "tensorflow.random": (
        ("tensorflow.random.set_seed", "tensorflow.keras.utils.set_random_seed"),
        "tf.random.set_seed(0)",
    ),
}
_NOT_DRAWN = frozenset(
    (
        "seed",
        "default_rng",
        "RandomState",
        "Generator",
        "SeedSequence",
        "get_state",
        "set_state",
        "PCG64",
        "getstate",
        "setstate",
        "Random",
        "SystemRandom",
        "BitGenerator",
        "Philox",
        "MT19937",
        "set_seed",
    )
)
_TORCH = frozenset(
    ("rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "rand_like", "randn_like")
)
#: constructors that seed themselves from the system when nothing is given
_GENERATORS = frozenset(("numpy.random.default_rng", "numpy.random.RandomState", "random.Random"))
#: what draws numbers of its own unless `random_state` is given
_SKLEARN = frozenset(
    (
        "train_test_split",
        "RandomForestClassifier",
        "RandomForestRegressor",
        "ExtraTreesClassifier",
        "ExtraTreesRegressor",
        "GradientBoostingClassifier",
        "GradientBoostingRegressor",
        "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor",
        "MLPClassifier",
        "MLPRegressor",
        "KMeans",
        "MiniBatchKMeans",
        "TSNE",
        "IsolationForest",
        "BaggingClassifier",
        "BaggingRegressor",
        "AdaBoostClassifier",
        "AdaBoostRegressor",
        "RandomizedSearchCV",
        "ShuffleSplit",
        "StratifiedShuffleSplit",
        "GaussianMixture",
        "SGDClassifier",
        "SGDRegressor",
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "permutation_importance",
        "resample",
        "shuffle",
        "NMF",
        "make_classification",
        "make_regression",
        "make_blobs",
        "make_moons",
        "RandomOverSampler",
        "SMOTE",
    )
)
_SHUFFLED = frozenset(("KFold", "StratifiedKFold", "GroupKFold"))
_CLOCKS = frozenset((
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today", "time.time",
    "time.localtime", "time.gmtime", "time.ctime", "time.strftime", "pandas.Timestamp.now", "pandas.Timestamp.today",
    "pandas.Timestamp.utcnow", "pandas.to_datetime.now",
))  # fmt: skip
_UUIDS = frozenset(("uuid.uuid1", "uuid.uuid4", "secrets.token_hex", "secrets.token_urlsafe", "secrets.token_bytes",
                    "secrets.choice", "secrets.randbelow", "os.urandom", "random.SystemRandom"))  # fmt: skip
_LISTINGS = frozenset(("os.listdir", "os.scandir", "os.walk", "glob.glob", "glob.iglob"))
_PATH_LISTINGS = frozenset((".glob", ".rglob", ".iterdir"))
_ORDERLESS = frozenset(
    (
        "sorted",
        "len",
        "any",
        "all",
        "set",
        "frozenset",
        "sum",
        "min",
        "max",
        "Counter",
        "collections.Counter",
        "numpy.sort",
        ".sort",
        ".union",
        ".update",
        ".intersection",
        ".difference",
        ".isin",
        ".issubset",
        ".issuperset",
        "numpy.unique",
    )
)
_IN_ORDER = frozenset(
    (
        "list",
        "tuple",
        "enumerate",
        "iter",
        "zip",
        "map",
        "filter",
        ".join",
        "numpy.array",
        "pandas.Series",
        "pandas.DataFrame",
        "print",
        "next",
        "repr",
        "str",
    )
)


def find(ctx: Context) -> Iterator[Finding]:
    """Yield what is drawn, read off a clock, or taken in an order nobody promises."""
    names = [(code, call, ctx.called(call)) for code in ctx.codes for call in code.calls]
    yield from _random(ctx, names)
    for code, call, name in names:
        if name in _CLOCKS and not _measures(ctx, code, call, name):
            yield CLOCK.at(
                code,
                call,
                f"{name}() gives another value in every run",
                "make the day a parameter with this as its default",
                variable=name,
            )
        elif name in _UUIDS:
            yield IDS.at(
                code, call, f"{name}() gives another value in every run",
                "derive the id from the data, for example uuid.uuid5(namespace, key)", variable=name,
            )  # fmt: skip
        elif name in _LISTINGS or (name in _PATH_LISTINGS and _is_path(call)):
            yield from _listing(ctx, code, call, name)
    for code in ctx.codes:
        yield from _sets(ctx, code)


# ---------------------------------------------------------------- random numbers


def _random(ctx: Context, names: list[tuple[Code, ast.Call, str]]) -> Iterator[Finding]:
    called = {name for _, _, name in names}
    seeded = {family for family, (seeds, _) in _SEEDS.items() if called & set(seeds)}
    told: set[str] = set()
    for code, call, name in names:
        if name in _GENERATORS and not call.args and not call.keywords:
            yield UNSEEDED.at(
                code, call, f"{name}() is seeded by the system", "give it a seed", variable=name,
                quick=_with_argument(code, call, "0"),
            )  # fmt: skip
        elif (family := _family(name)) is not None:
            if family not in seeded | told:
                told.add(family)
                yield UNSEEDED.at(
                    code,
                    call,
                    f"{name}() draws numbers, and nothing seeds {family}",
                    f"put {_SEEDS[family][1]} before it",
                    variable=name,
                    quick=_seed(ctx, code, call, family),
                )
        elif _wants_state(ctx, call, name) and "numpy.random" not in seeded:
            what = name.rpartition(".")[2]
            yield UNSEEDED.at(
                code, call, f"{what}() draws numbers without random_state", "give it random_state=0", variable=what,
                quick=_with_argument(code, call, "random_state=0"),
            )  # fmt: skip


def _family(name: str) -> str | None:
    module, _, function = name.rpartition(".")
    if function in _NOT_DRAWN:
        return None
    if module in ("numpy.random", "random", "tensorflow.random"):
        return module
    return "torch" if module == "torch" and function in _TORCH else None


def _wants_state(ctx: Context, call: ast.Call, name: str) -> bool:
    if any(k.arg in ("random_state", None, "generator", "seed") for k in call.keywords):
        return False
    last = name.rpartition(".")[2]
    if name == ".sample":
        return _drawn_rows(ctx, call)
    if not name.startswith(("sklearn.", "imblearn.")):
        return False
    if last in ("DecisionTreeClassifier", "DecisionTreeRegressor"):
        return False  # draws only to break ties
    return last in _SKLEARN or (last in _SHUFFLED and is_true(keyword(call, "shuffle")))


def _drawn_rows(ctx: Context, call: ast.Call) -> bool:
    """Tell `frame.sample(100)` from `rng.sample(…)` and others."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(of, ast.Name) and any("andom" in ctx.dotted(v.func) for v in _calls_behind(ctx, of.id)):
        return False
    return bool(keyword(call, "frac") or keyword(call, "n")) or (len(call.args) <= 1 and not call.keywords)


def _calls_behind(ctx: Context, name: str) -> list[ast.Call]:
    values = [ctx.values.get(bind.node) for _, bind in ctx.binds.get(name, [])]
    return [v for v in values if isinstance(v, ast.Call)]


def _seed(ctx: Context, code: Code, call: ast.Call, family: str) -> QuickFix | None:
    statement = code.statement(call)
    short = {"numpy.random": "numpy", "tensorflow.random": "tensorflow"}.get(family, family)
    local = next((k for k, v in ctx.aliases.items() if v == short and k in ctx.binds), None)
    if statement is None or local is None or code.cell.moved or _needs_import_here(ctx, code, local):
        return None
    line = _SEEDS[family][1]
    text = local + line[line.index(".") :]
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))])
    return code.insert(f"seed with {text}", first, text)


def _needs_import_here(ctx: Context, code: Code, local: str) -> bool:
    here = ctx.codes.index(code)
    return all(i >= here for i, b in ctx.binds[local] if b.kind == "import")


def _with_argument(code: Code, call: ast.Call, argument: str) -> QuickFix | None:
    text = code.text_of(call)
    if text is None or not text.endswith(")") or "#" in text:
        return None
    inner = text[:-1].rstrip()
    comma = "" if inner.endswith(("(", ",")) else ", "
    return code.replace(
        f"add {argument}", (call, f"{inner}{comma or ('' if inner.endswith('(') else ' ')}{argument})")
    )


# ---------------------------------------------------------------- clocks, folders, sets


def _measures(ctx: Context, code: Code, call: ast.Call, name: str) -> bool:
    """`t = time.time()` that is only ever subtracted measures a duration."""
    if name not in ("time.time", "datetime.datetime.now"):
        return False
    if any(isinstance(p, ast.BinOp) and isinstance(p.op, ast.Sub) for p in code.parents(call)):
        return True
    above = next(code.parents(call), None)
    if not (
        isinstance(above, ast.Assign) and len(above.targets) == 1 and isinstance(above.targets[0], ast.Name)
    ):
        return False
    uses = [
        (c, n) for c in ctx.codes for n in c.nodes
        if isinstance(n, ast.Name) and n.id == above.targets[0].id and isinstance(n.ctx, ast.Load)
    ]  # fmt: skip
    return bool(uses) and all(
        isinstance(p := next(c.parents(n), None), ast.BinOp) and isinstance(p.op, ast.Sub) for c, n in uses
    )


def _is_path(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and (bool(call.args) or call.func.attr == "iterdir")


def _listing(ctx: Context, code: Code, call: ast.Call, name: str) -> Iterator[Finding]:
    if _order_does_not_matter(ctx, code, call):
        return
    quick = None
    text = code.text_of(call)
    if text is not None and name != "os.walk":
        quick = code.replace("sort it", (call, f"sorted({text})"))
    if name == "os.scandir":
        quick = None  # entries have no order of their own
    yield LISTING.at(
        code,
        call,
        f"{name.lstrip('.')}() gives the files in no order",
        "wrap it in sorted(…)",
        variable=name.lstrip("."),
        quick=quick,
    )


def _order_does_not_matter(ctx: Context, code: Code, node: ast.expr) -> bool:
    below: ast.AST = node
    for above in code.parents(node):
        if isinstance(above, ast.Call) and below is not above.func and ctx.called(above) in _ORDERLESS:
            return True
        if isinstance(above, (ast.SetComp, ast.Compare)):
            return True
        if isinstance(above, ast.Assign) and isinstance(above.targets[0], ast.Name):
            return _sorted_later(ctx, above.targets[0].id)
        if isinstance(above, ast.stmt):
            return False
        below = above
    return False


def _sorted_later(ctx: Context, name: str) -> bool:
    for code in ctx.codes:
        for call in code.calls:
            match call:
                case ast.Call(func=ast.Name(id="sorted" | "len" | "set"), args=[ast.Name(id=other), *_]) if (
                    other == name
                ):
                    return True
                case ast.Call(func=ast.Attribute(value=ast.Name(id=other), attr="sort")) if other == name:
                    return True
                case _:
                    pass
    return False


def _sets(ctx: Context, code: Code) -> Iterator[Finding]:
    is_set = functools.partial(_is_set, ctx)
    for node in code.nodes:
        match node:
            case ast.Call(args=[first, *_]) if ctx.called(node) in _IN_ORDER and is_set(first):
                if not _order_does_not_matter(ctx, code, node):
                    yield _of_set(ctx, code, node, first)
            case ast.For(iter=over) if is_set(over) and _builds(node):
                yield _of_set(ctx, code, over, over)
            case ast.ListComp(generators=[ast.comprehension(iter=over), *_]) if is_set(over):
                if not _order_does_not_matter(ctx, code, node):
                    yield _of_set(ctx, code, over, over)
            case ast.Call(func=ast.Attribute(value=of, attr="pop"), args=[]) if is_set(of):
                yield _of_set(ctx, code, node, of)
            case _:
                pass


def _is_set(ctx: Context, node: ast.expr) -> bool:
    match node:
        case ast.Set(elts=elts):
            return not all(isinstance(e, ast.Constant) and isinstance(e.value, (int, float)) for e in elts)
        case ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Sub(), left=left, right=right):
            return _is_set(ctx, left) and _is_set(ctx, right)
        case ast.Name(id=name):
            values = [ctx.values.get(bind.node) for _, bind in ctx.binds.get(name, [])]
            return bool(values) and all(
                v is not None and not isinstance(v, ast.Name) and _is_set(ctx, v) for v in values
            )
        case _:
            return False


def _builds(loop: ast.For) -> bool:
    """Tell whether a loop leaves something whose order shows: a list, a print, a file."""
    shows = ("append", "extend", "print", "write", "insert", "display", "writerow", "save", "to_csv")
    for node in ast.walk(loop):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in shows:
                return True
    return False


def _of_set(ctx: Context, code: Code, node: ast.expr, over: ast.expr) -> Finding:
    text = code.text_of(over)
    quick = None
    if text is not None:
        is_list = node is not over and ctx.dotted(getattr(node, "func", node)) == "list"
        quick = code.replace("sort it", (node if is_list else over, f"sorted({text})"))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "pop":
        quick = None
    return SETS.at(code, node, "a set is taken in its own order", "wrap it in sorted(…)", quick=quick)
