"""Masking: words that say who a client is are taken out of a text before it is compared with anything.

The words and their sources stand in ``protected.toml``. A masked word leaves a mark, so that its neighbours do not
become a phrase, and masking twice is masking once. A segment of which little else remains is dropped whole: "as a
single mother," says nothing of the home that is wanted, and "as a" would only be noise.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

from aureum.routing.text import FUNCTION_WORDS, TOKEN, folded, segments, singular, telling_words

MARK = "█"

MARKS = re.compile(rf"{MARK}(?:[^\w.,;:!?()\n]*{MARK})*['’]?")

CONTENT_LEFT = 2
"""A segment with a masked word and fewer telling words than this is dropped."""

SPACELESS = "\u2e80"
"""Where the scripts begin that put no spaces between words."""

LEADING_UP = FUNCTION_WORDS | frozenset(["close", "near", "nearby", "next", "walking", "distance", "member"])
"""What goes with a masked word that it leads up to: "close to the mosque"."""

NAME_PART = re.compile(r"[^\W\d_]{2,}")

GAP = re.compile(r"[\s\-–/'’\"]*")
"""What may stand between the words of a phrase."""

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Protected:
    """Phrases by their first word, longest first, each with whether it is masked; ``keep`` are those that are not."""

    phrases: dict[str, tuple[tuple[Phrase, bool], ...]]

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where in *text* a protected phrase begins and ends."""
        tokens = [(match.start(), match.end(), key(match[0])) for match in TOKEN.finditer(text)]
        at = 0
        while at < len(tokens):
            length, masked = 1, False
            for phrase, is_masked in self.phrases.get(tokens[at][2], ()):
                if self._stands(text, tokens[at : at + len(phrase)], phrase):
                    length, masked = len(phrase), is_masked
                    break
            if masked:
                yield tokens[at][0], tokens[at + length - 1][1]
            at += length

    @staticmethod
    def _stands(text: str, tokens: list[tuple[int, int, str]], phrase: Phrase) -> bool:
        return tuple(token for _, _, token in tokens) == phrase and all(
            GAP.fullmatch(text, before[1], after[0]) for before, after in pairwise(tokens)
        )


def key(token: str) -> str:
    """By what a token is compared with protected words."""
    return singular(folded(token))


def phrase_of(written: str) -> Phrase:
    """*written* as the tokens that it consists of."""
    return tuple(key(token) for token in TOKEN.findall(written))


@lru_cache(maxsize=256)
def protected(added: frozenset[str] = frozenset()) -> Protected:
    """The list as it ships, and what a brokerage has *added* to it."""
    data = tomllib.loads(files("aureum.routing").joinpath("protected.toml").read_text())
    masked = [word for group in data["class"] for word in (*group["words"], *group["phrases"])]
    known = {phrase_of(written): False for written in data["keep"]}
    for written in (*masked, *sorted(added)):
        known[phrase_of(written)] = True
    by_first: dict[str, list[tuple[Phrase, bool]]] = {}
    for phrase, is_masked in known.items():
        if phrase:
            by_first.setdefault(phrase[0], []).append((phrase, is_masked))
    return Protected({first: tuple(sorted(all_, key=lambda one: -len(one[0]))) for first, all_ in by_first.items()})


def name_pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """What finds the words of *names*, of two letters or more; in scripts without spaces, anywhere."""
    parts = {part for name in names for part in NAME_PART.findall(name)}
    if not parts:
        return None
    ordered = sorted(parts, key=lambda part: (-len(part), part))
    return re.compile("|".join(rf"\b{part}\b" if part < SPACELESS else part for part in ordered), re.IGNORECASE)


def may_have(text: str, names: Iterable[str]) -> bool:
    """Whether it is worth while to look for *names*: a pattern of each visitor's own costs more than all else here."""
    if not text.isascii():
        return True
    lower = text.lower()
    return any(part in lower for name in names for part in NAME_PART.findall(name.casefold()))


def masked(text: str, words: Protected, names: Iterable[str] = ()) -> str:
    """*text* with a mark in place of each protected phrase and of each word of the client's own *names*."""
    if not text:
        return text
    if may_have(text, names):
        pattern = name_pattern(names)
        text = text if pattern is None else pattern.sub(MARK, text)
    parts, at = [], 0
    for start, end in words.spans(text):
        parts += [text[at:start], MARK]
        at = end
    marked = MARKS.sub(MARK, "".join([*parts, text[at:]]))
    return "".join(part + separator for part, separator in segments(marked) if not says_little(part)).strip()


def says_little(segment: str) -> bool:
    """Whether a word of the segment was masked, and next to nothing is left of it."""
    if MARK not in segment:
        return False
    return len(telling_words(segment)) < CONTENT_LEFT


def without_marks(text: str) -> str:
    """What is compared: *text* without the marks that masking left, and the words that led up to each."""
    kept: list[str] = []
    for part in re.split(rf"({MARK})", re.sub(r"[()]", " ", text)):
        if part == MARK:
            while kept and folded(kept[-1]) in LEADING_UP:
                kept.pop()
        else:
            kept += part.split()
    return re.sub(r" ([.,;:!?])", r"\1", " ".join(kept))
