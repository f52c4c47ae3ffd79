"""Charts as they stand in a page: places and sizes of bars, which a template draws as SVG, with a table beside them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

WIDTH, HEIGHT, LEFT, BELOW, ABOVE = 720, 220, 34, 22, 8
TONES = ("blue", "teal", "violet", "pink", "amber", "green", "gray")

MOST_KINDS = 6
"""Kinds with a colour of their own; the rest is one more."""

OTHERS = "others"


class Bar(NamedTuple):
    """A rectangle, and what it says."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    title: str


class Mark(NamedTuple):
    """A word on an axis, and its line's place."""

    x: float
    y: float
    text: str


class Stacked(NamedTuple):
    """Bars over time, parted by kind; the marks of both axes; and the kinds with their colours."""

    bars: Sequence[Bar]
    below: Sequence[Mark]
    left: Sequence[Mark]
    legend: Sequence[tuple[str, str]]


def stacked(parts: Sequence[tuple[str, Mapping[str, int]]], tones: Mapping[str, str] | None = None) -> Stacked:
    """A bar for each of *parts*, which are (label, number by kind). *tones* are the colours of kinds that have their
    own; others get them by their size."""
    kinds = kinds_of(parts, tones)
    highest = top(max((sum(numbers.values()) for _, numbers in parts), default=0))
    step = (WIDTH - LEFT) / max(1, len(parts))
    tall = HEIGHT - ABOVE - BELOW
    bars, below = [], []
    every = max(1, -(-len(parts) // 8))
    for place, (label, numbers) in enumerate(parts):
        x, floor = LEFT + place * step, float(HEIGHT - BELOW)
        for kind, tone in kinds:
            many = numbers.get(kind, 0) if kind != OTHERS else rest(numbers, kinds)
            if many:
                height = many / highest * tall
                floor -= height
                bars.append(Bar(x + step * 0.1, floor, step * 0.8, height, tone, f"{label}: {many:,} {kind}"))
        if place % every == 0:
            below.append(Mark(x + step * 0.1, HEIGHT - 6, label))
    left = [Mark(LEFT - 6, HEIGHT - BELOW - share * tall, f"{round(highest * share):,}") for share in (0.0, 0.5, 1.0)]
    return Stacked(bars, below, left, kinds)


def kinds_of(parts: Sequence[tuple[str, Mapping[str, int]]], tones: Mapping[str, str] | None) -> list[tuple[str, str]]:
    """The kinds that there are, in the order in which they stand on each other, with their colours."""
    totals: dict[str, int] = {}
    for _, numbers in parts:
        for kind, many in numbers.items():
            totals[kind] = totals.get(kind, 0) + many
    if tones is not None:
        return [(kind, tone) for kind, tone in tones.items() if totals.get(kind)]
    largest = sorted(totals, key=lambda kind: (-totals[kind], kind))
    shown = largest[:MOST_KINDS]
    return [*zip(shown, TONES, strict=False), *([(OTHERS, TONES[-1])] if len(largest) > MOST_KINDS else [])]


def rest(numbers: Mapping[str, int], kinds: Sequence[tuple[str, str]]) -> int:
    """What has no colour of its own."""
    own = {kind for kind, _ in kinds}
    return sum(many for kind, many in numbers.items() if kind not in own)


def top(highest: int) -> int:
    """A round and even number that is not below *highest*."""
    size = 1
    while True:
        for factor in (2, 4, 10):
            if size * factor >= highest:
                return size * factor
        size *= 10


def funnel(stages: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    """The stages of the funnel with their share of the first one, of 100."""
    first = stages[0][1] if stages else 0
    return [
        {"word": word, "number": number, "share": 100 * number / first if first else 0.0, "place": place}
        for place, (word, number) in enumerate(stages)
    ]
