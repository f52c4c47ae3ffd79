"""Header fields of mails, written so that nothing in a value can end its line or begin another address.

The names in them come from visitors. The standard library takes quoted names apart when it folds them, so a comma in a
name may become a second recipient (in the Python releases that we support). Here a value is either one short line of
plain ASCII, or encoded words (RFC 2047), which hold no character with a meaning of its own.
"""

import base64
import re
import unicodedata
from datetime import datetime
from email.utils import format_datetime

import idna

from aureum.domain.texts import one_line

LONGEST_NAME = 80
LONGEST_SUBJECT = 150

SHORT = 66
"""What fits into one line behind the name of a field."""

WORD_BYTES = 39
"""Of an encoded word: with ``Subject: =?utf-8?b?…?=`` around it, its line has at most 76 characters (RFC 2047)."""

JOINERS = "\u200c\u200d"
"""The invisible characters that stay: many names and emoji are written with them."""

ADDRESS = re.compile(r"[^\s\x00-\x20\x7f-\x9f\"(),:;<>@\[\\\]]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?")
MESSAGE_ID = re.compile(r"<[A-Za-z0-9._%+=-]+@[A-Za-z0-9._-]+>")


def clean(text: str, most: int = LONGEST_NAME) -> str:
    """*text* as one line of at most *most* characters, without invisible marks, such as those that change the direction
    of writing. A lone surrogate becomes a replacement character."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_seen, one_line(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))))
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    while cut and (unicodedata.combining(line[len(cut)]) or line[len(cut)] in JOINERS or cut[-1] in JOINERS):
        cut = cut[:-1]
    return cut.rstrip() + "…"


def _seen(letter: str) -> str:
    kind = unicodedata.category(letter)
    return letter if letter in JOINERS or kind not in ("Cc", "Cf", "Cs", "Co") else ""


def unstructured(text: str) -> str:
    """The value of a field that is text, such as Subject; *text* is clean."""
    plain = text.isascii() and text.isprintable() and "=?" not in text and len(text) <= SHORT
    return text if plain else encoded_words(text)


def mailbox(name: str | None, address: str) -> str:
    """A person's *name* and *address* (``usable``) as From and To have them."""
    name = clean(name or "")
    if not name:
        return f"<{address}>"
    if name.isascii() and name.isprintable() and "=?" not in name and len(name) <= SHORT:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"\r\n <{address}>'
    return f"{encoded_words(name)}\r\n <{address}>"


def encoded_words(text: str) -> str:
    """*text* as encoded words, one a line."""
    words, word = [], b""
    for letter in text:
        more = letter.encode()
        if len(word) + len(more) > WORD_BYTES:
            words.append(word)
            word = b""
        word += more
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(one).decode()}?=" for one in (*words, word))


def usable(address: str | None) -> str | None:
    """*address* as headers and mail servers take it, with its domain in ASCII; None if a mail cannot go there."""
    local, at, domain = (address or "").strip().rpartition("@")
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return None
    whole = f"{local}{at}{ascii_domain}"
    fits = ADDRESS.fullmatch(whole) is not None and local.isprintable() and len(whole.encode("utf-8", "replace")) <= 254
    return whole if fits else None


def lines(fields: list[tuple[str, str]]) -> bytes:
    """The header fields as they are sent. Raises ValueError for a value that would end its field."""
    for name, value in fields:
        if re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n|\n(?! [^ \r])", value):
            raise ValueError(f"{name} holds a line end or a control character")
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode()


def date(at: datetime) -> str:
    """The value of Date."""
    return format_datetime(at)
