"""Times on pages of the portal: on the brokerage's clock, in the client's language."""

from datetime import date, datetime, tzinfo

from markupsafe import Markup


def moment(at: datetime, zone: tzinfo, language: str) -> Markup:
    """A time of a day, for people and, in the element, for programs."""
    # Pages without a time do not need it.
    from babel.dates import format_date, format_time

    local = at.astimezone(zone)
    shown = f"{format_date(local, 'full', language)}, {format_time(local, 'short', zone, language)}"
    return Markup('<time datetime="{at}">{shown}</time>').format(at=at.isoformat(), shown=shown)


def price(amount: float, language: str) -> str:
    """A price in US dollars, without cents where there are none."""
    from babel.numbers import format_currency

    whole = amount == int(amount)
    return format_currency(amount, "USD", "¤#,##0" if whole else None, locale=language, currency_digits=not whole)


def day(on: date, language: str) -> Markup:
    """A date."""
    from babel.dates import format_date

    shown = format_date(on, "full", language)
    return Markup('<time datetime="{on}">{shown}</time>').format(on=on.isoformat(), shown=shown)
