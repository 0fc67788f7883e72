"""Texts and images are explained by hiding parts of them: what lime itself says, what Shapley values must be."""

from __future__ import annotations

import base64
import io
import re
import warnings

import numpy as np
import pytest

from aios_workbench.errors import ExplainInputError, ModelFailed
from aios_workbench.explain.image import explain_image
from aios_workbench.explain.text import explain_text

TEXTS = ["this is a bad bad movie with good actors", "good <img src=x onerror=alert(1)> fun", "bad"]


def moods(texts):
    """Probabilities of two classes: words that count, and a pair that counts together."""
    score = np.array([-1.0 * t.count("bad") + 0.7 * ("good" in t and "actors" in t) for t in texts])
    good = 1 / (1 + np.exp(-score))
    return np.c_[1 - good, good]


def test_words_of_texts_are_the_columns():
    found = explain_text(moods, TEXTS, outputs=["sad", "glad"], samples=300, most=300)
    assert found.data.subject == "text"
    assert (found.data.task, found.data.scale, found.data.outputs) == ("binary", "probability", ["glad"])
    assert found.columns[:4] == ["this", "is", "a", "bad"]
    assert found.row(0).contributions[0].column == "bad"
    assert found.frame["bad"].tolist() == [2, 0, 1]
    # what a text does not say has no part in it
    absent = found.columns.index("fun")
    assert found.values[0, absent] == found.arrays.lime[0, absent, 0] == 0
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, moods(TEXTS)[:, 1], atol=1e-12)
    assert found.base == 0.5


def test_a_pair_of_words_shares_its_credit_and_a_decoy_gets_nothing():
    found = explain_text(
        lambda ts: [float("red" in t and "blue" in t) for t in ts], "red green blue", lime=False
    )
    assert dict(zip(found.columns, found.values[0].round(12), strict=True)) == {
        "red": 0.5,
        "green": 0,
        "blue": 0.5,
    }
    assert found.data.lime is None
    assert found.data.task == "regression"


def test_texts_can_be_put_together_again_piece_by_piece():
    found = explain_text(moods, TEXTS, lime=False)
    assert ["".join(piece for piece, _ in text) for text in found.extra["tokens"]] == TEXTS
    named = {word for text in found.extra["tokens"] for _, word in text if word is not None}
    assert named == set(found.columns)


@pytest.mark.parametrize("seed", [0, 5])
def test_text_is_lime(seed):
    from lime.lime_text import LimeTextExplainer

    found = explain_text(moods, TEXTS, samples=400, most=400, seeds=[seed])
    for i, text in enumerate(TEXTS[:2]):
        theirs = LimeTextExplainer(random_state=seed).explain_instance(
            text, moods, num_features=30, num_samples=400
        )
        for word, value in theirs.as_list():
            ours = found.arrays.lime[i, found.columns.index(word), 0]
            assert ours == pytest.approx(value, abs=1e-12)
        assert found.arrays.lime_r2[i, 0] == pytest.approx(theirs.score, abs=1e-12)


def test_no_text_is_asked_twice():
    asked = []

    def seen(texts):
        asked.extend(texts)
        return moods(texts)

    found = explain_text(seen, TEXTS[0])
    # 8 words have 256 subsets at most; the word that occurs twice is hidden everywhere at once
    assert len(asked) == found.data.method.evaluations <= 256
    assert not any(t.count("bad") == 1 for t in asked)


def test_blank_texts_beside_others():
    found = explain_text(lambda ts: [len(t) * 1.0 for t in ts], ["", "  ", "word"], samples=50, most=50)
    assert found.values.tolist() == [[0], [0], [4]]
    # spaces without a word are no part that could be hidden: the gap is told
    assert [found.row(i).gap for i in range(3)] == [0, 2, 0]
    assert next(c for c in found.check if c.name == "additivity").level != "ok"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "no texts"),
        (["a", 3], "row 1 is no text but int"),
        (["...", ""], "none of the 2 texts has a word"),
    ],
)
def test_what_is_no_text_is_refused(texts, words):
    with pytest.raises(ExplainInputError, match=words):
        explain_text(moods, texts)


def test_names_that_do_not_fit_the_outputs():
    with pytest.raises(ExplainInputError, match="2 outputs, and 1 names"):
        explain_text(moods, "bad", outputs=["one"])


