"""Data sets of the nearest-neighbour benchmark: made once, kept in the user's cache folder, never in the repository.

Each is `x` (the vectors), `tune` (queries every method may look at) and `unseen` (queries only the verdict sees).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _peers import clean_env, environment

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aios-bench" / "knn"
HERE = Path(__file__).resolve().parent
QUERIES = 1000  # for tuning, and as many unseen

Arrays = dict[str, np.ndarray]


def clustered(n: int, d: int, clusters: int, directions: int, seed: int) -> np.ndarray:
    """Vectors in clusters of skewed sizes, each along few directions of falling weight, centres in 32 dimensions."""
    r = np.random.default_rng(seed)
    weight = r.pareto(1.2, clusters) + 0.3
    basis = r.standard_normal((32, d)).astype("f4") / np.sqrt(32)
    centres = (r.standard_normal((clusters, 32)).astype("f4") @ basis) * np.float32(0.12)
    scale = np.exp(r.normal(-0.7, 0.35, clusters)).astype("f4")
    label = r.choice(clusters, n, p=weight / weight.sum())
    x = np.empty((n, d), "f4")
    fall = (1 / np.sqrt(1 + np.arange(directions))).astype("f4")
    for c in np.unique(label):
        rows = np.flatnonzero(label == c)
        local = r.standard_normal((directions, d)).astype("f4") / np.sqrt(directions)
        x[rows] = centres[c] + scale[c] * (
            (r.standard_normal((len(rows), directions)).astype("f4") * fall) @ local
        )
    x += 0.05 * r.standard_normal(x.shape, dtype=np.float32)
    return x


def synthetic(small: bool) -> Arrays:
    """(a): 200,000 x 128, clustered."""
    n = 20_000 if small else 200_000
    return _cut(clustered(n + 2 * QUERIES, 128, 1500 if not small else 150, 14, 1))


def stand_in(small: bool) -> Arrays:
    """(b) without a model: 50,000 x 384 with the spectrum of text embeddings, on the unit sphere."""
    x = clustered((10_000 if small else 50_000) + 2 * QUERIES, 384, 400, 20, 2)
    return _cut(x / np.linalg.norm(x, axis=1, keepdims=True))


def text(small: bool) -> Arrays:
    """(b): 43,000 glosses of WordNet embedded by all-MiniLM-L6-v2 (384 dimensions, on the unit sphere)."""
    made = CACHE / "glosses-minilm.npy"
    if not made.exists():
        glosses = CACHE / "glosses.txt"
        if not glosses.exists():
            glosses.parent.mkdir(parents=True, exist_ok=True)
            glosses.write_text("\n".join(wordnet_glosses()[: 43_000 + 2 * QUERIES]))
        _embed(glosses, made)
    x = np.load(made)
    return _cut(x[: 10_000 + 2 * QUERIES] if small else x)


def digits(_small: bool) -> Arrays:
    """(c): scikit-learn's handwritten digits, 1,797 x 64."""
    from sklearn.datasets import load_digits

    x = load_digits().data.astype("f4")
    return _cut(x[np.random.default_rng(3).permutation(len(x))], 200)


SETS: dict[str, tuple[str, Callable[[bool], Arrays]]] = {
    "syn128": ("clustered synthetic, 200,000 x 128", synthetic),
    "text384": ("text embeddings, 43,000 x 384", text),
    "syn384": ("synthetic like text, 50,000 x 384", stand_in),
    "digits": ("handwritten digits, 1,397 x 64", digits),
}


def folder(name: str, *, small: bool) -> Path:
    """Return the folder of a data set's .npy files, made when it is not there."""
    at = CACHE / f"{name}{'-small' if small else ''}"
    if not (at / "complete").exists():
        print(f"making {at.name} ...", file=sys.stderr, flush=True)
        found = SETS[name][1](small)
        at.mkdir(parents=True, exist_ok=True)
        for key, values in found.items():
            np.save(at / f"{key}.npy", np.ascontiguousarray(values, "f4"))
        (at / "complete").touch()
    return at


def _cut(x: np.ndarray, queries: int = QUERIES) -> Arrays:
    n = len(x) - 2 * queries
    return {"x": x[:n], "tune": x[n : n + queries], "unseen": x[n + queries :]}


# ---------------------------------------------------------------- real texts


def wordnet_glosses() -> list[str]:
    """Return the glosses of WordNet 3.0 in a fixed order; from Debian's package, unpacked without installing it.

    Raises
    ------
    RuntimeError
        When it is not to be had here.
    """
    place = Path("/usr/share/wordnet")
    with tempfile.TemporaryDirectory(prefix="aios-wordnet-") as at:
        if not (place / "data.noun").exists():
            if not shutil.which("apt-get") or not shutil.which("dpkg"):
                raise RuntimeError(
                    "WordNet's files are not in /usr/share/wordnet, and apt-get cannot fetch them"
                )
            subprocess.run(
                ["apt-get", "download", "-q", "wordnet-base"], cwd=at, capture_output=True, check=False
            )
            found = list(Path(at).glob("wordnet-base*.deb"))
            if not found:
                raise RuntimeError("apt-get has no package wordnet-base")
            subprocess.run(["dpkg", "-x", str(found[0]), at], check=True, capture_output=True)
            place = Path(at) / "usr/share/wordnet"
        lines = [
            line
            for part in ("noun", "verb", "adj", "adv")
            for line in (place / f"data.{part}").read_text(encoding="latin-1").splitlines()
            if " | " in line
        ]
    glosses = [re.sub(r'; "[^"]*"', "", line.split(" | ", 1)[1]).strip() for line in lines]
    glosses = list(dict.fromkeys(g for g in glosses if len(g) > 20))
    order = np.random.default_rng(0).permutation(len(glosses))
    return [glosses[i] for i in order]


def _embed(glosses: Path, to: Path) -> None:
    """Embed texts in an environment of its own; raise RuntimeError when there can be none."""
    python = environment("knn-embed", HERE / "peers" / "knn_embed.txt", deps=False)
    command = [python, str(HERE / "peers" / "knn_embed.py"), str(glosses), str(to)]
    done = subprocess.run(command, env=clean_env(), check=False)
    if done.returncode:
        raise RuntimeError(f"embedding ended with code {done.returncode}")
