"""Phones: kept as they were given, with E.164 beside them where they could be a number."""

import phonenumbers


def e164(phone: str | None, country: str) -> str | None:
    """``208-555-0123`` in the US → ``+12085550123``; None for what cannot be dialled. *country*: two letters.

    "Possible", not "valid": the fictional numbers of examples and many new ranges are not in the library's tables.
    """
    if not phone:
        return None
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
