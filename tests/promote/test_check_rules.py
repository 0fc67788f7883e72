"""Near misses of every family: what looks like a finding and is none; and rules that no small notebook can show."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from check_kit import book_of, findings, rules

from aios_workbench.errors import NotFoundError
from aios_workbench.promote.checks import all_rules, inspect, rule
from aios_workbench.promote.checks.cleanrun import CleanRun
from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.fit import find as fit
from aios_workbench.promote.checks.secrets import secrets_in
from aios_workbench.promote.spec import JobSpec


def test_the_registry() -> None:
    made = all_rules()
    assert len({r.id for r in made}) == len({r.name for r in made}) == len(made)
    assert all(
        re.fullmatch(r"AIOS[0-4]\d\d", r.id) and r.what.endswith(".") and r.why.endswith(".") for r in made
    )
    assert rule("aios203") is rule("absolute-path")
    with pytest.raises(NotFoundError, match="did you mean 'absolute-path'"):
        rule("absolut-path")


NEAR_MISSES = [
    # hidden state
    "x = 1\nx = 2\nprint(x)",
    "import json as js\njs_text = js.dumps({})\nprint(js_text)",
    "rows = []\nrows.append(1)\nrows += [2]\nprint(rows)",
    "df = {}\ndf['a'] = 1\ndf['a'] = df['a'] + 1\nprint(df)",
    "for _ in range(3):\n    print('x')",
    "from __future__ import annotations\nprint(1)",
    # order and chance
    "import numpy as np\nrng = np.random.default_rng(seed=1)\nprint(rng.random())",
    "import random\nrandom.seed(1)\nprint(random.random())",
    "import numpy as np\nprint(np.random.Generator, np.random.get_state()[0])",
    "import random\nprint(random.Random(1).sample([1, 2], 1))",
    "print(sorted({'a', 'b'}), len({'a'}), 'a' in {'a'}, max({'a'}), {'a'} | {'b'} == {'a', 'b'})",
    "print([x for x in {1, 2, 3}])",
    "import os\nnames = os.listdir('.')\nnames.sort()\nprint(names)",
    "from pathlib import Path\nprint(any(Path('.').iterdir()), len(list(Path('.').glob('*.x'))))",
    "import time\nt = time.time()\nprint(time.time() - t)",
    "from sklearn.linear_model import LinearRegression\nprint(LinearRegression())",
    "from sklearn.model_selection import KFold\nprint(KFold(3))",
    "seen = set()\nfor x in seen:\n    seen.discard(x)",
    # completeness
    "import os, sys, json\nprint(os, sys, json)",
    "urls = ['https://x.org/home/a', '/', 'and/or', '/api/v1', 'a/home/b', '~', '~approximately']\nprint(urls)",
    '"""Reads /home/ada/claims.csv when it is there."""\nprint(1)',
    "with open('made.txt', 'w') as f:\n    f.write('x')\nprint(open('made.txt').read())",
    "from pathlib import Path\np = Path('cache.json')\nif p.exists():\n    print(p.read_text())",
    "import pandas as pd\nprint(pd.read_json('[1]'))",
    "name = 'x'\nprint(open(f'{name}.csv', 'w').name)",
    "from urllib.parse import quote\nprint(quote('a b'))",
    "def input_rows(): return []\nprint(input_rows())",
    "import http\nprint(http.HTTPStatus.OK)",
    # safety
    "import ast\nprint(ast.literal_eval('[1]'))",
    "import re\nprint(re.compile('a').match('a'), eval('1 + 1'))",
    "import subprocess\nprint(subprocess.run(['true'], shell=False, check=True).returncode)",
    "import yaml\nprint(yaml.safe_load('a: 1'), yaml.load('1', yaml.SafeLoader))",
    "import numpy as np\nnp.save('a.npy', np.ones(2))\nprint(np.load('a.npy'))",
    "import sqlite3\ncon = sqlite3.connect(':memory:')\nTABLE = 'claims'\nprint(con.execute(f'select * from {TABLE}'))",
    "print(f'select a row from {1 + 1} tables')",
    "password = None\ntoken = ''\nsecret_name = 'claims/db'\nprint(password, token, secret_name)",
    "import os\nAPI_KEY = os.environ['API_KEY']\nprint(len(API_KEY), os.getenv('DB_PASSWORD'))",
    "checksum = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'\nprint(checksum)",
]


@pytest.mark.parametrize("source", NEAR_MISSES)
def test_near_misses(tmp_path: Path, source: str) -> None:
    assert rules(tmp_path, source) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import numpy.random as npr\nprint(npr.rand(2))", "AIOS121"),
        ("from random import shuffle\nrows = [1, 2]\nshuffle(rows)\nprint(rows)", "AIOS121"),
        ("from random import randint as dice\nprint(dice(1, 6))", "AIOS121"),
        ("import torch\nprint(torch.randn(2))", "AIOS121"),
        ("from datetime import datetime\nprint(datetime.now())", "AIOS122"),
        ("import pandas as pd\nprint(pd.Timestamp.now())", "AIOS122"),
        ("names = ['a']\nprint(', '.join(set(names)))", "AIOS124"),
        ("from glob import glob\nprint(glob('*.csv'))", "AIOS125"),
        ("import os\ndef f():\n    os.chdir('x')\nf()", "AIOS205"),
        ("print(input())", "AIOS209"),
        ("import pdb; pdb.set_trace()\nprint(1)", "AIOS210"),
        ("%debug", "AIOS210"),
        ("%%bash\npip install numpy\necho done", "AIOS212"),
        ("%conda install numpy", "AIOS212"),
        ("import boto3\nprint(boto3.client('s3'))", "AIOS208"),
        ("import pandas as pd\nprint(pd.read_csv('https://x.example/a.csv'))", "AIOS208"),
        ("from subprocess import check_output as co\nprint(co('ls | wc', shell=True))", "AIOS313"),
        ("import joblib\nprint(joblib.load('m.joblib'))", "AIOS312"),
        ("import torch\nprint(torch.load('m.pt'))", "AIOS312"),
        ("import numpy as np\nprint(np.load('a.npy', allow_pickle=True))", "AIOS312"),
        ("import ssl\nprint(ssl._create_unverified_context())", "AIOS315"),
        ("who = open('w.txt').read()\nprint(con.execute('select * from t where a = ' + who))", "AIOS316"),
        ("who = open('w.txt').read()\nprint(con.execute('select * from t where a = %s' % who))", "AIOS316"),
        (
            "who = open('w.txt').read()\nsql = 'delete from t where a = {}'.format(who)\nprint(con.execute(sql))",
            "AIOS316",
        ),
        ("exec(open('a.py').read())", "AIOS311"),
    ],
)
def test_other_spellings(tmp_path: Path, source: str, expected: str) -> None:
    assert expected in {f.rule for f in findings(tmp_path, source)}


@pytest.mark.parametrize("source", [
    "def ask():\n    return input()\nprint(ask)", "import sys\nif sys.stdin.isatty():\n    print(input())",
    "try:\n    name = input()\nexcept Exception:\n    name = 'x'\nprint(name)",
])  # fmt: skip
def test_input_that_may_not_be_asked_for_is_a_warning(tmp_path: Path, source: str) -> None:
    (found,) = [f for f in findings(tmp_path, source) if f.rule == "AIOS209"]
    assert found.severity == "warning"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("aws_secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzkeyAbCdE'", True),
        ("-----BEGIN RSA PRIVATE KEY-----", True),
        ("slack = 'xoxb-" + "123456789012-123456789012-abcdefghijklmnopqrstuvwx'", True),
        ("conn = 'mysql://root:hunter22x@db/claims'", True),
        ("conn = 'mysql://root:{password}@db/claims'", False),
        ("password = getpass('password: ')", False),
        ("password=os.environ['PASSWORD'],", False),
        ("tokens = 'the quick brown fox'", False),
        ("commit = '3f786850e387550fdab836ed7e6dc881de23001b'", False),
        ("key = 'customer_id'", False),
    ],
)
def test_secrets(line: str, found: bool) -> None:
    assert bool(secrets_in([line])) == found


def test_a_secret_is_never_repeated(tmp_path: Path) -> None:
    secret = "Tr0ub4dor&3x"
    said = json.dumps(
        [f.to_dict() for f in findings(tmp_path, f"password = '{secret}'\nprint(len(password))")]
    )
    assert "AIOS301" in said
    assert secret not in said


# ---------------------------------------------------------------- what needs a run, or a file


def of_run(spec: dict[str, Any], **run: Any) -> set[str]:
    made = CleanRun(
        **{"status": "succeeded", "seconds": 60.0, "peak_bytes": 10**9, "memory_limit": 16 * 10**9, **run}
    )
    ctx = Context(
        Path("n.ipynb"), book_of("print(1)"), JobSpec(name="n", notebook="n.ipynb", **spec), run=made
    )
    return {f.rule for f in fit(ctx)}


@pytest.mark.parametrize(
    ("spec", "run", "expected"),
    [
        ({"schedule": "* * * * *"}, {"seconds": 61.0}, {"AIOS413"}),
        ({"schedule": "* * * * *"}, {"seconds": 59.0}, set()),
        ({"schedule": "0,1 6 * * *"}, {"seconds": 90.0}, {"AIOS413"}),
        ({"timeout": "60s"}, {"seconds": 50.0}, {"AIOS414"}),
        ({"timeout": "10m"}, {"seconds": 50.0}, set()),
        ({}, {"peak_bytes": 14 * 10**9}, {"AIOS415"}),
        ({}, {"peak_bytes": None}, set()),
    ],
)
def test_time_and_memory_seen(spec: dict[str, Any], run: dict[str, Any], expected: set[str]) -> None:
    assert of_run(spec, **run) == expected


@pytest.mark.parametrize(
    ("schedule", "zone", "said"),
    [
        ("30 2 * * *", "Europe/Berlin", r"02:30 is skipped by the clock on \S+ and shown twice on"),
        ("30 1 * * *", "America/New_York", "01:30 is shown twice on"),
        ("30 2 * * *", "UTC", ""),
        ("30 2 * * *", "Asia/Tokyo", ""),
        ("*/30 * * * *", "Europe/Berlin", ""),
        ("0 3 * * *", "Europe/Berlin", ""),
    ],
)
def test_clock_changes(tmp_path: Path, schedule: str, zone: str, said: str) -> None:
    found = findings(tmp_path, "print(1)", spec={"schedule": schedule, "timezone": zone})
    assert [f.rule for f in found] == (["AIOS412"] if said else [])
    assert re.search(said, found[0].message if found else "")


def test_another_language_and_a_cell_too_large(tmp_path: Path) -> None:
    book = book_of("x <- 1")
    book.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    assert "AIOS002" in {f.rule for f in findings(tmp_path, book=book)}
    (found,) = findings(tmp_path, "print(1)", f"rows = '{'x' * 1_000_001}'")
    assert (found.rule, found.severity, found.cell) == ("AIOS008", "error", 2)


def test_what_is_read_is_listed_by_hash(tmp_path: Path) -> None:
    (tmp_path / "claims.csv").write_text("a\n1\n")
    (tmp_path / "tools.py").write_text("import more\n")
    (tmp_path / "more.py").write_text("x = 1\n")
    path = tmp_path / "n.ipynb"
    book = book_of(
        "import pandas as pd\nimport tools\nprint(pd.read_csv('claims.csv'), tools)", parameters="n: int = 3"
    )
    nbformat.write(book, path)
    seen = inspect(path)
    assert [(d.path, d.bytes, d.cell, d.line) for d in seen.data] == [("claims.csv", 4, 2, 3)]
    assert list(seen.modules) == ["more.py", "tools.py"]
    before = dict(seen.modules), seen.data[0].sha256
    (tmp_path / "more.py").write_text("x = 2\n")
    (tmp_path / "claims.csv").write_text("a\n2\n")
    again = inspect(path)
    assert again.modules["more.py"] != before[0]["more.py"]
    assert again.modules["tools.py"] == before[0]["tools.py"]
    assert again.data[0].sha256 != before[1]
    assert seen.schema["properties"] == {"n": {"type": "integer", "default": 3}}
