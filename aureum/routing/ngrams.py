"""Likeness by letters: TF-IDF over character 3- to 5-grams within words. It forgives typos, and knows jargon.

How rare an n-gram is comes from the glossary and the roster together, so that a brokerage of one or two agents has
sensible weights too. Numbers of n-grams are hashes of their letters, the same in every process.
"""

import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aureum.routing.text import FUNCTION_WORDS, words

Ids = NDArray[np.uint32]
Floats = NDArray[np.float64]
Counted = tuple[Ids, Floats]

SIZES = (3, 4, 5)
WORD_LIMIT = 30
"""How many letters of a word are looked at: no real word is longer, and a "word" of 1,000 would be costly."""


@lru_cache(maxsize=20_000)
def grams(word: str) -> tuple[int, ...]:
    """The n-grams of a word, its ends marked, as numbers."""
    marked = f" {word[:WORD_LIMIT]} ".encode("utf-8", "replace").decode()
    size = len(marked)
    return tuple(
        zlib.crc32(marked[at : at + n].encode()) for n in SIZES for at in range(max(1, size - n + 1)) if n <= size
    )


def counted(text: str) -> Counted:
    """The n-grams of *text*'s content words, each once, and their weight by how often they stand there."""
    found = [gram for word in words(text) if word not in FUNCTION_WORDS for gram in grams(word)]
    ids, counts = np.unique(np.array(found, dtype=np.uint32), return_counts=True)
    return ids, 1.0 + np.log(counts.astype(np.float64))


class NgramIndex:
    """Documents, each as ``counted`` made it, compared with an enquiry all at once. *background* says more of how rare
    n-grams are."""

    def __init__(self, documents: Sequence[Counted], background: "NgramIndex | None" = None) -> None:
        self.size = len(documents)
        all_ids = np.concatenate([ids for ids, _ in documents]) if documents else np.empty(0, np.uint32)
        weights = np.concatenate([one for _, one in documents]) if documents else np.empty(0)
        numbers = np.repeat(np.arange(self.size, dtype=np.uint32), [len(ids) for ids, _ in documents])
        self.vocabulary, places = np.unique(all_ids, return_inverse=True)
        self.documents = np.bincount(places, minlength=len(self.vocabulary)).astype(np.float64)
        self.background = background
        self.rarity = self._rarity(self.vocabulary, self.documents)
        weights = weights * self.rarity[places]
        lengths = np.sqrt(np.bincount(numbers, weights**2, minlength=self.size)) if self.size else np.empty(0)
        order = np.argsort(places, kind="stable")
        self.postings = numbers[order]
        self.weights = (weights / np.where(lengths > 0, lengths, 1.0)[numbers])[order].astype(np.float32)
        self.starts = np.concatenate([[0], np.cumsum(self.documents)]).astype(np.int64)

    def _rarity(self, ids: Ids, here: Floats) -> Floats:
        among, known = self.size, here
        if self.background is not None:
            among, known = among + self.background.size, here + self.background.count(ids)
        return np.asarray(np.log((1.0 + among) / (1.0 + known)) + 1.0)

    def count(self, ids: Ids) -> Floats:
        """In how many texts each n-gram stands."""
        return self._count(*self._places(ids))

    def _count(self, places: NDArray[Any], found: NDArray[np.bool_]) -> Floats:
        return np.where(found, self.documents[places] if len(self.documents) else 0.0, 0.0)

    def _places(self, ids: Ids) -> tuple[NDArray[Any], NDArray[Any]]:
        if not len(self.vocabulary):
            return np.zeros(len(ids), np.int64), np.zeros(len(ids), bool)
        places = np.minimum(np.searchsorted(self.vocabulary, ids), len(self.vocabulary) - 1)
        return places, self.vocabulary[places] == ids

    def likeness(self, ids: Ids, weights: Floats) -> Floats:
        """The cosine of each text with what ``counted`` made of an enquiry."""
        places, found = self._places(ids)
        weights = weights * self._rarity(ids, self._count(places, found))
        length = float(np.sqrt((weights**2).sum()))
        if not length or not found.any():
            return np.zeros(self.size)
        places, weights = places[found], weights[found] / length
        starts, counts = self.starts[places], self.starts[places + 1] - self.starts[places]
        # The postings of all n-grams in a row: each run of counts[i] begins at starts[i].
        runs = np.arange(int(counts.sum())) + np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        found_weights = self.weights[runs] * np.repeat(weights, counts)
        return np.bincount(self.postings[runs], found_weights, minlength=self.size).astype(np.float64)
