"""An agent's profile: which leads suit the agent, and when the agent can take one.

Prices are exact decimals as text, as of a property. Working hours are by day, ``{"mon": ["09:00", "17:00"]}``; a day
that is not there is a day off. ``away_from`` and ``away_to`` are moments as the Aureum API writes them; one of them may
be missing, and at ``away_to`` the agent is back.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from aureum.domain.errors import Invalid
from aureum.domain.texts import one_line

LISTS = ("specialties", "areas", "languages")
"""What has several words or phrases: tuples in the aggregate, lists in the event."""

PROFILE = ("takes_leads", *LISTS, "price_min", "price_max", "daily_cap", "hours", "away_from", "away_to", "primary")
"""What routing knows of an agent besides the bio. Nothing of it is personal."""

OWN = ("bio", "languages", "away_from", "away_to")
"""What agents change of their own profile (contract)."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_WORDS = 50
LONGEST_WORD = 100
LONGEST_BIO = 5_000
LARGEST_CAP = 10_000

LANGUAGE = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?(?P<rest>(?:-[a-z0-9]{1,8})*)",
    re.IGNORECASE | re.ASCII,
)
"""A tag of BCP 47: ``es``, ``pt-BR``, ``zh-Hant``. Private tags (``x-…``) and old ones (``i-…``) are refused."""

CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00", re.ASCII)

NO_LANGUAGE = "languages must hold language tags such as en, es or pt-BR."
NO_HOURS = (
    'hours must name days from mon to sun, each with a beginning and a later end, such as {"mon": ["09:00", "17:00"]}.'
)


def language_tag(text: str) -> str:
    """*text* as BCP 47 recommends to write it: ``EN-us`` is ``en-US``. Raises Invalid for what is no tag."""
    found = LANGUAGE.fullmatch(text.strip())
    if found is None:
        raise Invalid("languages", NO_LANGUAGE)
    parts = (found["language"].lower(), (found["script"] or "").title(), (found["region"] or "").upper())
    return "-".join(part for part in parts if part) + found["rest"].lower()


def checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """*changes* of a profile as they are kept: texts of one line, each once; languages as tags. Raises Invalid."""
    kept = dict(changes)
    for name in LISTS:
        if name in kept:
            kept[name] = words(name, kept[name])
    if kept.get("hours") is not None:
        kept["hours"] = working_hours(kept["hours"])
    cap = kept.get("daily_cap")
    if cap is not None and not 0 <= cap <= LARGEST_CAP:
        raise Invalid("daily_cap", f"daily_cap must be a whole number from 0 to {LARGEST_CAP}, or null for no limit.")
    if kept.get("bio") is not None and len(kept["bio"]) > LONGEST_BIO:
        raise Invalid("bio", f"bio must have at most {LONGEST_BIO} characters.")
    return kept


def words(name: str, given: Sequence[str]) -> tuple[str, ...]:
    """Several words or phrases, each once, in their order. Raises Invalid."""
    texts = [language_tag(text) if name == "languages" else one_line(text).strip() for text in given]
    once = tuple(dict.fromkeys(text for text in texts if text))
    if len(once) > MOST_WORDS:
        raise Invalid(name, f"{name} must have at most {MOST_WORDS} entries.")
    if any(len(text) > LONGEST_WORD for text in once):
        raise Invalid(name, f"Each of {name} must have at most {LONGEST_WORD} characters.")
    return once


def working_hours(given: Mapping[str, Sequence[str]]) -> dict[str, list[str]] | None:
    """Hours with the days in the order of the week; None for none. Raises Invalid."""
    for day, hours in given.items():
        if day not in DAYS or len(hours) != 2 or not all(map(CLOCK.fullmatch, hours)) or hours[0] >= hours[1]:
            raise Invalid("hours", NO_HOURS)
    return {day: list(given[day]) for day in DAYS if day in given} or None


def check_order(low: str | None, high: str | None) -> None:
    """Raises Invalid for a price range that ends before it begins."""
    if low is not None and high is not None and Decimal(low) > Decimal(high):
        raise Invalid("price_min", "price_min must not be above price_max.")


def check_absence(away_from: str | None, away_to: str | None) -> None:
    """Raises Invalid for an absence that ends before it begins."""
    if away_from is not None and away_to is not None and away_from >= away_to:
        raise Invalid("away_to", "away_to must be after away_from.")
