"""Whether two people may be one, why, and how sure that is. Pure; it suggests and decides nothing.

Three things speak for it: the same e-mail address in its compared form, the same phone in E.164, the same name in any
order, case and accents. Couples and families share an address or a phone, and one of their names: "John Smith" and
"Mary Smith" are told apart, and suggested with little certainty. Nicknames are other names.

    score    what is the same
    0.95     the address and the name (0.99 with the phone)
    0.85     the address, and one name may stand for the other: an initial, a middle name, no name at all
    0.75     the address under another name
    0.70     the phone and the name (0.60 where one name may stand for the other)
    0.40     the name alone, if it has two words
    0.30     the address, and one of the names: perhaps a couple
    0.25     the phone under another name (0.15 perhaps a couple)
"""

import unicodedata
from collections import Counter
from typing import Literal, NamedTuple

from aureum.domain.emails import one_form
from aureum.domain.people import LETTERS, words_of

Reason = Literal["email", "phone", "name"]
Certainty = Literal["high", "medium", "low"]
Names = Literal["same", "alike", "unknown", "couple", "other"]

REASONS: tuple[Reason, ...] = ("email", "phone", "name")

BY_EMAIL: dict[Names, float] = {"same": 0.95, "alike": 0.85, "unknown": 0.85, "other": 0.75, "couple": 0.3}
BY_PHONE: dict[Names, float] = {"same": 0.7, "alike": 0.6, "unknown": 0.6, "other": 0.25, "couple": 0.15}
BY_NAME = 0.4
ALL_THREE = 0.99
HIGH, MEDIUM = 0.85, 0.6

JOINING = frozenset(("and", "und", "et", "y", "e", "og", "och", "en"))
JOINING_SIGNS = frozenset("&+＆＋")
"""Words and signs between the names of two people in one field."""


class Person(NamedTuple):
    """What a contact or a lead says of a person: *phones* in E.164."""

    first_name: str
    last_name: str
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()


class Likeness(NamedTuple):
    """Why two may be one person, and how sure that is, from 0 to 1. *couple*: they may be two people who share the
    address or phone."""

    reasons: tuple[Reason, ...]
    score: float
    couple: bool

    @property
    def certainty(self) -> Certainty:
        """The score in a word."""
        return "high" if self.score >= HIGH else "medium" if self.score >= MEDIUM else "low"


def likeness(one: Person, other: Person) -> Likeness | None:
    """What is the same in both; None if nothing suggests that they are one person."""
    by_email = bool(addresses(one) & addresses(other))
    by_phone = bool({*one.phones} & {*other.phones})
    names = compared(f"{one.first_name} {one.last_name}", f"{other.first_name} {other.last_name}")
    by_name = names == "same" and (by_email or by_phone or is_whole(f"{one.first_name} {one.last_name}"))
    held = {"email": by_email, "phone": by_phone, "name": by_name}
    reasons = tuple(reason for reason in REASONS if held[reason])
    if not reasons:
        return None
    if len(reasons) == len(REASONS):
        return Likeness(reasons, ALL_THREE, False)
    score = BY_EMAIL[names] if by_email else BY_PHONE[names] if by_phone else BY_NAME
    return Likeness(reasons, score, names == "couple")


def addresses(person: Person) -> frozenset[str]:
    """The addresses as they are compared."""
    return frozenset(one_form(email) for email in person.emails if "@" in email)


def compared(one: str, other: str) -> Names:
    """How two names compare, in any order of their words."""
    mine, others = words_of(one), words_of(other)
    if not mine or not others:
        return "unknown"
    if forms(one) & forms(other):
        return "same"
    if LETTERS.search(one) or LETTERS.search(other):
        return "couple" if is_family(one, other) else "other"
    rest, rest_of_other = left(mine, others), left(others, mine)
    shared = (Counter(mine) & Counter(others)).total() > 0
    if shared and (not rest or not rest_of_other) and not two_people(f"{one} {other}", rest + rest_of_other):
        return "alike"
    return "couple" if shared else "other"


def forms(name: str) -> set[tuple[str, ...]]:
    """The words of a name, with its hyphens as blanks and without them: "Anne-Marie" is "Annemarie" as well."""
    closed = "".join(letter for letter in name if unicodedata.category(letter) != "Pd")
    return {tuple(words_of(name)), tuple(words_of(closed))} - {()}


def left(words: list[str], others: list[str]) -> list[str]:
    """Those of *words* that none of *others* is: neither itself nor its initial."""
    open_words = Counter(others)
    rest = []
    for word in sorted(words, key=len, reverse=True):
        found = word if open_words[word] else None
        if found is None:
            initials = (each for each in sorted(open_words) if open_words[each] and is_initial(word, each))
            found = next(initials, None)
        if found is None:
            rest.append(word)
        else:
            open_words[found] -= 1
    return rest


def is_initial(one: str, other: str) -> bool:
    """Whether one word is the first letter of the other."""
    return min(len(one), len(other)) == 1 and one[0] == other[0]


def two_people(names: str, words: list[str]) -> bool:
    """Whether the *words* that only one of the *names* has name a second person: "John and Mary Smith", "John & Mary".
    A single letter may be an initial: "John E. Smith"."""
    return not JOINING_SIGNS.isdisjoint(names) or (len(words) > 1 and not JOINING.isdisjoint(words))


def is_family(one: str, other: str) -> bool:
    """Whether names of CJK scripts share a word but not all: 王 小明 and 王 芳."""
    return not {*one.casefold().split()}.isdisjoint(other.casefold().split())


def is_whole(name: str) -> bool:
    """Whether a name alone says enough: two words, or two letters of a script that has no blanks."""
    return len(words_of(name)) > 1
