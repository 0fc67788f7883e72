"""Secrets, dangerous calls, and what outputs give away. The keys are made up; none was ever valid."""

from __future__ import annotations

from corpus.kit import case, cell, printed, shown, text

F = "safety"
_AWS = "AKIA" + "QX3ZR7WTPLM5KVB2"
_GITHUB = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
_TABLE = (
    "<table><thead><tr><th></th><th>policy</th><th>email</th></tr></thead><tbody><tr><th>0</th><td>7</td>"
    "<td>ada.king@lovelace-insurance.co.uk</td></tr></tbody></table>"
)

CASES = (
    case(
        "password-in-source",
        F,
        ["import sqlite3\npassword = 'Tr0ub4dor&3x'\nprint(len(password), sqlite3.version_info)"],
        ["import os\npassword = os.environ['DB_PASSWORD']\nprint(len(password))"],
        ("AIOS301", 1),
    ),
    case(
        "aws-key",
        F,
        [f"key_id = '{_AWS}'\nprint(key_id[:4])"],
        ["key_id = 'AKIAIOSFODNN7EXAMPLE'\nprint(key_id[:4])"],
        ("AIOS301", 1),
    ),
    case(
        "token-in-a-header",
        F,
        [f"headers = {{'Authorization': 'token {_GITHUB}'}}\nprint(len(headers))"],
        ["import os\nheaders = {'Authorization': 'token ' + os.environ['GH']}\nprint(len(headers))"],
        ("AIOS301", 1),
    ),
    case(
        "url-with-password",
        F,
        ["url = 'postgresql://ada:Xk92mfPq@db.internal/claims'\nprint(url[:10])"],
        ["url = 'postgresql://db.internal/claims'\nprint(url[:10])"],
        ("AIOS301", 1),
    ),
    case(
        "secret-in-text",
        F,
        [text(f"Use the token `{_GITHUB}` for now."), "print(1)"],
        [text("Ask the team for the token."), "print(1)"],
        ("AIOS301", 1),
    ),
    case(
        "secret-in-output",
        F,
        [cell("import os\nprint(os.environ)", 1, printed(f"environ({{'GH': '{_GITHUB}'}})\n"))],
        [cell("import os\nprint(len(os.environ))", 1, printed("31\n"))],
        ("AIOS302", 1),
    ),
    case(
        "secret-in-metadata",
        F,
        ["print(1)"],
        ["print(1)"],
        ("AIOS303", None),
        metadata={"deploy": {"password": "Tr0ub4dor&3x"}},
    ),
    case(
        "harmless-words",
        F,
        ["api_key = 'q8Zp2LxV7nRt4WcK9'\nprint(len(api_key))"],
        [
            "token_column = 'input_ids'\nsha = 'd41d8cd98f00b204e9800998ecf8427e'\nmodel = 'sentence-transformers/all-MiniLM-L6-v2'\n"
            "password = 'changeme'\nsecret = '<your secret here>'\nprint(token_column, sha, model, password, secret)"
        ],
        ("AIOS301", 1),
    ),
    case(
        "eval",
        F,
        ["text = open('rule.txt').read()\nprint(eval(text))"],
        ["import ast\ntext = open('rule.txt').read()\nprint(ast.literal_eval(text), eval('1 + 1'))"],
        ("AIOS311", 1),
        files={"rule.txt": "[1]"},
    ),
    case(
        "pickle",
        F,
        ["import pickle\nprint(pickle.load(open('model.pkl', 'rb')))"],
        [
            "import pickle\nwith open('cache.pkl', 'wb') as f:\n    pickle.dump([1], f)",
            "print(pickle.load(open('cache.pkl', 'rb')))",
        ],
        ("AIOS312", 1),
        files={"model.pkl": "x"},
    ),
    case(
        "shell-true",
        F,
        ["import subprocess\nwho = 'ada'\nprint(subprocess.run(f'echo {who}', shell=True).returncode)"],
        ["import subprocess\nwho = 'ada'\nprint(subprocess.run(['echo', who], check=True).returncode)"],
        ("AIOS313", 1),
    ),
    case(
        "os-system",
        F,
        ["import os\nos.system('rm -rf out')"],
        ["import shutil\nshutil.rmtree('out', ignore_errors=True)"],
        ("AIOS313", 1),
    ),
    case(
        "yaml-load",
        F,
        ["import yaml\nprint(yaml.load(open('a.yml').read(), Loader=yaml.Loader))"],
        ["import yaml\nprint(yaml.safe_load(open('a.yml').read()), yaml.load('1', Loader=yaml.SafeLoader))"],
        ("AIOS314", 1),
        files={"a.yml": "a: 1\n"},
    ),
    case(
        "no-verification",
        F,
        ["import requests\nprint(requests.get('https://10.0.0.1/x', verify=False, timeout=3).text)"],
        ["import ssl\nprint(ssl.create_default_context().check_hostname)"],
        ("AIOS315", 1),
        ("AIOS208", 1),
    ),
    case(
        "sql-by-f-string",
        F,
        [
            "import sqlite3\ncon = sqlite3.connect(':memory:')",
            "who = open('who.txt').read()\nprint(con.execute(f\"select * from claims where name = '{who}'\").fetchall())",
        ],
        [
            "import sqlite3\ncon = sqlite3.connect(':memory:')",
            "who = open('who.txt').read()\nprint(con.execute('select * from claims where name = ?', (who,)).fetchall())",
        ],
        ("AIOS316", 2),
        files={"who.txt": "ada"},
    ),
    case(
        "personal-data",
        F,
        [
            cell(
                "frame = 1\nframe",
                1,
                shown("   policy  email\n0  7  ada.king@lovelace-insurance.co.uk", _TABLE),
            )
        ],
        [
            cell(
                "frame = 1\nframe",
                1,
                shown("   policy  n\n0  7  3", "<table><tr><th>policy</th></tr><tr><td>7</td></tr></table>"),
            )
        ],
        ("AIOS321", 1),
    ),
    case(
        "iban-in-output",
        F,
        [cell("print('x')", 1, printed("paid to DE89370400440532013000\n"))],
        [cell("print('x')", 1, printed("paid to email_8eb47abceba007ca, 4711 1234 5678, 10.5\n"))],
        ("AIOS321", 1),
    ),
    case(
        "large-output",
        F,
        [cell("print('x')", 1, printed("row\n" * 300_000))],
        [cell("print('x')", 1, printed("row\n" * 30))],
        ("AIOS322", 1),
    ),
)
