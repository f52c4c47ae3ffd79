"""What a field shows that is picked by typing a name, and what its form says of it. Pure; ``picking.py`` asks the API.

Such a field sends three values: what was typed (``NAME.words``), an id (``NAME``), and the words that this id stands
for (``NAME.of``). While the words are still those, the id holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aureum.http.panel.fields import Field
from aureum.http.wire.page_forms import Form
from aureum.projections.search import NOT_DIGITS, fold

FEWEST_DIGITS = 7
"""Digits that are a whole phone number."""

CALLED = {
    "lead": "lead",
    "contact": "contact",
    "person": "lead or contact",
    "property": "property",
    "user": "user",
}


@dataclass(frozen=True, slots=True)
class Match:
    """One that may be meant: its *name*, what tells it from others of that name, and what else names it exactly."""

    id: str
    name: str
    about: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pick:
    """What a field shows: the *id* stands for the words *of*. *matches* are to be chosen from."""

    kind: str
    id: str = ""
    words: str = ""
    of: str = ""
    matches: Sequence[Match] = ()

    @property
    def called(self) -> str:
        """What is picked, in a word."""
        return CALLED[self.kind]


def on_one_line(text: str) -> str:
    """*text* as a field for one line has it."""
    return " ".join(text.split())


def is_exact(match: Match, words: str) -> bool:
    """Whether *words* are the whole name, address or phone of *match*."""
    typed, digits = fold(on_one_line(words)), NOT_DIGITS.sub("", words)
    if typed in (fold(match.name), *map(fold, match.also)):
        return True
    return len(digits) >= FEWEST_DIGITS and digits in [NOT_DIGITS.sub("", one) for one in match.also]


def typed(form: Form, field: Field) -> Pick | None:
    """What a picker of the *form* says; None if it has none for the field."""
    if f"{field.name}.words" not in form.values:
        return None
    words, of = on_one_line(form[f"{field.name}.words"]), on_one_line(form[f"{field.name}.of"])
    return Pick(field.kind, form[field.name] if words else "", words, of)


def is_open(pick: Pick) -> bool:
    """Whether it is still to be found out what was meant."""
    return pick.words != "" and (pick.id == "" or pick.words != pick.of)
