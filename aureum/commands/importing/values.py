"""What the text of a cell says, as people write it. Each function raises Invalid with a sentence that names no value of
the cell but short words, since personal data must not get into logs."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from aureum.domain.emails import is_email, trimmed
from aureum.domain.errors import Invalid
from aureum.domain.ids import now
from aureum.domain.prices import number_in, price_typed
from aureum.domain.texts import one_line

LARGEST = Decimal("9999999999999.99")
SHORTENED = re.compile(r"[0-9][.,][0-9]+E\+?[0-9]+", re.IGNORECASE | re.ASCII)
PARTED = re.compile(r"[,;|\n]")
MOST_TAGS, LONGEST_TAG = 100, 100

YES = frozenset(("yes", "y", "true", "t", "1", "x", "si", "s", "verdadero", "on"))
NO = frozenset(("no", "n", "false", "f", "0", "falso", "off", "-"))

MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan ene", "feb", "mar", "apr abr", "may", "jun", "jul", "aug ago", "sep set", "oct", "nov", "dec dic"), 1
    )
    for name in names.split()
}
TIME = (
    r"(?:[T ,]+(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?"
    r" ?(?P<half>[ap]\.?m\.?)?)?"
)
DATES = re.IGNORECASE | re.ASCII
YEAR_FIRST = re.compile(r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})" + TIME, DATES)
YEAR_LAST = re.compile(r"(?P<a>[0-9]{1,2})[-/.](?P<b>[0-9]{1,2})[-/.](?P<year>[0-9]{4})" + TIME, DATES)
IN_WORDS = re.compile(
    r"(?:(?P<d1>[0-9]{1,2})\.?(?: de)? )?(?P<word>[a-z]{3,10})\.?(?: de)? (?:(?P<d2>[0-9]{1,2}),? )?(?P<year>[0-9]{4})"
    + TIME,
    DATES,
)
MONTH_FIRST = frozenset(("US", "CA", "PH", "PR"))
"""Countries where 3/4/2025 is a day in March."""
EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)


def plain(text: str) -> str:
    """*text* as words are compared: without case, accents and punctuation."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in apart if not unicodedata.combining(c)).split())


def text(name: str, said: str, limit: int, *, lines: bool = False) -> str:
    """A text of at most *limit* characters."""
    if "\0" in said:
        raise Invalid(name, f"{name} holds a NUL character.")
    kept = said.strip() if lines else one_line(said).strip()
    if len(kept) > limit:
        raise Invalid(name, f"{name} must have at most {limit} characters.")
    return kept


def email(name: str, said: str) -> str:
    """An address."""
    address = trimmed(said)
    if not is_email(address):
        raise Invalid(name, f"{name} must be a valid email address.")
    return address


def phone(name: str, said: str) -> str:
    """A phone as it stands there; not what a spreadsheet has made a number of."""
    if SHORTENED.fullmatch(said.strip()):
        raise Invalid(name, f"{name} was shortened by a spreadsheet. Format the column as text, and enter it again.")
    return text(name, said, 100)


def word(name: str, said: str, words: Mapping[str, str]) -> str:
    """One of the values of *words*, by what may be said for it."""
    found = words.get(plain(said))
    if found is None:
        raise Invalid(name, f"{name} must be one of: {', '.join(dict.fromkeys(words.values()))}.")
    return found


def tags(name: str, said: str) -> tuple[str, ...]:
    """Tags, parted by commas, semicolons, bars or lines, each once."""
    found = dict.fromkeys(text(name, one, LONGEST_TAG) for one in PARTED.split(said))
    found.pop("", None)
    if len(found) > MOST_TAGS:
        raise Invalid(name, f"{name} must have at most {MOST_TAGS} tags.")
    return tuple(found)


def whole(name: str, said: str, most: int) -> int:
    """A whole number from 0 to *most*."""
    number = number_in(said.strip())
    if number is None or number != int(number) or number > most:
        raise Invalid(name, f"{name} must be a whole number from 0 to {most}.")
    return int(number)


def price(name: str, said: str) -> str | None:
    """A price in dollars, as the domain records it."""
    value = price_typed(said)
    return None if value is None else exact(Decimal(repr(value)))


def amount(name: str, said: str) -> str:
    """A number of at most two decimals: rooms, square feet."""
    number = number_in(re.sub(r"\s*(?:sq\.? ?ft\.?|sqft|ft2|ft²|m2|m²)\Z", "", said.strip(), flags=re.IGNORECASE))
    if number is None or number > LARGEST or number != number.quantize(Decimal("0.01")):
        raise Invalid(name, f"{name} must be a number with at most two decimals.")
    return exact(number)


def exact(number: Decimal) -> str:
    """A decimal without needless zeros."""
    shown = f"{number:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def tick(name: str, said: str) -> bool:
    """Yes or no."""
    known = plain(said) or said.strip()
    if known in YES or said.strip() in ("✓", "✔"):
        return True
    if known in NO:
        return False
    raise Invalid(name, f"{name} must be yes or no.")


def moment(name: str, said: str, zone: ZoneInfo, country: str) -> datetime:
    """A moment in the past; without a time, midnight, and without an offset on the clock of *zone*. Which number of
    ``3/4/2025`` is the month is what *country* is used to."""
    found = with_offset(said.strip()) or on_clock(said.strip(), zone, country)
    if found is None:
        raise Invalid(name, f"{name} must be a date such as 2025-01-15, or 1/15/2025.")
    if not EARLIEST <= found <= now():
        raise Invalid(name, f"{name} must not be in the future, nor before 1970.")
    return found


def with_offset(said: str) -> datetime | None:
    """A time that says its offset."""
    try:
        found = datetime.fromisoformat(said)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def on_clock(said: str, zone: ZoneInfo, country: str) -> datetime | None:
    """A date, or a date with a time, on a clock."""
    folded = unicodedata.normalize("NFKC", said)
    if match := YEAR_FIRST.fullmatch(folded):
        month, day = int(match["month"]), int(match["day"])
    elif match := YEAR_LAST.fullmatch(folded):
        month, day = int(match["a"]), int(match["b"])
        if month > 12 or (day <= 12 and country not in MONTH_FIRST):
            month, day = day, month
    elif match := IN_WORDS.fullmatch(plain_date(folded)):
        month = MONTHS.get(match["word"][:3].lower(), 0)
        day = int(match["d1"] or match["d2"] or 1)
    else:
        return None
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    half = (match["half"] or "").lower()[:1]
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half == "p" else 0) if half else hour
    try:
        return datetime(int(match["year"]), month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def plain_date(said: str) -> str:
    """*said* with single blanks, and without the name of a weekday before it."""
    return re.sub(
        r"\A(?:mon|tue|wed|thu|fri|sat|sun|lun|mar|mie|jue|vie|sab|dom)[a-z]*,\s+",
        "",
        " ".join(said.split()),
        flags=re.I,
    )
