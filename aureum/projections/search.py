"""One way to search for every list: what a row is found by, and what a search asks of it. Pure.

A search is made of words, each of which must be found, in any order: as a part of what the row says, in any case and
with or without accents. A phone is found by any run of its digits, however it is written. Where no row has all words, a
typo is forgiven in each that has three letters or more: a letter too many, too few or another one, or two neighbours
swapped; in an e-mail address one before the ``@`` and one behind it.

A row keeps one text for it (``words``), in plain ASCII: letters that are not are written as ``X`` and four digits of
base 36, so that PostgreSQL's trigrams cut up every script alike, under any locale. Words in which a typo is forgiven
begin with ``MARK``. Of an e-mail's domain only its long labels, and the whole of it, may have typos: else "Tom" would
find every address at a ``.com``, and "Gail" every one at ``gmail``.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import orjson

from aureum.domain.emails import spellings

MARK = "\x02"
WORD = re.compile(r"[^\W_]+")
SEPARATORS = re.compile("[,;、，；・]+")
"""What stands between words besides white space."""

PHONE = re.compile(r"[+()\d./-]*\d[+()\d./-]*")
"""What may be a part of a phone: digits, and what people put between them."""

PLAIN_PHONE = re.compile(r"\+?[0-9][0-9()./-]*")
"""A phone in which nothing else is said, as most are."""

NOT_DIGITS = re.compile(r"[^0-9]+")
ONLY_DIGITS = dict.fromkeys(point for point in range(128) if not chr(point).isdigit())
"""Takes everything else out of a text of ASCII."""

CONTROLS = re.compile("[\x00-\x1f]")
SHORTEST_RUN = 4
"""Digits that find a phone, no matter what stands between them."""

SHORTEST_WORD = 3
"""Shorter words are too much alike for a typo in them to be forgiven."""

LONGEST_WORD = 40
SHORTEST_LABEL = 6
DOMAINS = 1_024
"""Of e-mail addresses, that a process remembers."""

WITHOUT_MARKS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"})
"""Letters that Unicode does not take apart, as people without them on their keyboard write them."""

CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
"""Scripts in which a name is written without a blank."""

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
NOT_ASCII = re.compile(r"[^\x00-\x7f]")
LETTER = "(?:[a-z0-9]|X.{4})"


def fold(text: str) -> str:
    """*text* without case and accents: ``Zoë`` → ``zoe``, ``İ`` → ``i``, ``Groß`` → ``gross``, ``٣`` → ``3``.

    Each character by itself, so that a part of a text folds to a part of the folded text.
    """
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    letters = "".join(letter for letter in apart if not unicodedata.combining(letter)).translate(WITHOUT_MARKS)
    return letters if letters.isascii() else "".join(map(plain_digit, letters))


def plain_digit(letter: str) -> str:
    """A decimal digit of any script as one of ours, anything else as it is."""
    return str(unicodedata.decimal(letter)) if letter.isdecimal() else letter


def ascii_only(text: str) -> str:
    """Folded *text* as it is stored and looked for."""
    return text if text.isascii() else NOT_ASCII.sub(lambda found: coded(ord(found[0])), text)


def coded(point: int) -> str:
    """A character that is not ASCII: always as long, and beginning with what nothing else begins with."""
    digits = ""
    for _ in range(4):
        point, digit = divmod(point, 36)
        digits = DIGITS[digit] + digits
    return f"X{digits}"


def words_in(text: str) -> list[str]:
    """The words of *text*, folded. Control characters are none of it."""
    folded = fold(text)
    return (folded if folded.isprintable() else CONTROLS.sub(" ", folded)).split()


def found_by(
    texts: Iterable[str | None],
    *,
    name: Iterable[str] = (),
    email: str | None = None,
    phones: Iterable[str | None] = (),
) -> str:
    """The text that a row is searched in: a person's *name*, in its parts, an address, phones, and other *texts*."""
    parts = [part for part in name if part]
    said = " ".join([*parts, *[text for text in texts if text], *(spellings(email) if email else ())])
    words = words_in(said)
    parted: list[str] = []
    for word in words:
        if word.isalnum():
            parted.append(word)
        else:
            parted += forgiven(word)
    marked = dict.fromkeys([word for word in parted if SHORTEST_WORD <= len(word) <= LONGEST_WORD])
    plain = dict.fromkeys([word for word in words if word not in marked])
    if not said.isascii():
        plain |= dict.fromkeys(joined_names(parts))
    plain |= dict.fromkeys(digits_of(phones))
    stored = " ".join([*[MARK + word for word in marked], *plain])
    return f"{ascii_only(stored)} " if stored else ""


