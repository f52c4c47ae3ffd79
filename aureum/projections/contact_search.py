"""What a contact is found by, and what a search asks for: both are keys of one index. Pure.

Each word of a search must be found in the name or the e-mail: as it stands there, or a part of it, in any case and with
or without accents; or with one typo, if it has three letters or more: a letter too many, too few, or another one, two
swapped, or one at a wrong place. A contact's keys are

- the three letters at each place of its text (fewer at the end of a word): a part of a word has all of its own among
  them, and one of two letters begins one of them;
- ``T`` with a word, and with the word less one letter, for every letter: two words share one of these if they are one
  typo apart (the idea of SymSpell);
- ``G`` with a tag, ``K`` with the type.

Text is in lower case, so that these do not get mixed up. Of an e-mail's domain only its long labels, and the whole of
it, may have typos: else "Tom" would find everybody at a ``.com``, and "Gail" at ``gmail``.
"""

import re
import unicodedata
from collections.abc import Iterable

import orjson

WORD = re.compile(r"[^\W_]+")
SHORTEST_WORD = 3
"""Shorter words are too much alike for a typo in them to be forgiven."""

LONGEST_WORD = 40
SHORTEST_LABEL = 6
PART = 3

INDEXED_WORDS = 5
"""How many words the index is asked for; those beyond are looked for in what it finds."""

NOTHING = "'T'"
"""A query that finds no contact."""

INDEXED_PARTS = 4
"""How many parts of a word the index is asked for, one beside the other; more would cost more than they rule out."""

WITHOUT_MARKS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"})
"""Letters that Unicode does not take apart, as people without them on their keyboard write them."""


def fold(text: str) -> str:
    """*text* without case and accents: ``Zoë`` → ``zoe``, ``İ`` → ``i``, ``Groß`` → ``gross``.

    Each character by itself, so that a part of a text folds to a part of the folded text.
    """
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).translate(WITHOUT_MARKS)


def found_by(texts: Iterable[str | None], tags: Iterable[str], kind: str) -> tuple[str, str]:
    """A contact's folded text, and its keys as PostgreSQL reads a tsvector. *texts* are its names and e-mail, *kind*
    is its type."""
    tokens = fold(" ".join(text for text in texts if text)).split()
    keys = set(map(quoted, tag_and_type(tags, kind)))
    for token in tokens:
        pieces = [token[place : place + PART] for place in range(len(token))]
        # Of letters and digits alone, as all words are, nothing needs quotes.
        keys.update(pieces if token.isalnum() else map(quoted, pieces))
        for word in forgiven(token):
            if SHORTEST_WORD <= len(word) <= LONGEST_WORD:
                keys.update(typos(word))
    return " ".join(tokens), " ".join(sorted(keys))


def forgiven(token: str) -> set[str]:
    """The words of a name or an address in which a typo is forgiven: ``o'neil`` → ``o``, ``neil``, ``oneil``."""
    if token.isalnum():
        return {token}
    local, _, domain = token.rpartition("@") if "@" in token else (token, "", "")
    words, labels = WORD.findall(local), WORD.findall(domain)
    long = [label for label in labels[:-1] if len(label) >= SHORTEST_LABEL]
    return {*words, "".join(words), "".join(labels), *long}


def typos(word: str) -> list[str]:
    """The keys of *word*: ``T`` with it, and with it less one letter, for each of its letters."""
    key = f"T{word}"
    return [key, *[key[:place] + key[place + 1 :] for place in range(1, len(key))]]


def asked(search: str | None, tag: str | None, kind: str | None) -> tuple[str, str] | None:
    """What the index is asked for, as PostgreSQL reads a tsquery; and each word as JSON, its ``pattern`` for LIKE and
    its ``typo`` as a tsquery, one of which must hold. None if there is nothing to search by: a blank search finds all.
    *kind* is the contact's type.
    """
    words = list(dict.fromkeys(fold(search or "").split()))
    if not words and tag is None:
        return None
    # Short words are in so many contacts that looking for them in what the others find costs less.
    indexed = sorted((word for word in words if len(word) >= PART), key=len, reverse=True) or words
    queries = [f"({parts(word)} | {misspelt(word)})" for word in indexed[:INDEXED_WORDS]]
    queries += [quoted(key) for key in tag_and_type(() if tag is None else (tag,), kind)]
    each = [{"pattern": f"%{escaped(word)}%", "typo": misspelt(word)} for word in words]
    return " & ".join(queries), orjson.dumps(each).decode()


def tag_and_type(tags: Iterable[str], kind: str | None) -> list[str]:
    """The keys of *tags*, and of a type unless it is None."""
    return [f"G{tag}" for tag in tags] + ([] if kind is None else [f"K{kind}"])


def parts(word: str) -> str:
    """The query that finds every contact whose text holds *word*, and perhaps others."""
    if len(word) < PART:
        return f"{quoted(word)}:*"
    places = dict.fromkeys((*range(0, len(word) - PART, PART), len(word) - PART))
    return f"({' & '.join(quoted(word[place : place + PART]) for place in list(places)[:INDEXED_PARTS])})"


def misspelt(word: str) -> str:
    """The query that finds *word* with a typo; in an address one before and one behind the ``@``.

    What is too short there for a typo is found as it stands before the ``@``: ``ng`` of ``ng@exmaple.net``.
    """
    *before, last = word.split("@")
    sides = [(side, "".join(WORD.findall(side))) for side in before]
    queries = [
        alike(joined) if len(joined) >= SHORTEST_WORD else f"({alike(joined)} | {quoted(f'{side}@'[-PART:])}:*)"
        for side, joined in sides
        if joined
    ]
    if joined := "".join(WORD.findall(last)):
        queries.append(alike(joined))
    return f"({' & '.join(queries)})" if queries else NOTHING


def alike(word: str) -> str:
    """The query that finds words which are one typo apart from *word*; from a shorter one, by a letter too few."""
    if len(word) > LONGEST_WORD + 1:
        return NOTHING
    told = typos(word) if len(word) >= SHORTEST_WORD else [f"T{word}"]
    return f"({' | '.join(map(quoted, sorted(set(told))))})"


def quoted(key: str) -> str:
    """A key as it stands in a tsvector or tsquery."""
    if key.isalnum():
        return key
    return "'" + key.replace("\\", "\\\\").replace("'", "''") + "'"


def escaped(word: str) -> str:
    """*word* without what LIKE would take for more than itself."""
    return re.sub(r"([\\%_])", r"\\\1", word)
