"""Notebooks written after the rules, and to which no rule was fitted: what the check does not know is counted too."""

from __future__ import annotations

from corpus.kit import case, cell, parameters, printed

F = "unseen"

CASES = (
    case(
        "mixed-analysis",
        F,
        [
            "import pandas as pd\nimport numpy as np\nfrom sklearn.ensemble import RandomForestRegressor",
            "claims = pd.DataFrame({'x': np.arange(9.0), 'y': np.arange(9.0) ** 2})",
            "claims['z'] = claims['x'] * weight",
            "forest = RandomForestRegressor(n_estimators=5).fit(claims[['x']], claims['y'])",
            "weight = 0.3\nprint(forest.predict(claims[['x']]), claims['z'])",
        ],
        [
            "import pandas as pd\nimport numpy as np\nfrom sklearn.ensemble import RandomForestRegressor",
            "weight = 0.3\nclaims = pd.DataFrame({'x': np.arange(9.0), 'y': np.arange(9.0) ** 2})\nclaims['z'] = claims['x'] * weight",
            "forest = RandomForestRegressor(n_estimators=5, random_state=4).fit(claims[['x']], claims['y'])",
            "print(forest.predict(claims[['x']]), claims['z'])",
        ],
        ("AIOS102", 3),
        ("AIOS106", 3),
        ("AIOS121", 4),
    ),
    case(
        "path-from-parts",
        F,
        ["import os\nbase = os.sep.join(['', 'home', 'ada'])\nprint(open(base + '/a.txt').read())"],
        ["print(open('a.txt').read())"],
        ("AIOS203", 1),
        files={"a.txt": "x"},
    ),
    case(
        "secret-in-pieces",
        F,
        ["key = 'AKIA' + 'QX3ZR7WT' + 'PLM5KVB2'\nprint(len(key))"],
        ["key = 'claims' + '-' + 'nightly'\nprint(len(key))"],
        ("AIOS301", 1),
    ),
    case(
        "random-through-getattr",
        F,
        ["import random\ndraw = getattr(random, 'random')\nprint(draw())"],
        ["import math\nroot = getattr(math, 'sqrt')\nprint(root(4))"],
        ("AIOS121", 1),
    ),
    case(
        "generator-handed-on",
        F,
        [
            "import numpy as np\ndef noise(rng=None):\n    rng = rng or np.random.default_rng()\n    return rng.normal()",
            "print(noise())",
        ],
        [
            "import numpy as np\ndef noise(rng):\n    return rng.normal()",
            "print(noise(np.random.default_rng(1)))",
        ],
        ("AIOS121", 1),
    ),
    case(
        "polars-in-place-of-pandas",
        F,
        [
            "import polars as pl\nprint(pl.scan_parquet('gone/*.parquet').collect())",
            "print(pl.read_csv('gone.csv'))",
        ],
        ["import polars as pl\nprint(pl.DataFrame({'a': [1]}))"],
        ("AIOS206", 1),
        ("AIOS206", 2),
    ),
    case(
        "file-in-a-function",
        F,
        [
            "import json\ndef config(name='settings.json'):\n    with open(name) as f:\n        return json.load(f)",
            "print(config())",
        ],
        [
            "import json\ndef config(name='settings.json'):\n    with open(name) as f:\n        return json.load(f)",
            "print(config())",
        ],
        ("AIOS206", 1),
        clean_files={"settings.json": "{}"},
    ),
    case(
        "glob-of-an-empty-folder",
        F,
        ["from pathlib import Path\nfor f in sorted(Path('inbox').glob('*.csv')):\n    print(f)"],
        ["from pathlib import Path\nfor f in sorted(Path('inbox').glob('*.csv')):\n    print(f)"],
        ("AIOS206", 1),
        clean_files={"inbox/a.csv": "a"},
    ),
    case(
        "class-before-its-helper",
        F,
        [
            "class Model:\n    def fit(self):\n        return scale(3)",
            "m = Model()\nprint(m.fit())",
            "def scale(x):\n    return x * 2",
        ],
        [
            "def scale(x):\n    return x * 2",
            "class Model:\n    def fit(self):\n        return scale(3)",
            "m = Model()\nprint(m.fit())",
        ],
        ("AIOS102", 2),
    ),
    case(
        "attribute-of-a-deleted-cell",
        F,
        [cell("import types\ncfg = types.SimpleNamespace()", 1), cell("print(cfg.rate)", 5, printed("3\n"))],
        [
            cell("import types\ncfg = types.SimpleNamespace(rate=3)", 1),
            cell("print(cfg.rate)", 2, printed("3\n")),
        ],
        ("AIOS141", 2),
        run=True,
    ),
    case(
        "helper-that-mutates",
        F,
        ["rows = [1, 2]", "def tidy(items):\n    items.clear()", "tidy(rows)\nprint(rows)"],
        [
            "rows = [1, 2]",
            "def tidy(items):\n    return [i for i in items if i > 1]",
            "kept = tidy(rows)\nprint(kept, rows)",
        ],
        ("AIOS106", 3),
    ),
    case(
        "dictionary-over-a-set",
        F,
        ["regions = {'n', 's'}\ntable = {r: len(r) for r in regions}\nprint(table)"],
        ["regions = {'n', 's'}\ntable = {r: len(r) for r in sorted(regions)}\nprint(table)"],
        ("AIOS124", 1),
    ),
    case(
        "listing-through-a-helper",
        F,
        [
            "import os\ndef inputs(folder):\n    return [f for f in os.listdir(folder) if f.endswith('.csv')]",
            "print(inputs('.'))",
        ],
        [
            "import os\ndef inputs(folder):\n    return sorted(f for f in os.listdir(folder) if f.endswith('.csv'))",
            "print(inputs('.'))",
        ],
        ("AIOS125", 1),
    ),
    case(
        "parameter-ignored-in-a-branch",
        F,
        [
            parameters("day: str = '2026-01-01'"),
            "import datetime as dt\nday = str(dt.date(2026, 2, 1))\nprint(day)",
        ],
        [
            parameters("day: str = '2026-01-01'"),
            "import datetime as dt\nwhen = dt.date.fromisoformat(day)\nprint(when)",
        ],
        ("AIOS406", 2),
    ),
    case(
        "token-in-an-option",
        F,
        [
            "import subprocess\nprint(subprocess.run(['curl', '-H', 'X-Api-Key: 8f14e45fceea167a5a36dedd4bea2543', 'https://x.example'], check=True))"
        ],
        ["import subprocess\nprint(subprocess.run(['curl', '--version'], check=True))"],
        ("AIOS301", 1),
    ),
    case(
        "interpolated-shell",
        F,
        ["city = open('city.txt').read()\n!grep {city} claims.csv"],
        ["city = open('city.txt').read()\nprint([r for r in open('claims.csv') if city in r])"],
        ("AIOS213", 1),
        files={"city.txt": "Ulm", "claims.csv": "Ulm"},
    ),
    case(
        "names-in-a-frame",
        F,
        [
            cell(
                "frame = 1\nframe",
                1,
                printed("      patient_name   phone\n0  Ada King      +49 731 5550100\n"),
            )
        ],
        [cell("frame = 1\nframe", 1, printed("      region   claims\n0  Ulm      731\n"))],
        ("AIOS321", 1),
    ),
    case(
        "sleep-for-ever",
        F,
        ["import time\nwhile not __import__('os').path.exists('ready'):\n    time.sleep(60)\nprint('go')"],
        ["print('go')"],
        ("AIOS144", 1),
    ),
)
