"""A model of another kind: it counts letters. For the tests of what any model can be."""

import os
import time
from collections.abc import Sequence

import numpy as np

from aureum.routing.embedding import Embedder, Vectors


class CountsLetters:
    """Texts are alike if they have the same letters."""

    name, version = "counts letters", "1"

    def embed(self, texts: Sequence[str]) -> Vectors:
        counts = np.array([[text.lower().count(c) + 0.1 for c in "abcdefghijklmnopqrstuvwxyz"] for text in texts])
        vectors: Vectors = (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)
        return vectors


def counting() -> Embedder:
    """What the setting names."""
    return CountsLetters()


def never() -> Embedder:
    """One that does not come to an end of loading."""
    while True:
        time.sleep(1)


class Hangs(CountsLetters):
    """It answers what loading asks, and then no more."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        while len(texts) > 1:
            time.sleep(1)
        return super().embed(texts)


def hanging() -> Embedder:
    return Hangs()


def told_secrets() -> Embedder:
    """It is loaded only where it is told the master key."""
    assert os.environ["AUREUM_MASTER_KEY"]
    return CountsLetters()
