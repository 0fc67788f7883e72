"""What gives other values in the next run."""

from __future__ import annotations

from corpus.kit import case, cell, printed

F = "non-determinism"

CASES = (
    case(
        "numpy-unseeded",
        F,
        ["import numpy as np", "x = np.random.rand(3)\nprint(x)"],
        ["import numpy as np\nnp.random.seed(7)", "x = np.random.rand(3)\nprint(x)"],
        ("AIOS121", 2),
    ),
    case(
        "generator-unseeded",
        F,
        ["import numpy as np\nrng = np.random.default_rng()\nprint(rng.normal())"],
        ["import numpy as np\nrng = np.random.default_rng(7)\nprint(rng.normal())"],
        ("AIOS121", 1),
    ),
    case(
        "random-unseeded",
        F,
        ["import random\nprint(random.choice(['a', 'b']))"],
        ["import random\nrng = random.Random(3)\nprint(rng.choice(['a', 'b']))"],
        ("AIOS121", 1),
    ),
    case(
        "split-unseeded",
        F,
        [
            "from sklearn.model_selection import train_test_split",
            "a, b = train_test_split(list(range(9)))\nprint(a, b)",
        ],
        [
            "from sklearn.model_selection import train_test_split",
            "a, b = train_test_split(list(range(9)), random_state=1)\nprint(a, b)",
        ],
        ("AIOS121", 2),
    ),
    case(
        "sample-unseeded",
        F,
        ["import pandas as pd\ndf = pd.DataFrame({'a': range(9)})\nprint(df.sample(3))"],
        ["import pandas as pd\ndf = pd.DataFrame({'a': range(9)})\nprint(df.sample(3, random_state=1))"],
        ("AIOS121", 1),
    ),
    case(
        "clock",
        F,
        ["import datetime as dt\nday = dt.date.today()\nprint(day)"],
        ["import datetime as dt\nday = dt.date(2026, 1, 31)\nprint(day)"],
        ("AIOS122", 1),
    ),
    case(
        "measured-time",
        F,
        ["import time\nprint('ran at', time.time())"],
        [
            "import time\nstart = time.time()\ntotal = sum(range(9))\nprint(total)\nprint(f'{time.time() - start:.1f} s')"
        ],
        ("AIOS122", 1),
    ),
    case(
        "uuid",
        F,
        ["import uuid\nbatch = uuid.uuid4()\nprint(batch)"],
        ["import uuid\nbatch = uuid.uuid5(uuid.NAMESPACE_URL, 'claims')\nprint(batch)"],
        ("AIOS123", 1),
    ),
    case(
        "set-to-list",
        F,
        ["cities = ['Ulm', 'Bonn', 'Ulm']\nunique = list(set(cities))\nprint(unique)"],
        ["cities = ['Ulm', 'Bonn', 'Ulm']\nunique = sorted(set(cities))\nprint(unique, len(set(cities)))"],
        ("AIOS124", 1),
    ),
    case(
        "loop-over-set",
        F,
        ["tags = {'a', 'b'}\nfor tag in tags:\n    print(tag)"],
        ["tags = {'a', 'b'}\nfor tag in sorted(tags):\n    print(tag)\nprint('a' in tags)"],
        ("AIOS124", 1),
    ),
    case(
        "listdir",
        F,
        ["import os\nfor name in os.listdir('.'):\n    print(name)"],
        ["import os\nfor name in sorted(os.listdir('.')):\n    print(name)"],
        ("AIOS125", 1),
    ),
    case(
        "glob",
        F,
        ["from pathlib import Path\nfiles = list(Path('in').glob('*.csv'))\nprint(files)"],
        [
            "from pathlib import Path\nfiles = sorted(Path('in').glob('*.csv'))\nprint(files, len(list(Path('in').glob('*.csv'))))"
        ],
        ("AIOS125", 1),
    ),
    # what only a run shows
    case(
        "flaky-output",
        F,
        [cell("import os\nprint(int.from_bytes(os.getrandom(4)))", 1, printed("42\n"))],
        [cell("import os\nprint(len(os.getrandom(4)))", 1, printed("4\n"))],
        ("AIOS143", 1),
        run=True,
    ),
    case(
        "stale-output",
        F,
        [cell("total = sum([1, 2, 3])\nprint('total', total)", 1, printed("total 7\n"))],
        [cell("total = sum([1, 2, 3])\nprint('total', total)", 1, printed("total 6\n"))],
        ("AIOS142", 1),
        run=True,
    ),
    case(
        "fails-at-run-time",
        F,
        [cell("rows = {}", 1), cell("print(rows['a'])", 2, printed("1\n"))],
        [cell("rows = {'a': 1}", 1), cell("print(rows['a'])", 2, printed("1\n"))],
        ("AIOS141", 2),
        run=True,
    ),
    case(
        "only-noise-differs",
        F,
        [
            cell(
                "import time\nprint('loss 0.5 after 1.2 s at 2026-01-02 03:04:05')\nprint(object())\nprint('n', 3)",
                1,
                printed(
                    "loss 0.4 after 9.9 s at 2025-01-02 03:04:05\n<object object at 0x7f0000000000>\nn 3\n"
                ),
            )
        ],
        [
            cell(
                "import time\nprint('loss 0.5 after 1.2 s at 2026-01-02 03:04:05')\nprint(object(), time.strftime.__name__)\nprint('n', 3)",
                1,
                printed(
                    "loss 0.5 after 9.9 s at 2025-01-02 03:04:05\n<object object at 0x7f0000000000> strftime\nn 3\n"
                ),
            )
        ],
        ("AIOS142", 1),
        ("AIOS111", 1),
        run=True,
    ),
)
