"""Which pieces of an image made a model say what it says: SHAP and LIME over the same pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.asking import CALL_BYTES
from aios_workbench.explain.masked import Item, Masked, Way, meaning
from aios_workbench.explain.models import Column, ModelInfo

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.explain.asking import Floats
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.masked import Masks

    Labels = npt.NDArray[np.int64]

#: lime's kernel for images: cosine distance.
DISTANCE, WIDTH = 1.0, 0.25
#: More pieces than this make a picture nobody can read, and take too many evaluations.
PIECES = 1_000


def explain_image(
    predict: Callable[[Any], Any],
    images: Any,
    *,
    outputs: Sequence[str] | None = None,
    segments: int | Labels | Callable[[Any], Labels] = 8,
    hide: float | Sequence[float] | None = None,
    lime: bool = True,
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
    """Explain images by hiding pieces of them.

    Parameters
    ----------
    predict : callable
        Takes (rows, height, width[, channels]), returns (rows, K) or (rows,); of two probabilities the second is
        explained.
    images : (n, height, width[, channels]) array
        A single one may leave the first axis away: (height, width), or (height, width, channels) of 1, 3 or 4 channels.
    outputs : sequence of str, optional
        Names of the K outputs.
    segments : int, array or callable
        A grid of so many by so many pieces; or (height, width) labels, for all images alike, or what gives them for an
        image, for example a superpixel algorithm of scikit-image.
    hide : number or one for each channel, optional
        What hidden pieces show; the images' mean colour by default. SHAP's base is the answer to nothing else.
    samples, most, seeds, top, stable, tolerance, seconds, cancelled, progress, batch, seed
        As for `aios_workbench.explain.text.explain_text`; LIME's contributions are those of lime 0.2.0.1 with the same
        segments, `hide_color` and seed.

    Returns
    -------
    Explanation
        `extra["images"]` has a picture of each image, what raises the output in orange and what lowers it in blue;
        `extra["segments"]` the pieces' labels.

    Raises
    ------
    ExplainInputError
        When images, pieces or colours do not fit.
    ModelFailed
        When the model raises or answers something that is no prediction.

    Examples
    --------
    >>> import numpy as np
    >>> found = explain_image(lambda z: z[:, :4, :4].mean(axis=(1, 2)), np.ones((8, 8)), segments=2, hide=0)
    >>> found.row(0).contributions[0].column, round(found.row(0).contributions[0].shap, 6)
    ('row 1, column 1', 1.0)
    """
    import numpy as np
    import pandas as pd

    from aios_workbench.explain.assemble import assemble

    given = _images(images)
    color = given.mean(axis=(0, 1, 2)) if hide is None else np.asarray(hide, dtype=np.float64)
    try:
        blank = np.broadcast_to(color, given.shape[1:]).astype(given.dtype)
    except ValueError:
        raise ExplainInputError(
            f"hide={hide!r} is no colour of an image of shape {given.shape[1:]}; give a number, or one a channel"
        ) from None
    labels = [_labels(segments, image) for image in given]
    pieces = max(int(one.max()) for one in labels) + 1
    items = [
        Item(np.unique(one).tolist(), _renderer(x, one, blank)) for x, one in zip(given, labels, strict=True)
    ]
    room = max(1, CALL_BYTES // max(given[0].nbytes, 1))
    way = (
        Way(_draw, DISTANCE, WIDTH, samples, max(most, samples), tuple(seeds), top, stable) if lime else None
    )
    run = Masked(
        predict, items, pieces, way, tolerance=tolerance, seed=seed, seconds=seconds, cancelled=cancelled,
        progress=progress, batch=min(batch or room, room),
    )  # fmt: skip
    run.go()
    task, scale, names, keep = meaning(run.whole(), outputs)
    arrays = run.arrays(keep)
    done = len(arrays.values)
    grid = isinstance(segments, int)
    method, local = run.infos("piece", "an image of one colour")
    notes = (
        [] if done == len(given) else [f"{done:,} of {len(given):,} images were explained before the end."]
    )
    named = [
        f"row {k // int(str(segments)) + 1}, column {k % int(str(segments)) + 1}" if grid else f"piece {k}"
        for k in range(pieces)
    ]
    shares = np.array([np.bincount(one.ravel(), minlength=pieces) / one.size for one in labels[:done]])
    found = assemble(
        arrays, columns=[Column(name=n, kind="numeric") for n in named], outputs=names, task=task, scale=scale,
        method=method, lime=local, subject="image", name=name, notes=notes, seconds=method.seconds,
        model=ModelInfo(type=type(predict).__name__, title=getattr(predict, "__name__", type(predict).__name__)),
        frame=pd.DataFrame(shares, columns=named),
    )  # fmt: skip
    shown = arrays.values[..., found.data.output]
    found.extra["images"] = [picture(x, one, v) for x, one, v in zip(given, labels, shown, strict=False)]
    found.extra["segments"] = labels[:done]
    return found


def picture(image: Any, labels: Labels, values: Floats) -> str:
    """Return an image with its pieces coloured by what they add: a data URI of a PNG.

    Orange raises the output, blue lowers it; what adds nothing stays grey. Edges are drawn around the pieces that add
    most, so that the sign is not told by colour alone: a double edge lowers it.
    """
    import base64
    import io

    import numpy as np
    from PIL import Image

    x = np.asarray(image, dtype=np.float64)
    x = x[..., :3].mean(axis=-1) if x.ndim == 3 else x
    low, high = float(x.min()), float(x.max())
    grey = (x - low) / (high - low) if high > low else np.full_like(x, 0.5)
    most = float(np.abs(values).max())
    share = values[labels] / most if most > 0 else np.zeros(labels.shape)
    ink = np.where(share[..., None] > 0, np.array([0.85, 0.4, 0.0]), np.array([0.0, 0.35, 0.75]))
    mix = 0.75 * np.abs(share)[..., None]
    shown = (1 - mix) * (0.25 + 0.7 * grey)[..., None] + mix * ink
    # a picture too small to be seen is drawn larger
    factor = max(1, -(-320 // max(labels.shape)))
    shown = shown.repeat(factor, axis=0).repeat(factor, axis=1)
    big = labels.repeat(factor, axis=0).repeat(factor, axis=1)
    strong = np.argsort(-np.abs(values))[:5]
    for k in strong[np.abs(values[strong]) > 0.2 * most]:
        inside = big == k
        for depth in (1,) if values[k] > 0 else (1, 4):
            shown[inside & ~_shrunk(inside, depth) & _shrunk(inside, depth - 1)] = 0.0 if depth == 1 else 1.0
    out = io.BytesIO()
    Image.fromarray((np.clip(shown, 0, 1) * 255).astype(np.uint8)).save(out, format="PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def _shrunk(inside: Masks, by: int) -> Masks:
    """Take so many pixels off the edges."""
    import numpy as np

    for _ in range(by):
        p = np.pad(inside, 1)
        inside = p[1:-1, 1:-1] & p[:-2, 1:-1] & p[2:, 1:-1] & p[1:-1, :-2] & p[1:-1, 2:]
    return inside


def _images(images: Any) -> Any:
    """Return (n, height, width[, channels])."""
    import numpy as np

    try:
        found = np.asarray(images)
    except ValueError as e:
        raise ExplainInputError(f"images must be of one size: {e}; explain them one by one") from None
    if found.dtype.kind not in "uif":
        raise ExplainInputError(f"images must be numbers, not {found.dtype}")
    if found.ndim == 2 or (found.ndim == 3 and found.shape[2] in (1, 3, 4)):
        found = found[None]
    if found.ndim not in (3, 4) or 0 in found.shape:
        raise ExplainInputError(
            f"images have the shape {found.shape}; (n, height, width) or (n, height, width, channels) is needed"
        )
    return found


def _labels(segments: int | Labels | Callable[[Any], Labels], image: Any) -> Labels:
    """Return the label of each pixel's piece."""
    import numpy as np

    height, width = image.shape[:2]
    if isinstance(segments, int):
        if not 1 <= segments <= min(height, width, 31):
            raise ExplainInputError(
                f"segments={segments}: an image of {height} x {width} takes 1 to {min(height, width, 31)} a side"
            )
        rows, columns = (np.arange(size) * segments // size for size in (height, width))
        grid: Labels = rows[:, None] * segments + columns
        return grid
    found = np.asarray(segments(image) if callable(segments) else segments)
    if found.shape != (height, width) or found.dtype.kind not in "ui":
        raise ExplainInputError(
            f"segments are {found.dtype} of shape {found.shape}; a whole number for each of {height} x {width} pixels "
            "is needed"
        )
    if found.min() < 0 or found.max() >= PIECES:
        raise ExplainInputError(
            f"segments run from {found.min()} to {found.max()}; number them from 0 to {PIECES - 1}"
        )
    return found.astype(np.int64)


def _renderer(image: Any, labels: Labels, blank: Any) -> Callable[[Masks], Any]:
    import numpy as np

    present = np.unique(labels)
    at = np.searchsorted(present, labels)

    def render(masks: Masks) -> Any:
        shown = masks[:, at]
        return np.where(shown if image.ndim == 2 else shown[..., None], image, blank)

    return render


def _draw(parts: int, samples: int, random: Any) -> Masks:
    """Hide pieces as lime 0.2.0.1 does: each by the toss of a coin."""
    random.randint(0, high=1000)  # lime draws its superpixels' seed first, whoever cuts the image
    masks: Masks = random.randint(0, 2, samples * parts).reshape(samples, parts) > 0
    masks[0] = True
    return masks
