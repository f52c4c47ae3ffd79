"""What was measured, as rows: each with what it is held against, and its budget where it has one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Ratios:
    """Ours over the yardstick's, one for each round in which both took their turns."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    def __str__(self) -> str:
        return f"{self.median:.2f} × ({min(self.values):.2f}–{max(self.values):.2f})"


@dataclass(frozen=True)
class Row:
    """One line of a table: what was measured, what was found, the budget and whether it is met (None: has none)."""

    what: str
    found: str
    against: str = ""
    ratio: str = ""
    budget: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        return "" if self.met is None else "yes" if self.met else "**no**"


HEADINGS = ("what", "found", "against", "ratio", "budget", "met")


def judged(what: str, found: str, against: str, ratios: Ratios, at_least: float | None) -> Row:
    """A row whose budget is a ratio; the median counts."""
    if at_least is None:
        return Row(what, found, against, str(ratios))
    return Row(what, found, against, str(ratios), f"≥ {at_least:g} ×", ratios.median >= at_least)


def table(rows: Sequence[Row]) -> str:
    """A Markdown table, its columns padded so that people can read it on a terminal too."""
    lines = [HEADINGS, *((r.what, r.found, r.against, r.ratio, r.budget, r.verdict) for r in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    padded = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([padded[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *padded[1:]])


def in_turns(rounds: int, *slices: Callable[[], float]) -> list[list[float]]:
    """What each of *slices* returned in each round. Every second round goes backwards, so that none is always first."""
    found: list[list[float]] = [[] for _ in slices]
    for turn in range(rounds):
        order = range(len(slices)) if turn % 2 == 0 else reversed(range(len(slices)))
        for number in order:
            found[number].append(slices[number]())
    return found


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Ratios:
    """Round by round."""
    return Ratios(tuple(mine / other for mine, other in zip(ours, theirs, strict=True)))
