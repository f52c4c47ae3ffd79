"""Which passwords are guessed first, and may not be set (NIST SP 800-63B-4, 3.1.1.2): common ones and their usual
variations, runs and repetitions, and what is known of the user.

There are no rules about kinds of characters: they lead to Password1!. zxcvbn has lists of common passwords, names and
words, knows rows of keys, dates and sequences, and tells how many guesses an attacker needs.
"""

import re
import unicodedata
from collections.abc import Iterable

LEAST_GUESSES = 10**8
"""What is slow to guess even with the hash at hand; online, five guesses in a quarter of an hour are let through."""

LOOKED_AT = 24
"""Characters that are looked at, at the beginning and at the end: the effort grows with the square of it, and what
is good for so many is good."""

SHORTEST_WORD = 3
OURS = ("aureum",)
PART = re.compile(r"[^\W_]+")


def is_guessable(password: str, known: Iterable[str]) -> bool:
    """Whether *password* is guessed soon by an attacker with the lists who knows what is *known* of the user, such as
    address, name and brokerage. Takes up to half a second of CPU, where it was made to."""
    from zxcvbn import zxcvbn  # type: ignore[import-untyped]  # the library has none; a tenth of a second to import

    words = words_in(known)
    text = folded(password)
    # A guesser who knows the words tries them first, with a sign or two between them: what is left must do alone.
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "")
    if text != folded(password):
        text = "".join(PART.findall(text))
    if not text:
        return True
    parts = {text[:LOOKED_AT], text[-LOOKED_AT:]}
    return all(zxcvbn(part, user_inputs=sorted(words))["guesses"] < LEAST_GUESSES for part in parts)


def words_in(known: Iterable[str]) -> set[str]:
    """All words of some length: whole, and each part."""
    words = set()
    for text in (*known, *OURS):
        whole = folded(text)
        parts = PART.findall(whole)
        words |= {whole, "".join(parts), *parts}
    return {word for word in words if len(word) >= SHORTEST_WORD}


def folded(text: str) -> str:
    """As it is compared: in one form and one case."""
    return unicodedata.normalize("NFKC", text).casefold()