def forgiven(word: str) -> list[str]:
    """The words of a name or an address in which a typo is forgiven: ``o'neil`` → ``o``, ``neil``, ``oneil``."""
    local, at, domain = word.rpartition("@")
    words = WORD.findall(local if at else word)
    found = [*words, "".join(words)]
    return [*found, *forgiven_in_domain(domain)] if at else found


@lru_cache(maxsize=DOMAINS)
def forgiven_in_domain(domain: str) -> tuple[str, ...]:
    """The same of the domain of an address. Most people have theirs at a few."""
    labels = WORD.findall(domain)
    return ("".join(labels), *[label for label in labels[:-1] if len(label) >= SHORTEST_LABEL])


def joined_names(parts: list[str]) -> Iterator[str]:
    """A name of CJK scripts without a blank, in both orders."""
    words = words_in(" ".join(parts)) if any(map(CJK.search, parts)) else []
    if len(words) > 1:
        yield "".join(words)
        yield "".join(reversed(words))


def digits_of(phones: Iterable[str | None]) -> list[str]:
    """The digits of *phones*, less what stands in another of them; and what else than digits is said there."""
    # In the order given: a rebuilt row must be the same text as the one that an append wrote.
    runs: dict[str, None] = {}
    said: list[str] = []
    for phone in phones:
        if not phone:
            continue
        digits = phone.removeprefix("+")
        if not (digits.isascii() and digits.isdigit()):
            digits = digits.translate(ONLY_DIGITS) if phone.isascii() else NOT_DIGITS.sub("", fold(phone))
            if not PLAIN_PHONE.fullmatch(phone):
                said += [word for word in words_in(phone) if not PHONE.fullmatch(word)]
        runs[digits] = None
    found = ""
    for run in sorted(runs, key=len, reverse=True):
        if run not in found:
            found += f"{run} "
    return found.split() + said


class Word(NamedTuple):
    """What one word asks: one of the patterns *likes*, for LIKE; or, where a typo is forgiven, one of the patterns
    *near*, which an index finds, and the regular expression *typo* besides."""

    likes: tuple[str, ...]
    near: tuple[str, ...] = ()
    typo: str | None = None


class Search(NamedTuple):
    """What a search asks, as JSON for the database: all words as they stand, and with a typo forgiven."""

    exact: str
    forgiving: str


def asked(search: str | None) -> Search | None:
    """What *search* asks; None if it is blank, which asks nothing."""
    words = list(dict.fromkeys(split(search or "")))
    if not words:
        return None
    exact = dict.fromkeys(each for _, alternatives in phones_among(words) for each in [Word(alternatives)])
    forgiving = dict.fromkeys(
        each for word, alternatives in phones_among(words) for each in with_typo(word, alternatives)
    )
    return Search(as_json(exact), as_json(forgiving))


def split(search: str) -> Iterator[str]:
    """The words that are looked for; ``smith,john`` is two."""
    for word in words_in(search):
        parts = [part for part in SEPARATORS.split(word) if part]
        yield from parts or [word]


