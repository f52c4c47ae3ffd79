"""Phones: kept as they were given, with E.164 beside them where they could be a number."""

import re

import phonenumbers
from phonenumbers import ValidationResult

NORTH_AMERICAN = re.compile(r"(?:\+?1[-. ]?)?(?:\(?([2-9][0-9]{2})\)?[-. ]?)?([2-9][0-9]{2})[-. ]?([0-9]{4})")
"""How numbers are nearly always written there, with or without the area code; the library agrees with it, at twenty
times the cost."""

NORTH_AMERICA = frozenset(("US", "CA"))


def e164(phone: str | None, country: str) -> str | None:
    """``208-555-0123`` in the US → ``+12085550123``; None for what cannot be dialled. *country*: two letters.

    "Possible", not "valid": the fictional numbers of examples and many new ranges are not in the library's tables. A
    number that can be dialled only within a town is none.
    """
    if not phone:
        return None
    plain = NORTH_AMERICAN.fullmatch(phone) if country in NORTH_AMERICA else None
    if plain is None:
        return by_library(phone, country)
    return f"+1{plain[1]}{plain[2]}{plain[3]}" if plain[1] else None


def by_library(phone: str, country: str) -> str | None:
    """The same for any number of any country."""
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
