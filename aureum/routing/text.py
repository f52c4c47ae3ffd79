"""What enquiries and profiles are made into before anything else looks at them: clean text, tokens, segments."""

import re
import tomllib
import unicodedata
from functools import lru_cache
from importlib.resources import files

LIMIT = 1_000
"""How many characters of an enquiry are read. The model's time grows with them."""

TOKEN = re.compile(r"\w+(?:['’]\w+)*")
SEPARATOR = re.compile(r"(?:(?<!\d)[.,]|[.,](?!\d)|[;:!?()\n]|\s[-–—]+\s|\b(?:and|but|y|pero)\b)+\s*", re.IGNORECASE)


SPACES = re.compile(r"[^\S\n]+")
ASCII_CONTROLS = {code: " " for code in (*range(32), 127) if code != ord("\n")}


def clean(text: str) -> str:
    """*text* in which every character can be stored, sent and read: lone surrogates and controls become spaces."""
    if text.isascii():
        return SPACES.sub(" ", text.translate(ASCII_CONTROLS)).strip()
    kept = (" " if unicodedata.category(c) in ("Cs", "Cc", "Co", "Cn") and c != "\n" else c for c in text)
    return SPACES.sub(" ", unicodedata.normalize("NFC", "".join(kept))).strip()


def shortened(text: str, limit: int = LIMIT) -> str:
    """At most *limit* characters of *text*, cut between words where there are words."""
    if len(text) <= limit:
        return text
    cut = text[:limit]
    at = cut.rfind(" ")
    return cut[:at] if at > limit // 2 else cut


@lru_cache(maxsize=20_000)
def folded(token: str) -> str:
    """*token* without case, accents and possessive."""
    token = token.replace("’", "'").casefold().removesuffix("'s").removesuffix("'")
    if token.isascii():
        return token
    return "".join(c for c in unicodedata.normalize("NFKD", token) if not unicodedata.combining(c))


WORDS: dict[str, str] = tomllib.loads(files("aureum.routing").joinpath("common_words.toml").read_text())

FUNCTION_WORDS = frozenset(map(folded, WORDS["function"].split()))
"""Words that say nothing of what is wanted, in English and Spanish."""

GENERIC_WORDS = frozenset(map(folded, WORDS["generic"].split()))
"""Words that nearly every enquiry of the trade may hold: they alone do not tell which agent should get it."""


@lru_cache(maxsize=20_000)
def singular(word: str) -> str:
    """A folded *word* without its plural, as far as spelling tells: for comparing words, not for reading."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def words(text: str) -> list[str]:
    """The folded words of *text*, in order."""
    return [folded(token) for token in TOKEN.findall(text)]


def content_words(text: str) -> list[str]:
    """Its folded words that are not function words."""
    return [word for word in words(text) if word not in FUNCTION_WORDS]


def telling_words(text: str) -> list[str]:
    """Its folded words that are neither function words nor generic, nor numbers."""
    return [word for word in content_words(text) if word not in GENERIC_WORDS and not word.isdecimal()]


def segments(text: str) -> list[tuple[str, str]]:
    """The parts of *text* between stops, commas and "and", each with the separator behind it."""
    parts, at = [], 0
    for match in SEPARATOR.finditer(text):
        parts.append((text[at : match.start()], match[0]))
        at = match.end()
    parts.append((text[at:], ""))
    return parts