def phones_among(words: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each word with the patterns one of which must hold: itself, or, in a phone, the digits of it and its neighbours
    (``(208) 555-0123``)."""
    place = 0
    while place < len(words):
        end = place
        while end < len(words) and PHONE.fullmatch(words[end]):
            end += 1
        digits = "".join(NOT_DIGITS.sub("", word) for word in words[place:end])
        for word in words[place : max(end, place + 1)]:
            own = NOT_DIGITS.sub("", word) if PHONE.fullmatch(word) else ""
            alternatives = [word, *([own] if own else []), *([digits] if len(digits) >= SHORTEST_RUN else [])]
            yield word, tuple(dict.fromkeys(f"%{escaped(ascii_only(each))}%" for each in alternatives))
        place = max(end, place + 1)


def with_typo(word: str, likes: tuple[str, ...]) -> Iterator[Word]:
    """*word* with a typo forgiven; an address asks for what stands before the ``@`` and behind it apart.

    What is too short there for a typo is found as it stands before the ``@``: ``ng`` of ``ng@exmaple.net``.
    """
    sides = word.split("@")
    joined = ["".join(WORD.findall(side)) for side in sides]
    if PHONE.fullmatch(word) or not any(joined):
        yield Word(likes)
        return
    for place, (side, letters) in enumerate(zip(sides, joined, strict=True)):
        before = place < len(sides) - 1 and len(letters) < SHORTEST_WORD
        exact = (*likes, f"%{escaped(ascii_only(side))}@%") if before else likes
        if SHORTEST_WORD - 1 <= len(letters) <= LONGEST_WORD + 1:
            yield Word(exact, *nearby(letters))
        elif letters:
            yield Word(exact)


def nearby(word: str) -> tuple[tuple[str, ...], str]:
    """Patterns one of which every word has that is one typo apart from *word*, and the regular expression for exactly
    those. A typo leaves one half as it is, but for the swap of the two letters in the middle. Of two letters only the
    third may be missing."""
    letters = [ascii_only(letter) for letter in word]
    swaps = ["".join(each) for each in swapped(letters)]
    if len(letters) < SHORTEST_WORD:
        first, last = letters
        third = [f"{{}}{first}{last}", f"{first}{{}}{last}", f"{first}{last}{{}}"]
        longer = [each.format(letter) for each in third for letter in ("_", "X____")]
        typos = "|".join(each.format(LETTER) for each in third)
        return tuple(f"%{MARK}{each} %" for each in longer), f"{MARK}(?:{typos}) "
    if len(letters) == SHORTEST_WORD:
        first, middle, last = letters
        whole = [*swaps, *(f"{first}{between}{last}" for between in ("", "_", "X____"))]
        begins, ends = first + middle, middle + last
    else:
        half = len(letters) // 2
        whole = [swaps[half - 1]]
        begins, ends = "".join(letters[:half]), "".join(letters[half:])
    near = (f"%{MARK}{begins}%", f"%{ends} %", *(f"%{MARK}{each} %" for each in whole))
    return near, f"{MARK}(?:{'|'.join(misspellings(letters))}) "


def swapped(letters: list[str]) -> Iterator[list[str]]:
    """*letters* with two neighbours swapped."""
    for place in range(len(letters) - 1):
        yield [*letters[:place], letters[place + 1], letters[place], *letters[place + 2 :]]


def misspellings(letters: list[str]) -> list[str]:
    """Regular expressions of the words that are one typo apart."""
    found = ["".join(each) for each in swapped(letters)]
    for place in range(len(letters) + 1):
        before, after = "".join(letters[:place]), "".join(letters[place:])
        found.append(f"{before}{LETTER}{after}")
        if after:
            found.append(f"{before}{LETTER}?{''.join(letters[place + 1 :])}")
    return list(dict.fromkeys(found))


def finder(words: str) -> Callable[[str], bool]:
    """Whether a text has all of the *words* of a ``Search``, as the database decides it (``search.sql``)."""
    each = [
        (
            [like(pattern) for pattern in word["likes"]],
            [like(pattern) for pattern in word["near"]],
            None if word["typo"] is None else re.compile(word["typo"]),
        )
        for word in orjson.loads(words)
    ]

    def is_found(text: str) -> bool:
        return all(
            any(one.fullmatch(text) for one in likes)
            or (typo is not None and typo.search(text) is not None and any(one.fullmatch(text) for one in near))
            for likes, near, typo in each
        )

    return is_found


def like(pattern: str) -> re.Pattern[str]:
    """A pattern of LIKE as a regular expression for the whole text."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)


def as_json(words: Iterable[Word]) -> str:
    """*words* as the database takes them."""
    return orjson.dumps([one._asdict() for one in words]).decode()


def escaped(word: str) -> str:
    """*word* without what LIKE would take for more than itself."""
    return re.sub(r"([\\%_])", r"\\\1", word)
