"""Which words made a model say what it says of a text: SHAP and LIME over the same words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.masked import Item, Masked, Way, meaning
from aios_workbench.explain.models import Column, ModelInfo

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.masked import Masks

#: What lies between words, as lime has it.
SPLIT = r"\W+"
#: lime's kernel for texts: cosine distance times 100.
DISTANCE, WIDTH = 100.0, 25.0
#: An explanation holds a number for each text, word and output; more of them are refused.
NUMBERS = 8_000_000


def explain_text(
    predict: Callable[[list[str]], Any],
    texts: str | Sequence[str],
    *,
    outputs: Sequence[str] | None = None,
    lime: bool = True,
    split: str = SPLIT,
    samples: int = 1_000,
    most: int = 4_000,
    seeds: Sequence[int] = (0, 1, 2),
    top: int = 5,
    stable: float = 0.8,
    tolerance: float = 0.05,
    seconds: float | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float, str], None] | None = None,
    batch: int | None = None,
    name: str = "",
    seed: int = 0,
) -> Explanation:
    r"""Explain texts by leaving words out.

    A word is one thing wherever it stands in a text, as in lime; the columns of the explanation are the words of all
    texts, their values how often they occur. SHAP's base is the answer to the empty text.

    Parameters
    ----------
    predict : callable
        Takes a list of texts, returns (texts, K) or (texts,); of two probabilities the second is explained.
    texts : str or sequence of str
    outputs : sequence of str, optional
        Names of the K outputs.
    split : str
        A regular expression of what lies between words.
    samples, most : int
        LIME's samples a seed to begin with, and at most.
    tolerance, seconds, cancelled, progress, batch, seed
        As for `aios_workbench.explain.sampling.shapley`.
    seeds, top, stable
        As for `aios_workbench.explain.lime_tabular.lime`; with one seed, and `most` equal to `samples`, LIME's
        contributions are those of lime 0.2.0.1.

    Returns
    -------
    Explanation
        `extra["tokens"]` has, for each text, its pieces in order: (piece, word or None).

    Raises
    ------
    ExplainInputError
        When there are no texts, or too many words in them.
    ModelFailed
        When the model raises or answers something that is no prediction.

    Examples
    --------
    >>> found = explain_text(lambda texts: [t.count("bad") * -1.0 for t in texts], ["a bad, bad day"])
    >>> found.row(0).contributions[0].column, found.row(0).contributions[0].shap
    ('bad', -2.0)
    """
    import numpy as np
    import pandas as pd

    from aios_workbench.explain.assemble import assemble

    given: list[Any] = [texts] if isinstance(texts, str) else list(texts)
    if not given:
        raise ExplainInputError("there are no texts to explain")
    for i, text in enumerate(given):
        if not isinstance(text, str):
            raise ExplainInputError(f"row {i} is no text but {type(text).__name__}; give strings")
    pieces = [_pieces(text, split) for text in given]
    words = list(dict.fromkeys(word for text in pieces for _, word in text if word is not None))
    if not words:
        raise ExplainInputError(
            f"none of the {len(given)} texts has a word in it; see `split`, now {split!r}"
        )
    if len(given) * len(words) > NUMBERS:
        raise ExplainInputError(
            f"{len(given):,} texts with {len(words):,} different words are too many at once; explain fewer at a time"
        )
    place = {word: j for j, word in enumerate(words)}
    items = [_item(text, place) for text in pieces]
    way = (
        Way(_draw, DISTANCE, WIDTH, samples, max(most, samples), tuple(seeds), top, stable) if lime else None
    )
    run = Masked(
        predict, items, len(words), way,
        tolerance=tolerance, seed=seed, seconds=seconds, cancelled=cancelled, progress=progress, batch=batch,
    )  # fmt: skip
    run.go()
    task, scale, names, keep = meaning(run.whole(), outputs)
    arrays = run.arrays(keep)
    done = len(arrays.values)
    counts = np.zeros((done, len(words)), dtype=np.int64)
    for i, text in enumerate(pieces[:done]):
        for _, word in text:
            if word is not None:
                counts[i, place[word]] += 1
    method, local = run.infos("word", "the empty text")
    notes = [] if done == len(given) else [f"{done:,} of {len(given):,} texts were explained before the end."]
    found = assemble(
        arrays,
        columns=[
            Column(name=word, kind="numeric", low=0.0, high=float(counts[:, j].max()), whole=True)
            for j, word in enumerate(words)
        ],
        outputs=names, task=task, scale=scale, method=method, lime=local, subject="text", name=name, notes=notes,
        model=ModelInfo(type=type(predict).__name__, title=getattr(predict, "__name__", type(predict).__name__)),
        frame=pd.DataFrame(counts, columns=words), seconds=method.seconds,
    )  # fmt: skip
    found.extra["tokens"] = pieces[:done]
    return found


def _pieces(text: str, split: str) -> list[tuple[str, str | None]]:
    """Cut a text as lime does: its words, and what is between them with None."""
    splitter = re.compile(f"({split})|$")
    found = [piece for piece in splitter.split(text) if piece]
    return [(piece, None if splitter.match(piece) else piece) for piece in found]


def _item(pieces: list[tuple[str, str | None]], place: dict[str, int]) -> Item:
    words = list(dict.fromkeys(word for _, word in pieces if word is not None))
    at = {word: j for j, word in enumerate(words)}
    parts = [(piece, None if word is None else at[word]) for piece, word in pieces]

    def render(masks: Masks) -> list[str]:
        # with no word left it is the empty text for all texts, so that they have one base
        return [
            "".join(piece for piece, j in parts if j is None or mask[j]) if mask.any() or not words else ""
            for mask in masks
        ]

    return Item([place[word] for word in words], render)


def _draw(parts: int, samples: int, random: Any) -> Masks:
    """Leave out words as lime 0.2.0.1 does: how many, then which."""
    import numpy as np

    masks = np.ones((samples, parts), dtype=bool)
    for i, size in enumerate(random.randint(1, parts + 1, samples - 1), start=1):
        masks[i, random.choice(range(parts), size, replace=False)] = False
    return masks
