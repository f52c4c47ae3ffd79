"""E-mail addresses: shown as they were given, compared in one form.

Two spellings of one mailbox are one address: letter case, composed and decomposed accents, full-width letters, a domain
in its own script or as A-labels (``bücher.example``, ``xn--bcher-kva.example``), and blanks or invisible marks that
were copied along. ``straße.example`` and ``strasse.example`` are two domains (UTS 46, non-transitional), and two
mailboxes differ as well if only their accents do.
"""

import re
import unicodedata

import email_validator
import idna

UNSEEN = (
    "\\s\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
"""White space, and what Unicode calls default ignorable: a reader sees nothing of it."""

AROUND = re.compile(f"[{UNSEEN}]+\\Z|\\A[{UNSEEN}]+")

A_LABEL = "xn--"
ROUNDS = 4
"""Normalizing can uncover a blank or a capital, which the next round takes care of."""


def trimmed(address: str) -> str:
    """*address* as it is shown: as given, without blanks and invisible marks around it."""
    if address.isascii() and address.isprintable():
        return address.strip()
    return AROUND.sub("", address)


def one_form(address: str) -> str:
    """What *address* is compared by: ``" Nora@Bücher.example"`` → ``nora@xn--bcher-kva.example``.

    Idempotent. Takes any text; a domain that is none only loses its letter case.
    """
    address = trimmed(address)
    if is_plain(address):
        return address.lower()
    for _ in range(ROUNDS):
        local, at, domain = address.rpartition("@")
        before = address
        address = trimmed(f"{folded(local)}{at}{encoded(domain)}")
        if address == before:
            break
    return address


def is_plain(address: str) -> bool:
    """Whether letter case is all that *address* may differ in from another spelling of it."""
    return address.isascii() and A_LABEL not in address.lower()


def spellings(address: str) -> tuple[str, ...]:
    """*address* as given, then in one form and with its domain in its own script, where these differ: what a search
    may know it by."""
    if is_plain(address):
        return (address,)
    compared = one_form(address)
    local, at, domain = compared.rpartition("@")
    try:
        own = idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        own = domain
    return tuple(dict.fromkeys((address, compared, f"{local}{at}{own}")))


def folded(local: str) -> str:
    """The part before the ``@``: NFKC and lower case; not ``casefold``, to which ``ß`` is ``ss``."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", local).lower())


def encoded(domain: str) -> str:
    """The domain as A-labels, by UTS 46 without its transitional rules."""
    try:
        return idna.encode(domain, uts46=True, transitional=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return folded(domain)


PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63})"
)
"""What nearly every address looks like; says yes only where email-validator does, at a tenth of its cost."""

SPECIAL_DOMAINS = tuple("." + name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES)
LONGEST_EMAIL = 254


def is_email(address: str) -> bool:
    """Whether mail could go there, without asking the DNS; ``.test``, ``localhost`` and such are refused."""
    if len(address) > LONGEST_EMAIL:
        return False
    plain = PLAIN_EMAIL.fullmatch(address)
    if plain and "--" not in address and not f".{plain[1]}".lower().endswith(SPECIAL_DOMAINS):
        return True
    try:
        email_validator.validate_email(address, check_deliverability=False)
    except email_validator.EmailNotValidError:
        return False
    return True
