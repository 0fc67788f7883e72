"""all-MiniLM-L6-v2 in plain numpy: texts of a file, one a line, to a .npy of unit vectors.

The weights come in a PyPI package as a zip; PyTorch, which would be gigabytes, is not needed for six layers.
"""

from __future__ import annotations

import importlib.util
import json
import math
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load
from tokenizers import Tokenizer

BATCH = 64
HEADS = 12


def erf(x: np.ndarray) -> np.ndarray:
    """Abramowitz and Stegun 7.1.26, to 1.5e-7: numpy has none."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.sign(x) * (1 - poly * np.exp(-x * x))


class MiniLM:
    """BERT of six layers, mean of the tokens, normalised."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("all_minilm_l6_v2")
        assert spec is not None
        assert spec.origin is not None
        with zipfile.ZipFile(Path(spec.origin).with_name("model.zip")) as archive:
            names = {Path(n).name: n for n in archive.namelist()}
            self.weights = load(archive.read(names["model.safetensors"]))
            self.tokenizer = Tokenizer.from_str(archive.read(names["tokenizer.json"]).decode())
            self.layers = json.loads(archive.read("config.json"))["num_hidden_layers"]
        self.tokenizer.enable_truncation(128)
        self.tokenizer.enable_padding()

    def linear(self, x: np.ndarray, name: str) -> np.ndarray:
        """A matrix product and a bias."""
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        """Layer normalisation."""
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt((x * x).mean(-1, keepdims=True) + 1e-12)
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def encode(self, texts: list[str]) -> np.ndarray:
        """Unit vectors of texts."""
        w = self.weights
        coded = self.tokenizer.encode_batch(texts)
        ids = np.array([c.ids for c in coded])
        mask = np.array([c.attention_mask for c in coded], "f4")
        b, n = ids.shape
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:n]
        x = self.norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        hidden = x.shape[-1]
        head = hidden // HEADS
        for i in range(self.layers):
            at = f"encoder.layer.{i}."
            q, k, v = (
                self.linear(x, f"{at}attention.self.{name}").reshape(b, n, HEADS, head).transpose(0, 2, 1, 3)
                for name in ("query", "key", "value")
            )
            score = (
                q @ k.transpose(0, 1, 3, 2) / np.float32(math.sqrt(head)) + (mask[:, None, None, :] - 1) * 1e9
            )
            score = np.exp(score - score.max(-1, keepdims=True))
            score /= score.sum(-1, keepdims=True)
            seen = (score @ v).transpose(0, 2, 1, 3).reshape(b, n, hidden)
            x = self.norm(
                x + self.linear(seen, f"{at}attention.output.dense"), f"{at}attention.output.LayerNorm"
            )
            y = self.linear(x, f"{at}intermediate.dense")
            y = np.float32(0.5) * y * (1 + erf(y / np.float32(math.sqrt(2)))).astype("f4")
            x = self.norm(x + self.linear(y, f"{at}output.dense"), f"{at}output.LayerNorm")
        mean = (x * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        return (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype("f4")


def main() -> int:
    texts = Path(sys.argv[1]).read_text().splitlines()
    model = MiniLM()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # texts of like length: little padding
    out = np.empty((len(texts), 384), "f4")
    began = time.monotonic()
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        out[rows] = model.encode([texts[i] for i in rows])
        if start % (BATCH * 50) == 0:
            done = (start + len(rows)) / len(order)
            print(f"embedding {done:.0%}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    np.save(sys.argv[2], out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
