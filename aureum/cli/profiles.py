"""``aureum user profile``: what routing knows of an agent, shown and changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import origin, with_store
from aureum.cli.options import Json, examples
from aureum.cli.output import say, table
from aureum.cli.users import Email, Of, named
from aureum.domain.errors import Invalid

if TYPE_CHECKING:
    from uuid import UUID

    from aureum.store.event_store import EventStore

HOURS = re.compile(r"(?P<day>[a-z]{3}) (?P<begins>[0-9:]{5})-(?P<ends>[0-9:]{5})")
PRICE = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,2})?", re.ASCII)

NO_HOURS = "hours must be a day and its hours, such as 'mon 09:00-17:00'; 'none' for no working hours."
NO_PRICE = "{name} must be an amount such as 450000, or empty for none."
NO_CAP = "daily_cap must be a whole number, or empty for no limit."
NO_TIME = "{name} must be a date such as 2026-12-24, a time such as 2026-12-24T12:00:00Z, or empty."

Words = Annotated[list[str] | None, typer.Option(help="Repeatable; these replace all. An empty one clears the list.")]


EXAMPLES = examples(
    "aureum user profile --email ann@example.com",
    "aureum user profile --email ann@example.com --area Boise --area Kuna \\",
    "    --language en --language es --daily-cap 10 --hours 'mon 09:00-17:00'",
    "aureum user profile --email ann@example.com --away-from 2026-12-24 --away-to 2027-01-02",
    "aureum user profile --email ann@example.com --primary",
)


def user_profile(
    email: Email,
    slug: Of = None,
    bio: Annotated[str | None, typer.Option(help="About the agent, in trade words. Empty: none.")] = None,
    specialty: Words = None,
    area: Words = None,
    language: Words = None,
    price_min: Annotated[str | None, typer.Option(help="The lowest price that suits the agent. Empty: none.")] = None,
    price_max: Annotated[str | None, typer.Option(help="The highest price that suits the agent. Empty: none.")] = None,
    daily_cap: Annotated[str | None, typer.Option(help="The most leads a day. Empty: no limit.")] = None,
    hours: Annotated[
        list[str] | None,
        typer.Option(help="Working hours of a day, such as 'mon 09:00-17:00'. Repeatable; 'none' clears them."),
    ] = None,
    away_from: Annotated[str | None, typer.Option(help="When the agent leaves. Empty: not set.")] = None,
    away_to: Annotated[str | None, typer.Option(help="When the agent is back. Empty: not set.")] = None,
    takes_leads: Annotated[bool | None, typer.Option(help="Whether leads are routed to the agent.")] = None,
    primary: Annotated[bool | None, typer.Option(help="Whether this is the brokerage's primary agent.")] = None,
    as_json: Json = False,
) -> None:
    """Show or change an agent's profile."""
    given: dict[str, Any] = {
        "bio": bio if bio is None else bio.strip() or CLEARED,
        "specialties": words(specialty),
        "areas": words(area),
        "languages": words(language),
        "price_min": price("price_min", price_min),
        "price_max": price("price_max", price_max),
        "daily_cap": cap(daily_cap),
        "hours": working_hours(hours),
        "takes_leads": takes_leads,
        "primary": primary,
    }
    away = {"away_from": away_from, "away_to": away_to}

    async def work(store: EventStore) -> dict[str, Any]:
        from aureum.commands.users import ChangeUser, change_user

        tenant_id, user_id, _ = await named(store, email, slug)
        changes = given | {name: await moment(store, tenant_id, name, text) for name, text in away.items()}
        profile = {name: None if value is CLEARED else value for name, value in changes.items() if value is not None}
        command = ChangeUser(tenant_id=tenant_id, user_id=user_id, profile=profile)
        changed = await change_user(store, command, origin(), check=lambda _: None)
        return {"number": changed.number, "name": changed.name} | {name: getattr(changed, name) for name in SHOWN}

    shown = with_store(work)
    rows = [(name, text(value)) for name, value in shown.items()]
    say(as_json, shown, table("Profile", ("field", "value"), rows))


SHOWN = (
    "bio", "specialties", "areas", "languages", "price_min", "price_max", "takes_leads", "daily_cap", "hours",
    "away_from", "away_to", "primary",
)  # fmt: skip

CLEARED = object()
"""What is given as empty."""


def text(value: Any) -> str:
    """A value for a person."""
    if isinstance(value, dict):
        return ", ".join(f"{day} {begins}-{ends}" for day, (begins, ends) in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(value)
    if value is None or isinstance(value, bool):
        return "yes" if value else "" if value is None else "no"
    return str(value)


def words(given: list[str] | None) -> tuple[str, ...] | None:
    """What a repeatable option was given."""
    return None if given is None else tuple(word for word in given if word.strip())


def price(name: str, given: str | None) -> Any:
    """An exact decimal. Raises Invalid."""
    if not given:
        return given if given is None else CLEARED
    if PRICE.fullmatch(given) is None:
        raise Invalid(name, NO_PRICE.format(name=name))
    whole, _, cents = given.partition(".")
    return f"{int(whole)}.{cents}".rstrip("0").rstrip(".") if cents else str(int(whole))


def cap(given: str | None) -> Any:
    """A daily cap. Raises Invalid."""
    if not given:
        return given if given is None else CLEARED
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise Invalid("daily_cap", NO_CAP)
    return int(given)


def working_hours(given: list[str] | None) -> Any:
    """Hours by day. Raises Invalid."""
    if given is None or given == ["none"]:
        return given if given is None else CLEARED
    found = [HOURS.fullmatch(one.strip().lower()) for one in given]
    if not all(found):
        raise Invalid("hours", NO_HOURS)
    return {one["day"]: [one["begins"], one["ends"]] for one in found if one}


async def moment(store: EventStore, tenant_id: UUID, name: str, given: str | None) -> Any:
    """A moment, a date alone on the brokerage's clock. Raises Invalid."""
    from aureum.commands.clock import on_clock
    from aureum.domain.ids import aureum_time
    from aureum.http.wire.times import parse_time

    if not given:
        return given if given is None else CLEARED
    try:
        (at,) = await on_clock(store.database, tenant_id, parse_time(given))
    except ValueError as error:
        raise Invalid(name, NO_TIME.format(name=name)) from error
    return None if at is None else aureum_time(at)
