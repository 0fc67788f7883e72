"""What values show of themselves: made when they are stored, shown without loading them, and never at a step's cost."""

from __future__ import annotations

import base64
import io
import json
import struct
import threading
import zlib
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from aios_workbench.errors import ConflictError, CorruptArtifactError
from aios_workbench.workspace import Workspace, showing
from aios_workbench.workspace.gc import collect, references
from aios_workbench.workspace.media import media
from aios_workbench.workspace.models import Media
from aios_workbench.workspace.preview import preview


def look(ws: Workspace, value: Any) -> Media:
    artifact = ws.artifacts.put(value)
    ws.catalog.flush()
    found = media(ws, ws.artifacts.find(artifact.hash))
    assert json.loads(json.dumps(found.model_dump(mode="json"), allow_nan=False))
    said = preview(ws, artifact)["media"]
    assert said in (found.mime, None) or found.mime == "image/svg+xml"
    return found


def unpacked(png: bytes) -> np.ndarray[Any, Any]:
    """Read a PNG whose lines are not filtered."""
    width, height, _, colour = struct.unpack(">IIBB", png[16:26])
    start = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[start - 4 : start])
    raw = np.frombuffer(zlib.decompress(png[start + 4 : start + 4 + length]), np.uint8)
    return raw.reshape(height, -1)[:, 1:].reshape(height, width, {0: 1, 2: 3, 6: 4}[colour])


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
def test_arrays_of_pixels_are_pictures(ws: Workspace, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    found = look(ws, image)
    assert (found.mime, found.width, found.height) == ("image/png", 7, 5)
    assert np.array_equal(unpacked(base64.b64decode(found.data)).reshape(shape), image)


def test_large_pictures_are_thinned_and_say_so(ws: Workspace) -> None:
    found = look(ws, np.zeros((3000, 10, 3), dtype=np.uint8))
    assert (found.width, found.height, found.note) == (10, 3000, "shown at 1/3 of its size")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2, 5)),
        np.full((2, 2, 3), 7.0),
        np.zeros((0, 2, 3), np.uint8),
        np.zeros((2, 2, 2, 2)),
        np.array(3),
    ],
)
def test_other_arrays_are_text(ws: Workspace, array: Any) -> None:
    found = look(ws, array)
    assert found.mime == "text/plain"
    assert f"shape {array.shape}" in found.data


class Png:
    def _repr_png_(self) -> bytes:
        return b"\x89PNG\r\n\x1a\n" + bytes(8) + struct.pack(">II", 3, 2)


class Svg:
    def _repr_svg_(self) -> str:
        return "<svg onload=alert(1)></svg>"


class Html:
    def _repr_html_(self) -> str:
        return "<script>alert(1)</script>"

    def __repr__(self) -> str:
        return "<Html>"


class Markdown:
    def _repr_markdown_(self) -> tuple[str, dict[str, Any]]:
        return "# <b>Ü</b>", {}


class Broken:
    def _repr_png_(self) -> bytes:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError


class Anything:
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: self


class Huge:
    def _repr_svg_(self) -> str:
        return "<svg>" + "x" * showing.MAX_BYTES


def test_values_that_show_themselves(ws: Workspace) -> None:
    found = look(ws, Png())
    assert (found.mime, found.width, found.height) == ("image/png", 3, 2)
    assert look(ws, Svg()).model_dump(include={"mime", "data"}) == {
        "mime": "image/svg+xml",
        "data": "<svg onload=alert(1)></svg>",
    }
    assert (look(ws, Markdown()).mime, look(ws, Markdown()).data) == ("text/markdown", "# <b>Ü</b>")
    html = look(ws, Html())
    assert (html.mime, html.data) == ("text/plain", "<Html>")
    assert "could act with your rights" in html.note


@pytest.mark.parametrize("value", [Broken(), Anything(), Huge(), Png, len])
def test_what_cannot_show_itself_is_stored_all_the_same(ws: Workspace, value: Any) -> None:
    found = look(ws, value)
    assert found.mime == "text/plain"
    assert ws.artifacts.put(value).shown is None


