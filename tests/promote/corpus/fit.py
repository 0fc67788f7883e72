"""Does the notebook fit the job: parameters, schedule, gates, model."""

from __future__ import annotations

from corpus.kit import case, parameters

F = "fit"
GATED = "import aios_workbench as aios\nwf = aios.Workflow('claims')\n@wf.gate\ndef review():\n    return 1\nprint(wf)"
MODEL = "from sklearn.linear_model import LinearRegression\nmodel = LinearRegression().fit([[1], [2]], [1, 2])\nprint(model.predict([[3]]))"

CASES = (
    case("syntax", "readable", ["def f(:\n    pass"], ["def f():\n    pass\nf()"], ("AIOS003", 1)),
    case(
        "merge-conflict",
        "readable",
        ["a = 1\nprint(a)", "<<<<<<< HEAD\nb = 2\n=======\nb = 3\n>>>>>>> main"],
        ["a = 1\nprint(a)", "b = 2\nprint(b)"],
        ("AIOS003", 2),
    ),
    case("no-code", "readable", [""], ["print(1)"], ("AIOS004", None)),
    case(
        "ignored-without-reason",
        "readable",
        ["print(open('/tmp/a').read())  # aios: ignore AIOS203 AIOS206"],
        ["print(open('/tmp/a').read())  # aios: ignore AIOS203 AIOS206 the worker's image has this file"],
        ("AIOS005", 1),
        ("AIOS203", 1),
        ("AIOS206", 1),
    ),
    case(
        "ignored-what-is-not",
        "readable",
        ["print(1)  # aios: ignore AIOS999 because"],
        ["print(1)"],
        ("AIOS006", 1),
    ),
    case(
        "ignored-for-nothing",
        "readable",
        ["# aios: ignore AIOS203 the share is mounted\nprint(1)"],
        ["print(1)"],
        ("AIOS007", 1),
    ),
    case(
        "wrong-value",
        F,
        [parameters("n: int = 1"), "print(n)"],
        [parameters("n: int = 1"), "print(n)"],
        ("AIOS401", 1),
        spec={"parameters": {"n": "many"}},
        clean_spec={"parameters": {"n": "3"}},
    ),
    case(
        "no-value",
        F,
        [parameters("path: str"), "print(path)"],
        [parameters("path: str = 'a.csv'"), "print(path)"],
        ("AIOS401", 1),
        spec={},
    ),
    case(
        "parameters-computed",
        F,
        [parameters("n: int = 1\nfor i in range(3):\n    n = n + i"), "print(n)"],
        [parameters("n: int = 1"), "print(n)"],
        ("AIOS402", 1),
    ),
    case(
        "untyped",
        F,
        [parameters("rate = 1"), "print(rate)"],
        [parameters("rate: float = 1.0"), "print(rate)"],
        ("AIOS403", 1),
    ),
    case(
        "unused-parameter",
        F,
        [parameters("limit: int = 5\nday: str = 'x'"), "print(day)"],
        [parameters("limit: int = 5\nday: str = 'x'"), "print(day, limit)"],
        ("AIOS405", 1),
    ),
    case(
        "parameter-overwritten",
        F,
        [parameters("limit: int = 5"), "limit = 10\nprint(limit)"],
        [parameters("limit: int = 5"), "print(limit)"],
        ("AIOS406", 2),
    ),
    case(
        "never",
        F,
        ["print(1)"],
        ["print(1)"],
        ("AIOS411", None),
        spec={"schedule": "0 0 */30 2 1#2"},
        clean_spec={"schedule": "0 6 * * *"},
    ),
    case(
        "clock-change",
        F,
        ["print(1)"],
        ["print(1)"],
        ("AIOS412", None),
        spec={"schedule": "30 2 * * *", "timezone": "Europe/Berlin"},
        clean_spec={"schedule": "30 4 * * *", "timezone": "Europe/Berlin"},
    ),
    case(
        "open-gate", F, [GATED], [GATED], ("AIOS421", 1), spec={}, clean_spec={"gates": {"review": "approve"}}
    ),
    case(
        "renamed-gate",
        F,
        [GATED],
        [GATED],
        ("AIOS421", 1),
        ("AIOS422", None),
        spec={"gates": {"reviews": "approve"}},
        clean_spec={"gates": {"review": "approve"}},
    ),
    case(
        "alert-password",
        F,
        ["print(1)"],
        ["print(1)"],
        ("AIOS423", None),
        spec={"alerts": ["json://ada:pw@host/x"]},
        clean_spec={"alerts": ["$CLAIMS_ALERTS"]},
    ),
    case(
        "model-without-tests",
        F,
        [MODEL],
        [
            MODEL + "\nassert model.coef_[0] > 0",
            "import aios_workbench as aios\nreport = aios.drift.compare([1.0], [1.0])\nprint(report)",
        ],
        ("AIOS424", 1),
        ("AIOS425", 1),
        spec={"schedule": "0 6 * * *"},
    ),
    case(
        "missing-card",
        F,
        ["import aios_workbench as aios\naios.model_card(None, purpose='x').save('card.md')"],
        ["print('no model in here')"],
        ("AIOS431", 1),
    ),
)
