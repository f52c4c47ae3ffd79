"""Prices as people write them: shown as ``$300,000``, and understood as ``300k``, ``300,000 USD`` or ``$1.2 million``.

Prices are in US dollars. What says another currency, or may be meant in two ways, is refused with what to type instead:
``300.000`` is three hundred to one reader and three hundred thousand to another. Pure.
"""

import re
from decimal import Decimal

from aureum.domain.errors import Invalid

FIELD = "price"

DOLLARS = re.compile(r"\$|\b(?:usd|(?:us )?dollars?)\b", re.IGNORECASE)
US_DOLLARS = re.compile(r"\bus ?\$", re.IGNORECASE)
FOREIGN = re.compile(
    r"[€£¥₹₩₽₺₪₫₴₱฿¢]|\b[a-z]{1,2}\$|"
    r"\b(?:eur|euros?|gbp|pounds?|chf|cad|aud|nzd|mxn|pesos?|jpy|yen|cny|inr|brl|sek|nok|dkk|kr|pln)\b",
    re.IGNORECASE,
)
LARGE = {
    "": Decimal(1),
    "k": Decimal(1000),
    "thousand": Decimal(1000),
    "m": Decimal(10**6),
    "mm": Decimal(10**6),
    "mil": Decimal(10**6),
    "mio": Decimal(10**6),
    "million": Decimal(10**6),
}
NUMBER = re.compile(r"(?P<digits>[0-9][0-9., '’]*)\s*(?P<large>[a-z]*)\.?", re.IGNORECASE | re.ASCII)
PLAIN = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII)
THREE_DIGITS = re.compile(r"(?P<whole>[1-9][0-9]{0,2})\.(?P<more>[0-9]{3})", re.ASCII)
"""Cents to one reader, and thousands to another."""

GROUPED = (
    re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?", re.ASCII),
    re.compile(r"[0-9]{1,3}(?:[ '’][0-9]{3})+(?:\.[0-9]{1,2})?", re.ASCII),
)
"""Thousands in groups, cents behind a point: ``1,234,567.50``, ``1 234 567``."""

EUROPEAN = re.compile(r"[0-9]{1,3}(?:(?:\.[0-9]{3}){2,}(?:,[0-9]{1,2})?|\.[0-9]{3},[0-9]{1,2})", re.ASCII)
"""Groups behind points where nothing else can be meant: ``1.234.567``, ``300.000,50``."""

LARGEST = Decimal("9999999999999.99")

NOT_DOLLARS = "Prices are in US dollars. Type the price in dollars, such as $300,000."
NO_PRICE = "“{text}” is not a price. Type it in dollars, such as $300,000 or 300k."
IN_TWO_WAYS = "“{text}” can be read in two ways. Type {one} or {other}."
TOO_LARGE = "A price is at most $9,999,999,999,999.99."
TOO_EXACT = "A price has whole cents. Type at most two digits after the point."


def price_shown(value: float) -> str:
    """``300000`` → ``$300,000``, ``450000.5`` → ``$450,000.50``."""
    return f"${Decimal(repr(value)):,.2f}".removesuffix(".00")


def price_typed(text: str) -> float | None:
    """What *text* says in dollars; None for nothing. Raises Invalid."""
    text = " ".join(text.split())
    if not text:
        return None
    said = US_DOLLARS.sub("$", text)
    if FOREIGN.search(said):
        raise Invalid(FIELD, NOT_DOLLARS)
    found = NUMBER.fullmatch(DOLLARS.sub(" ", said).strip())
    number = None if found is None else number_in(found["digits"].strip(" .,"))
    if found is None or number is None or found["large"].lower() not in LARGE:
        raise Invalid(FIELD, NO_PRICE.format(text=short(text)))
    thousands = THREE_DIGITS.fullmatch(found["digits"].strip())
    if thousands is not None and not found["large"]:
        choice = (price_shown(int(thousands["whole"] + thousands["more"])), price_shown(int(thousands["whole"])))
        raise Invalid(FIELD, IN_TWO_WAYS.format(text=short(text), one=choice[0], other=choice[1]))
    value = number * LARGE[found["large"].lower()]
    if value > LARGEST:
        raise Invalid(FIELD, TOO_LARGE)
    if value != value.quantize(Decimal("0.01")):
        raise Invalid(FIELD, TOO_EXACT)
    return float(value)


def number_in(digits: str) -> Decimal | None:
    """The number that *digits* are; None if they are none."""
    for grouped in GROUPED:
        if grouped.fullmatch(digits):
            return Decimal(re.sub("[, '’]", "", digits))
    if EUROPEAN.fullmatch(digits):
        return Decimal(digits.replace(".", "").replace(",", "."))
    return Decimal(digits) if PLAIN.fullmatch(digits) else None


def short(text: str) -> str:
    """As much of *text* as a sentence holds."""
    return text if len(text) <= 40 else f"{text[:40]}…"
