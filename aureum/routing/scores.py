"""From likenesses to a ranking: each signal in standard deviations from what is usual, then summed.

What is usual for a likeness depends on the enquiry: a long one is like everything, a short one like nothing. So it is
measured each time, over the agents and over the glossary's topics. The topics count as much as ``TOPICS_COUNT`` agents,
however many they are: with fourteen agents they change little, with two they are what tells a difference from chance.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Likenesses = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]

TOPICS_COUNT = 4.0

NGRAM_WEIGHT = 1.0

MARGIN = 1.0
"""How many standard deviations the best must be above the second for the ranking to decide."""

LIKENESS = 0.05
"""How alike in letters the enquiry must be to a profile; below, nothing was said that profiles know of."""

SMALLEST = 1e-3
"""Likenesses that differ less than this are equal."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The mean and the mean square of a likeness over the glossary's topics."""

    mean: float
    square: float


def usual(likenesses: Likenesses) -> Usual:
    """What is usual over *likenesses*."""
    likenesses = likenesses.astype(np.float64)
    return Usual(float(likenesses.mean()), float((likenesses**2).mean()))


def standardized(likenesses: Likenesses, topics: Usual) -> Floats:
    """*likenesses* of agents in standard deviations from what is usual; NaN, an agent without words, is usual."""
    likenesses = likenesses.astype(np.float64)
    unknown = np.isnan(likenesses)
    every = not unknown.any()
    known = likenesses if every else likenesses[~unknown]
    among = len(known) + TOPICS_COUNT
    mean = (known.sum() + TOPICS_COUNT * topics.mean) / among
    square = ((known**2).sum() + TOPICS_COUNT * topics.square) / among
    spread = np.sqrt(max(square - mean**2, 0.0))
    scores: Floats = (likenesses - mean) / max(float(spread), SMALLEST)
    if not every:
        scores[unknown] = 0.0
    return scores


def margin(scores: Floats) -> float | None:
    """How far the best is above the second; None with fewer than two."""
    if len(scores) < 2:
        return None
    second, best = np.partition(scores, -2)[-2:]
    return float(best - second)
