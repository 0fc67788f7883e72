"""Texts: how long they are, which words they use, which of them are new, and whether they can be told apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.drift import embedding
from aios_workbench.drift.classifier import told_apart
from aios_workbench.drift.columns import column
from aios_workbench.drift.encode import alone, some
from aios_workbench.drift.models import Categories, Category, ColumnDrift, Side, Statistic
from aios_workbench.drift.tables import NumberTable
from aios_workbench.errors import DriftInputError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from aios_workbench.drift.tables import Floats

#: Texts of a side that are read.
MOST_ROWS = 3_000
#: Characters of a text that are read.
MOST_CHARACTERS = 20_000
#: Words that are compared.
MOST_WORDS = 5_000
#: Words told: those whose share of texts moved most.
TOLD = 30
#: How many texts must have a word for it to be told: no single text is shown.
LEAST_TEXTS = 10
_PERMUTATIONS = 200
_LEAST_ROWS = 10
#: Kana, Han, Hangul and Thai: scripts (but for Hangul) that set no spaces between words.
_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f"
#: A word; in those scripts a character.
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


def parts(
    name: str,
    reference: pd.Series,
    current: pd.Series,
    *,
    embedder: Callable[[list[str]], npt.ArrayLike] | None = None,
    seed: int = 0,
) -> list[ColumnDrift]:
    """Compare a column of texts by its parts.

    length
        Characters.
    words
        How many.
    vocabulary
        In what share of the texts each word is; the Jensen-Shannon distance of both sides' words with a permutation
        test over the texts (words of one text are not independent). It says what changed; the classifier is the test.
    unknown words
        The share of a text's words that the reference does not have. Which it has is learnt from one half of it, the
        other half is compared: every word of the texts learnt from is known.
    classifier
        How well texts unseen are told apart by their words (logistic regression on TF-IDF).
    meaning
        With an `embedder`: the parts of the texts' vectors.

    Parameters
    ----------
    name : str
        The column's, for messages.
    reference, current : Series
        Texts; nulls are left out. At most `MOST_ROWS` of each side are read.
    embedder : callable, optional
        Given a list of n texts, returns their vectors (n, d).

    Returns
    -------
    list of ColumnDrift
        Verdicts are `judge`'s; none where a side has no text.

    Raises
    ------
    DriftInputError
        When the embedder does not return one vector a text.

    Examples
    --------
    >>> import pandas as pd
    >>> a, b = pd.Series(["a cat sat", "a cat ate"] * 100), pd.Series(["a dog sat", "a cat ate"] * 100)
    >>> [part.name for part in parts("story", a, b)]
    ['length', 'words', 'vocabulary', 'unknown words', 'classifier']
    """
    g = np.random.default_rng(seed)
    texts = [_texts(s, g) for s in (reference, current)]
    if not all(texts):
        return []
    words = [[_WORD.findall(t.lower()) for t in side] for side in texts]
    one, two = (Side(rows=len(t)) for t in texts)
    found = [
        _numbers("length", *([float(len(t)) for t in side] for side in texts)),
        _numbers("words", *([float(len(w)) for w in side] for side in words)),
    ]
    table, known = _table([*words[0], *words[1]])
    if known and min(map(len, texts)) >= _LEAST_ROWS:
        found.append(_vocabulary(table, known, one, two, g))
        found.append(_unknown(words, g))
        told = _classifier(table, len(texts[0]), seed)
        found.append(
            ColumnDrift(
                name="classifier", kind="text", statistics={"domain_auc": told}, reference=one, current=two
            )
        )
    if embedder is not None:
        vectors = [_vectors(name, embedder, side) for side in texts]
        inner, _ = embedding.parts(name, vectors[0], vectors[1], seed=seed)
        found += [part.model_copy(update={"name": f"meaning: {part.name}"}) for part in inner]
    return found


def _texts(column: pd.Series, g: np.random.Generator) -> list[str]:
    there = column[column.notna().to_numpy()]
    return [str(t)[:MOST_CHARACTERS] for t in there.iloc[some(len(there), MOST_ROWS, g)]]


def _numbers(name: str, a: Sequence[float], b: Sequence[float]) -> ColumnDrift:
    return column(name, "feature", "numeric", NumberTable.of(a), NumberTable.of(b), sample_a=a, sample_b=b)


def _table(texts: Sequence[Sequence[str]]) -> tuple[Any, list[str]]:
    """Return how often each text has each word, sparse (texts, words), and the words, the commonest first."""
    from scipy import sparse

    counted = Counter(w for text in texts for w in set(text))
    ordered = sorted((w for w, n in counted.items() if n > 1), key=lambda w: (-counted[w], w))[:MOST_WORDS]
    at = {w: i for i, w in enumerate(ordered)}
    rows, columns, counts = [], [], []
    for row, text in enumerate(texts):
        for word, n in Counter(w for w in text if w in at).items():
            rows.append(row)
            columns.append(at[word])
            counts.append(n)
    return sparse.csr_array(
        (np.array(counts, float), (rows, columns)), shape=(len(texts), len(ordered))
    ), ordered


def _vocabulary(table: Any, words: list[str], one: Side, two: Side, g: np.random.Generator) -> ColumnDrift:
    n, total = one.rows, table.shape[0]
    presence = (table > 0).astype(np.float64)
    everything = np.asarray(presence.sum(axis=0)).ravel()
    pick = np.zeros((1 + _PERMUTATIONS, total))
    pick[0, :n] = 1
    for row in pick[1:]:
        row[g.permutation(total)[:n]] = 1
    first = np.asarray((presence.T @ pick.T).T)
    distances = _jensenshannon(first, everything - first)
    distance, chance = float(distances[0]), distances[1:]
    p_value = (1 + int((chance >= distance - 1e-12).sum())) / (1 + _PERMUTATIONS)
    statistic = Statistic(value=distance, p_value=p_value, method="sample", rows=total)
    before, now = first[0], everything - first[0]
    moved = np.abs(before / n - now / (total - n))
    moved[everything < LEAST_TEXTS] = -1
    order = [i for i in np.argsort(-moved, kind="stable")[:TOLD] if moved[i] >= 0]
    enough = everything >= LEAST_TEXTS
    new, gone = enough & (before == 0), enough & (now == 0)
    shown = Categories(
        values=[Category(label=words[i], reference=int(before[i]), current=int(now[i])) for i in order],
        new=int(new.sum()), gone=int(gone.sum()),
        new_share=_share(presence[n:], new), gone_share=_share(presence[:n], gone),
    )  # fmt: skip
    return ColumnDrift(
        name="vocabulary", kind="text", statistics={"jensenshannon": statistic}, categories=shown,
        reference=one, current=two,
    )  # fmt: skip


def _share(presence: Any, which: npt.NDArray[np.bool_]) -> float:
    """Return the share of texts with any of these words."""
    return float((np.asarray(presence @ which.astype(np.float64)).ravel() > 0).mean())


def _jensenshannon(a: Floats, b: Floats) -> Floats:
    """Return the distance (base 2) of rows of counts."""
    p = a / np.maximum(a.sum(axis=1, keepdims=True), 1)
    q = b / np.maximum(b.sum(axis=1, keepdims=True), 1)
    m = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(p > 0, p * np.log2(p / m), 0) + np.where(q > 0, q * np.log2(q / m), 0)
    distance: Floats = np.sqrt(np.maximum(each.sum(axis=1) / 2, 0))
    return distance


def _unknown(words: Sequence[Sequence[Sequence[str]]], g: np.random.Generator) -> ColumnDrift:
    order = g.permutation(len(words[0]))
    half = len(order) // 2
    known = {w for i in order[:half] for w in words[0][i]}
    shares = [
        [sum(w not in known for w in text) / len(text) for text in side if text]
        for side in ([words[0][i] for i in order[half:]], words[1])
    ]
    return _numbers("unknown words", shares[0], shares[1])


def _classifier(table: Any, n: int, seed: int) -> Statistic:
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression

    # weights are of both sides together: they do not know which side a text is of
    x = TfidfTransformer(sublinear_tf=True).fit_transform(table)
    y = np.arange(table.shape[0]) >= n

    def scorer(fit: Any, test: Any) -> Any:
        with alone():
            return (
                LogisticRegression(solver="liblinear", random_state=seed)
                .fit(x[fit], y[fit])
                .decision_function(x[test])
            )

    return told_apart(y, scorer, seed)


def _vectors(name: str, embedder: Callable[[list[str]], npt.ArrayLike], texts: list[str]) -> Floats:
    try:
        x = np.asarray(embedder(texts), np.float64)
    except (TypeError, ValueError) as error:
        raise DriftInputError(
            f"the embedder of {name!r} returned no array of numbers ({error}); it must return (texts, dimensions)"
        ) from None
    if x.ndim != 2 or len(x) != len(texts):
        raise DriftInputError(
            f"the embedder of {name!r} returned the shape {x.shape} for {len(texts)} texts; "
            "it must return one vector a text"
        )
    return x