def test_a_model_that_fails_names_the_text():
    def picky(texts):
        if any("fun" in t for t in texts):
            raise ValueError("no")
        return moods(texts)

    with pytest.raises(ModelFailed, match="row 1 with parts of it hidden: no"):
        explain_text(picky, TEXTS)


def test_told_to_stop_whole_texts_are_kept():
    calls = []

    def enough():
        calls.append(1)
        return len(calls) > 9

    found = explain_text(moods, [*TEXTS, *TEXTS], cancelled=enough, samples=100, most=100)
    assert 0 < found.data.rows < 6
    assert found.data.method.stopped == "cancelled"
    assert any(re.search("of 6 texts were explained", note) for note in found.data.notes)
    with pytest.raises(ExplainInputError, match="nothing was explained"):
        explain_text(moods, TEXTS, cancelled=lambda: True)


# -- images

IMAGES = np.random.default_rng(0).random((2, 16, 16, 3))
IMAGES[0, 4:8, 4:8] = 3
GRID = np.arange(16)[:, None] // 4 * 4 + np.arange(16)[None] // 4


def looks(images):
    return np.c_[images[:, 4:8, 4:8].mean(axis=(1, 2, 3)), -images[:, 0, 0, 0]]


def test_pieces_of_images_are_the_columns():
    found = explain_image(looks, IMAGES, segments=4, hide=0.5, samples=200, most=200)
    assert found.data.subject == "image"
    assert found.data.outputs == ["0", "1"]
    first = found.row(0, output=0).contributions[0]
    assert (first.column, first.shap) == ("row 2, column 2", pytest.approx(2.5))
    assert np.abs(found.arrays.values[0, :, 0]).sum() == pytest.approx(2.5)
    np.testing.assert_allclose(
        found.arrays.values.sum(axis=1) + found.arrays.base, found.arrays.predictions, atol=1e-12
    )


def test_an_image_is_lime(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lime.lime_image import LimeImageExplainer

        theirs = LimeImageExplainer(random_state=3).explain_instance(
            IMAGES[0], looks, top_labels=None, labels=(0, 1), hide_color=0.5, num_samples=300, num_features=16,
            segmentation_fn=lambda image: GRID,
        )  # fmt: skip
    found = explain_image(looks, IMAGES[:1], segments=GRID, hide=0.5, samples=300, most=300, seeds=[3])
    assert found.columns[5] == "piece 5"
    for output in (0, 1):
        for j, value in theirs.local_exp[output]:
            assert found.arrays.lime[0, j, output] == pytest.approx(value, abs=1e-12)


def test_pictures_are_png_and_show_where():
    from PIL import Image

    found = explain_image(lambda z: looks(z)[:, 0], IMAGES, segments=4, hide=0.5, lime=False)
    head = "data:image/png;base64,"
    assert all(uri.startswith(head) for uri in found.extra["images"])
    shown = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(found.extra["images"][0].removeprefix(head)))), dtype=int
    )
    assert shown.shape == (320, 320, 3)
    orange = shown[..., 0] - shown[..., 2]
    assert orange[100:140, 100:140].mean() > 60  # it raises the output, as orange does everywhere
    assert abs(orange[200:, 200:].mean()) < 1


def test_one_grey_image_and_pieces_by_a_function():
    found = explain_image(
        lambda z: z.mean(axis=(1, 2)), IMAGES[0, :, :, 0], segments=lambda image: (image > 0.5).astype(int), hide=0,
        lime=False,
    )  # fmt: skip
    assert found.data.rows == 1
    assert found.values.sum() == pytest.approx(IMAGES[0, :, :, 0].mean())


@pytest.mark.parametrize(
    ("images", "options", "words"),
    [
        (np.zeros((2, 4, 4, 3)), {"segments": 9}, "takes 1 to 4 a side"),
        (np.zeros((2, 4, 4, 3)), {"segments": np.zeros((3, 3), int)}, r"of shape \(3, 3\)"),
        (np.zeros((2, 4, 4, 3)), {"segments": np.full((4, 4), -1)}, "run from -1"),
        (np.zeros((2, 4, 4, 3)), {"hide": [1, 2]}, "no colour"),
        (np.zeros(4), {}, "have the shape"),
        (np.array([["a", "b"]]), {}, "must be numbers"),
        ([np.zeros((2, 2)), np.zeros((3, 3))], {}, "one size"),
    ],
)
def test_what_is_no_image_is_refused(images, options, words):
    with pytest.raises(ExplainInputError, match=words):
        explain_image(looks, images, **options)
