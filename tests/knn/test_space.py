"""The metric inside against the metric asked for: same neighbours, same distances, and every bad row named."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aios_workbench.errors import KnnInputError, ParameterError
from aios_workbench.knn.models import Metric
from aios_workbench.knn.space import HEAD_ROOM, Space

METRICS: tuple[Metric, ...] = ("l2", "ip", "cosine")


def true_distances(metric: Metric, x: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The metric by its formula, in float64; smaller is nearer."""
    x, q = x.astype(np.float64), q.astype(np.float64)
    if metric == "l2":
        return np.sqrt(((q[:, None, :] - x[None, :, :]) ** 2).sum(axis=2))
    if metric == "ip":
        return -(q @ x.T)
    return 1 - (q @ x.T) / np.linalg.norm(q, axis=1)[:, None] / np.linalg.norm(x, axis=1)


def squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return ((b.astype(np.float64)[:, None, :] - a.astype(np.float64)[None, :, :]) ** 2).sum(axis=2)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Metric, np.ndarray, np.ndarray]:
    metric = draw(st.sampled_from(METRICS))
    d = draw(st.integers(2 if metric == "cosine" else 1, 9))
    dtype = draw(st.sampled_from((np.float16, np.float32, np.float64)))
    values = st.integers(-400, 400).map(lambda v: v / 8)  # exact in float16, with many ties
    rows = hnp.arrays(dtype, st.tuples(st.integers(1, 30), st.just(d)), elements=values)
    x, q = draw(rows), draw(rows)
    if metric == "cosine":
        x = x[np.abs(x).sum(axis=1) > 0]
    if metric != "l2":
        q = q[np.abs(q).sum(axis=1) > 0]
    scale = draw(st.sampled_from((1.0, 64.0, 1 / 64)))
    return metric, x * dtype(scale), q * dtype(scale)


@given(problems())
def test_inside_has_the_distances_and_the_order_of_the_metric(problem: Any) -> None:
    metric, x, q = problem
    if not len(x) or not len(q):
        return
    space = Space.of(x, metric)
    inside, asked = space.vectors(x), space.queries(q)
    assert inside.shape == (len(x), space.inner)
    assert inside.dtype == asked.dtype == np.float32
    assert inside.flags.c_contiguous
    assert space.inner % 2 == 0
    sq = squared(inside, asked)
    true = true_distances(metric, x, q)
    longest = np.linalg.norm(x.astype(float), axis=1).max()
    scale = {"l2": 1.0, "cosine": 1.0, "ip": np.linalg.norm(q.astype(float), axis=1).max() * (longest or 1)}[
        metric
    ]
    told = space.distances(sq, q)
    np.testing.assert_allclose(told, true, rtol=1e-5, atol=1e-5 * scale)
    # float32 may swap neighbours only where the metric itself has (next to) no difference
    by_inside = np.take_along_axis(true, np.argsort(sq, axis=1, kind="stable"), axis=1)
    np.testing.assert_allclose(by_inside, np.sort(true, axis=1), rtol=1e-5, atol=1e-5 * scale)


@given(problems())
def test_a_space_survives_json(problem: Any) -> None:
    metric, x, _ = problem
    if not len(x):
        return
    space = Space.of(x, metric)
    again = Space.from_dict(json.loads(json.dumps(space.to_dict())))
    assert again == space
    np.testing.assert_array_equal(again.vectors(x), space.vectors(x))


@pytest.mark.parametrize("metric", METRICS)
def test_a_row_is_the_same_alone_and_among_others(metric: Metric) -> None:
    """Batches of any size give one file, and so one fingerprint."""
    x = np.random.default_rng(0).normal(size=(500, 33)).astype(np.float32)
    space = Space.of(x, metric)
    parts = [space.vectors(x[i : i + 7], first=i) for i in range(0, 500, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), space.vectors(x))


@pytest.mark.parametrize("metric", METRICS)
def test_memory_order_and_strides_do_not_matter(metric: Metric) -> None:
    x = np.random.default_rng(1).normal(size=(40, 12))
    space = Space.of(x, metric)
    wanted = space.vectors(x)
    np.testing.assert_array_equal(space.vectors(np.asfortranarray(x)), wanted)
    np.testing.assert_array_equal(space.vectors(np.repeat(x, 2, axis=0)[::2]), wanted)
    np.testing.assert_array_equal(space.vectors(x.tolist()), wanted)


def test_inner_product_stays_sharp_when_queries_are_short() -> None:
    """Unscaled, a short query would see nothing but |x|, rounded: see the module's words on scaling."""
    r = np.random.default_rng(2)
    x, q = r.normal(size=(2000, 16)), 1e-4 * r.normal(size=(50, 16))
    space = Space.of(x, "ip")
    sq = squared(space.vectors(x), space.queries(q))
    true = true_distances("ip", x, q)
    assert (np.argsort(sq, axis=1)[:, :10] == np.argsort(true, axis=1)[:, :10]).all()