def test_a_drawing_that_hangs_costs_seconds_not_the_step(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    class Slow:
        def _repr_png_(self) -> bytes:
            go_on.wait(60)
            return b""

        def __reduce__(self) -> Any:
            return (int, ())

    monkeypatch.setattr(showing, "SECONDS", 0.05)
    try:
        assert look(ws, Slow()).mime == "text/plain"
    finally:
        go_on.set()


@pytest.mark.parametrize(
    ("value", "mime", "data"),
    [
        ("text", "text/plain", "text"),
        ("<svg><script/></svg>", "image/svg+xml", "<svg><script/></svg>"),
        ("x" * 600_000, "text/plain", "x" * 500_000),
        ({"auc": 0.9}, "application/json", '{\n  "auc": 0.9\n}'),
        ([1], "application/json", "[\n  1\n]"),
        (b"caf\xc3\xa9", "text/plain", "café"),
        (b"\xff\x00", "text/plain", "b'\\xff\\x00'"),
        (b"GIF89a..", "image/gif", base64.b64encode(b"GIF89a..").decode()),
        (b"\xff\xd8\xff\xe0", "image/jpeg", base64.b64encode(b"\xff\xd8\xff\xe0").decode()),
        ((1, 2), "text/plain", "(1, 2)"),
        (3.5, "text/plain", None),
    ],
    ids=range(11),
)
def test_documents_and_plain_values(ws: Workspace, value: Any, mime: str, data: str | None) -> None:
    found = look(ws, value)
    if data is None:
        assert found.data == "3.5"
        return
    assert (found.mime, found.data) == (mime, data)


def test_models_show_parameters_and_what_was_fitted(ws: Workspace) -> None:
    x = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "<b>": [1.0, 0.0, 1.0, 0.0]})
    found = look(ws, make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(x, [0, 0, 1, 1]))
    assert found.mime == showing.MODEL
    model = json.loads(found.data)
    assert (model["class"], model["features"], model["feature_names"]) == (
        "sklearn.pipeline.Pipeline",
        2,
        ["a", "<b>"],
    )
    scaler, logistic = model["steps"]
    assert {f["name"]: f["shape"] for f in scaler["fitted"]}["mean_"] == [2]
    assert (logistic["name"], logistic["parameters"]["C"]) == ("logisticregression", "0.5")
    assert json.loads(look(ws, LogisticRegression()).data)["fitted"] == []
    assert look(ws, LogisticRegression).mime == "text/plain"  # the class, not a model


def test_figures_and_pictures_of_known_libraries(ws: Workspace) -> None:
    figures = pytest.importorskip("matplotlib.figure", reason="matplotlib is not installed")
    images = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    figure = figures.Figure(figsize=(40, 1))
    axes = figure.subplots()
    axes.set_title("<img src=x onerror=alert(1)>")
    canvas = figure.canvas
    for value in (figure, axes):
        found = look(ws, value)
        assert found.mime == "image/png"
        assert found.width is not None
        assert found.width <= showing.MAX_SIDE
    assert figure.canvas is canvas
    found = look(ws, images.new("CMYK", (3000, 30)))
    assert (found.mime, found.width, found.height) == ("image/png", 3000, 30)
    assert images.open(io.BytesIO(base64.b64decode(found.data))).size == (1600, 16)


def test_plotly_figures_are_their_json(ws: Workspace) -> None:
    graphs = pytest.importorskip("plotly.graph_objects", reason="plotly is not installed")
    found = look(ws, graphs.Figure(graphs.Bar(x=[1], y=[2])))
    assert found.mime == "application/vnd.plotly.v1+json"
    assert json.loads(found.data)["data"][0]["type"] == "bar"


def test_frames_are_tables_not_media(ws: Workspace) -> None:
    for value in (pd.DataFrame({"a": [1]}), pd.Series([1])):
        with pytest.raises(ConflictError, match=r"\.table\(\)"):
            look(ws, value)


def test_damage_is_said(ws: Workspace) -> None:
    artifact = ws.artifacts.put(Svg())
    assert artifact.shown is not None
    ws.artifacts.path(artifact.shown).write_bytes(b"<svg>other</svg>")
    other = Workspace(ws.root)
    with pytest.raises(CorruptArtifactError):
        media(other, artifact)
    other.close()


class Nothing:
    """A journal with no entries."""

    def entries(self) -> list[Any]:
        return []

    def references(self, entries: Any) -> set[str]:
        return set()

    def delete(self, entries: Any) -> None:
        pass


def test_collecting_keeps_a_preview_as_long_as_its_value(ws: Workspace) -> None:
    kept, gone = ws.artifacts.put(Svg()), ws.artifacts.put(Markdown())
    assert kept.shown is not None
    assert gone.shown is not None
    ws.catalog.write(
        "insert into runs (run_id, workflow, status, spec_hash, created_at) values ('r', 'w', 'running', 'h', 0)"
    )
    ws.catalog.write(
        "insert into steps (run_id, step, kind, position, status, output)"
        " values ('r', 's', 'step', 0, 'succeeded', :h)",
        h=kept.hash,
    )
    assert references(ws) == {kept.hash, kept.shown.hash}
    later = 10**11
    collect(ws, Nothing(), alive=lambda _: True, now=later)
    left = {path.stem for path in ws.artifacts.folder.glob("*/*")}
    assert left == {kept.hash, kept.shown.hash}
