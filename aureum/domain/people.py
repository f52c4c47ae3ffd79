"""When two forms are one person's: the e-mail address and the name are the same. Either alone only suggests it.

Addresses are compared in one form. Names are compared by their words, in any order and case and without accents:
"Zoë van Dam" and "VAN DAM, Zoe" are one name. A hyphen parts words, and an apostrophe or a period does not. A name in
which Chinese, Japanese or Korean is written is compared by its letters, since it is written with and without a blank.
"J. Smith", "John Q. Smith" and "Müller" beside "Mueller" are other names: these two may be two people at one address.
"""

import hashlib
import re
import unicodedata
from functools import lru_cache
from uuid import UUID

from aureum.domain.emails import one_form

LETTERS = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
"""Of the scripts in which a name is written without a blank."""

PLAIN = {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"}
"""Letters that Unicode does not take apart, as they are written without their marks."""

KEPT = 1_024
"""Of those who asked last: a form asks for its own twice."""


@lru_cache(maxsize=KEPT)
def recognized_by(email: str | None, *name: str) -> UUID | None:
    """What stands for everyone with this address and this name, given in its parts. None without an address, or
    without a name that has any letter: then no client is recognized. A digest, so that no index holds an address
    again."""
    if not email or "@" not in email:
        return None
    words = words_of(" ".join(name))
    if not words:
        return None
    return digest(one_form(email), *words)


def email_key(email: str | None) -> UUID | None:
    """What stands for an address in an index, by its compared form."""
    return digest(one_form(email)) if email and "@" in email else None


def phone_key(e164: str | None) -> UUID | None:
    """What stands for a phone in an index."""
    return digest(e164) if e164 else None


def name_key(*name: str) -> UUID | None:
    """What stands for a name in an index, in any order of its words. None for a single word, which too many share."""
    words = words_of(" ".join(name))
    return digest(*words) if len(words) > 1 else None


def digest(*parts: str) -> UUID:
    """A digest of *parts*, so that no index holds an address, a phone or a name in the clear."""
    return UUID(bytes=hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).digest())


def words_of(name: str) -> list[str]:
    """The words of *name* that are compared, in an order of their own."""
    if name.isascii():
        lower = name.lower()
        return sorted((lower if name.replace(" ", "").isalnum() else lower.translate(PLAIN_ASCII)).split())
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = "".join(map(plain_letter, apart))
    if LETTERS.search(unicodedata.normalize("NFC", plain)):
        return sorted("".join(plain.split()))
    return sorted(plain.split())


def plain_letter(letter: str) -> str:
    """*letter* as it is compared: a blank where words are parted, and nothing for what only marks a word."""
    kind = unicodedata.category(letter)
    if kind in ("Pd", "Zs", "Zl", "Zp", "Cc") or letter in ",;/_&+、，；・":
        return " "
    if unicodedata.combining(letter) or kind[0] in "PSC":
        return ""
    return PLAIN.get(letter, letter)


PLAIN_ASCII = {point: plain_letter(chr(point)) for point in range(128)}
"""``plain_letter`` for a whole text of ASCII."""