def test_nothing_found_is_nan() -> None:
    space = Space.sized("l2", 2)
    found = space.distances([[4.0, np.finfo(np.float32).max, np.inf]], [[0.0, 0.0]])
    np.testing.assert_array_equal(found, [[2.0, np.nan, np.nan]])


def test_a_vector_longer_than_the_bound_is_told() -> None:
    space = Space.of([[3.0, 4.0]], "ip")
    assert space.fits([[0.0, 5 * HEAD_ROOM - 1e-6]])
    assert not space.fits([[0.0, 5.3]])
    assert not space.fits([[1.0, 1.0, 1.0]])
    with pytest.raises(KnnInputError, match=r"row 1 \(counted from 0\) is longer than 5.25"):
        space.vectors([[1.0, 1.0], [0.0, 5.3]])


X = np.ones((12, 4))


def spoilt(*places: tuple[int, int], by: float) -> np.ndarray:
    x = X.copy()
    for place in places:
        x[place] = by
    return x


BAD: dict[str, tuple[Metric, Any, str]] = {
    "nan": ("l2", spoilt((3, 1), (7, 0), by=np.nan), r"rows 3, 7 \(counted from 0\) are NaN .*isfinite"),
    "inf": ("l2", spoilt((2, 1), by=np.inf), r"row 2 .* NaN or infinite"),
    "inf and -inf": ("l2", np.array([[np.inf, -np.inf], [1, 1]]), r"row 0 .* NaN or infinite"),
    "many": ("l2", np.full((9, 2), np.nan), r"rows 0, 1, 2, 3, 4 and 4 more"),
    "huge": ("l2", spoilt((5, 0), by=1e200), r"row 5 .* larger than 1e\+18"),
    "zero": ("cosine", spoilt(*((4, i) for i in range(4)), by=0), r"row 4 .* zero under cosine.*l2"),
    "cosine of one": ("cosine", np.ones((3, 1)), r"differ .* by their sign"),
    "three axes": ("l2", np.ones((2, 3, 4)), r"shape \(2, 3, 4\).*reshape"),
    "a number": ("l2", 3.0, r"shape \(\)"),
    "ragged": ("l2", [[1.0, 2.0], [1.0], [3.0, 4.0]], r"row 1 .* not of 2 numbers"),
    "ragged arrays": (
        "l2",
        np.array([np.ones(2), np.ones(3), np.ones(2)], dtype=object),
        r"row 1 .* not of 2",
    ),
    "missing": ("l2", [[1.0, 2.0], None, [3.0, 4.0]], r"row 1 .* missing"),
    "texts": ("l2", ["a", "b"], r"embed="),
    "complex": ("l2", np.ones((2, 2), complex), r"complex128 .* real numbers"),
    "no dimensions": ("l2", np.ones((3, 0)), r"no dimensions"),
    "objects": ("l2", np.array([["a", "b"], ["c", "d"]], dtype=object), r"object but must be real"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_rows_are_named(case: str) -> None:
    metric, x, said = BAD[case]
    with pytest.raises(KnnInputError, match=said):
        Space.of(x, metric).vectors(x)


def test_row_numbers_count_on_over_batches() -> None:
    with pytest.raises(KnnInputError, match=r"row 1,003 "):
        Space.sized("l2", 4).vectors(spoilt((3, 0), by=np.nan), first=1000)


def test_a_sparse_matrix_is_told_what_to_do() -> None:
    sparse = pytest.importorskip("scipy.sparse").csr_matrix(np.eye(3))
    with pytest.raises(KnnInputError, match="TruncatedSVD"):
        Space.of(sparse, "l2")


@pytest.mark.parametrize("metric", ["ip", "cosine"])
def test_a_zero_query_is_refused(metric: Metric) -> None:
    space = Space.of(X, metric)
    with pytest.raises(KnnInputError, match=r"queries: row 1 .* zero"):
        space.queries([[1.0] * 4, [0.0] * 4])


def test_queries_of_another_model_are_refused() -> None:
    with pytest.raises(KnnInputError, match="have 3 dimensions, but this space has 4"):
        Space.of(X, "l2").queries([[1.0, 2.0, 3.0]])


def test_an_unknown_metric_is_hinted_at() -> None:
    with pytest.raises(ParameterError, match="did you mean 'cosine'"):
        Space.of(X, "cosin")  # type: ignore[arg-type]


def test_zero_vectors_alone_make_a_space_of_inner_products() -> None:
    space = Space.of(np.zeros((3, 2)), "ip")
    np.testing.assert_allclose(
        space.distances(squared(space.vectors(np.zeros((3, 2))), space.queries([[1, 2]])), [[1, 2]]),
        0,
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"metric": "l2", "dimensions": 4, "inner": 5, "bound": 0.0},
        {"metric": "ip", "dimensions": 4, "inner": 6, "bound": 0.0},
        {"metric": "manhattan", "dimensions": 4, "inner": 4, "bound": 0.0},
        {"metric": "l2", "dimensions": "x", "inner": 4, "bound": 0.0},
    ],
)
def test_a_foreign_description_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(KnnInputError, match="space of vectors"):
        Space.from_dict(data)
