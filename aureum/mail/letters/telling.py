"""The letters that the events of one batch of a tenant's log make.

Each occasion in the log concerns some of the staff. They get a letter at once, or it waits for their digest. The
visitor who sent a form gets a confirmation, within the limits (``confirming``).
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.background.reading import (
    EARLIER_EVENTS,
    METADATA,
    POSITION,
    STREAM,
    TYPE,
    VERSION,
    WRAPPED,
    about_event,
    edges,
    read,
)
from aureum.commands.portal.languages import languages_of
from aureum.domain.ids import now, to_wire
from aureum.domain.routing import reasons
from aureum.domain.wall_time import zone_of
from aureum.mail.letter import Letter, Recipient
from aureum.mail.letters import links, recipients
from aureum.mail.letters.about import About, LetterSettings, about_brokerage
from aureum.mail.letters.account_letters import account_letters
from aureum.mail.letters.client_letters import client_letters
from aureum.mail.letters.client_occasions import AddressReplaced, ListingSent, Written, replaces_address
from aureum.mail.letters.confirming import confirmed, given_name
from aureum.mail.letters.digest_items import Item, remember
from aureum.mail.letters.envelope_letters import EnvelopeAct, envelope_letters
from aureum.mail.letters.headers import usable
from aureum.mail.letters.occasions import (
    TYPES,
    CalendarSent,
    Enquiry,
    Invited,
    Late,
    Occasion,
    Offered,
    PasswordChanged,
    Stopped,
    occasions,
)
from aureum.mail.letters.recipients import MANAGERS, OWNERS, Member, letter_to, wish
from aureum.mail.letters.texts import language_for, moment_in_words
from aureum.store.cipher import TenantKey

STALE = timedelta(days=7)
"""Older events make no letter, because a log that was imported is no news."""

SLICE = 50
"""Streams that are worked through before the process's other tasks have their turn."""


async def letters_of(
    tenant_key: TenantKey,
    connection: AsyncConnection[Any],
    rows: Sequence[Any],
    settings: LetterSettings | None = None,
) -> list[Letter]:
    """The letters of *rows*, which are the next of the tenant's log. Confirmations are remembered in the transaction of
    *connection*."""
    settings = settings or LetterSettings()
    found = [one for one in await occasions_in(connection, tenant_key, rows) if now() - one.at < STALE]
    of_accounts = [one for one in found if isinstance(one, (Invited, PasswordChanged))]
    letters = await account_letters(connection, tenant_key.tenant_id, of_accounts, settings)
    about = await about_brokerage(connection, tenant_key.tenant_id, settings) if len(found) > len(of_accounts) else None
    if about is None:
        return letters
    items = []
    for one in found:
        for letter in to_staff(one, about):
            user_id = letter.recipient.user_id
            assert user_id is not None, "it is one of the staff"
            match wish(about.staff[user_id], letter.kind):
                case recipients.AT_ONCE:
                    letters.append(letter)
                case recipients.DIGEST if isinstance(one, Enquiry):
                    items.append(Item(user_id, letter.position, letter.kind, one.stream_id, one.at))
    await remember(connection, tenant_key.tenant_id, items)
    letters += [with_calendar(one, about) for one in found if isinstance(one, CalendarSent)]
    of_clients = [one for one in found if isinstance(one, (Written, ListingSent, AddressReplaced))]
    letters += await client_letters(connection, tenant_key, of_clients, about)
    acts = [one for one in found if isinstance(one, EnvelopeAct)]
    languages = await languages_of(connection, tenant_key, {person.email for one in acts for person in one.people})
    letters += [letter for one in acts for letter in envelope_letters(one, about, languages)]
    if about.confirmations:
        forms = [one for one in found if isinstance(one, Enquiry) and one.new and one.from_form and one.email]
        letters += await to_visitors(connection, tenant_key, forms, about, settings)
    return letters


async def occasions_in(connection: AsyncConnection[Any], tenant_key: TenantKey, rows: Sequence[Any]) -> list[Occasion]:
    """The occasions for letters, in the order of the log."""
    new: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        new[row[STREAM]].append(row)
    # The first row of a batch may go on with an append that the batch before has begun.
    begun = {row[STREAM] for row in rows[:1] if not edges(about_event(row[METADATA]))[0]}
    streams = {stream: own for stream, own in new.items() if stream in begun or any(map(is_occasion, own))}
    after = rows[0][POSITION] - 1
    before: dict[UUID, list[Any]] = defaultdict(list)
    if earlier := [stream for stream, own in streams.items() if own[0][VERSION] > 1]:
        about = {"tenant": tenant_key.tenant_id, "streams": earlier, "after": after}
        for row in await (await connection.execute(EARLIER_EVENTS, about, binary=True)).fetchall():
            before[row[STREAM]].append(row)
    found: list[Occasion] = []
    for place, (stream, own) in enumerate(streams.items()):
        if place % SLICE == 0:
            await asyncio.sleep(0)
        history = read(tenant_key, stream, own[0][WRAPPED], [*before[stream], *own])
        found += occasions(tenant_key.tenant_id, history, after)
    return sorted(found, key=lambda one: one.position)


def is_occasion(row: Any) -> bool:
    """Whether an event may make an occasion, or cancel one."""
    return row[TYPE] in TYPES or replaces_address(row[TYPE], row[METADATA])


def to_staff(one: Occasion, about: About) -> list[Letter]:
    """Letters to the staff whom the occasion concerns, without the user who caused it. Those about their own accounts
    are made by ``account_letters``, those of clients by ``client_letters``, those about envelopes by
    ``envelope_letters``."""
    if isinstance(one, (Invited, PasswordChanged, CalendarSent, EnvelopeAct, Written, ListingSent, AddressReplaced)):
        return []
    if isinstance(one, Stopped):
        link = links.page(about.link, f"webhooks/{to_wire(one.endpoint_id)}")
        fields = {"host": one.host, "why": one.why, "link": link}
        return [letter_to(owner, "webhook_disabled", fields, one.position) for owner in with_roles(about, OWNERS)]
    if isinstance(one, (Offered, Late)):
        return of_waiting(one, about)
    members: list[Member] = []
    if one.assigned_to in about.staff:
        kind, members = "assigned", [about.staff[one.assigned_to]]
    elif is_in_pond(one):
        kind, members = "in_pond", with_roles(about, MANAGERS)
    return [
        letter_to(
            member,
            f"{one.kind}_{kind}",
            fields_of(one, about),
            one.position,
            subject_id=one.stream_id,
            reply_to=one.email,
        )
        for member in members
        if one.by != to_wire(member.user_id)
    ]


def of_waiting(one: Offered | Late, about: About) -> list[Letter]:
    """Letters to the agents who may claim a lead; or to the agent who was late, and to the owners if that agent keeps
    the lead."""
    if isinstance(one, Offered):
        kind, fields = "lead_offered", {"lead": one.lead, "until": clock(one.until, about)}
        members, link = [about.staff[agent] for agent in one.agents if agent in about.staff], "pond"
    else:
        kind, fields = "answer_late", {"lead": one.lead, "at": clock(one.since, about)}
        members = [about.staff[one.agent]] if one.agent in about.staff else []
        # An agent may not see a lead that went to another agent.
        fields["why"] = "passed_on" if one.passed_on else "stays"
        link = "" if one.passed_on else f"leads/{to_wire(one.stream_id)}"
        if not one.passed_on:
            members += [owner for owner in with_roles(about, OWNERS) if owner.user_id != one.agent]
    found = {**fields, "link": links.page(about.link, link) if link else None}
    return [letter_to(member, kind, found, one.position, subject_id=one.stream_id) for member in members]


def clock(at: datetime, about: About) -> str:
    """A moment on the brokerage's clock."""
    return at.astimezone(zone_of(about.time_zone)).strftime("%Y-%m-%d %H:%M")


def with_roles(about: About, roles: Collection[str]) -> list[Member]:
    """Those of the staff who have one of *roles*."""
    return [member for member in about.staff.values() if member.role in roles]


def is_in_pond(one: Enquiry) -> bool:
    """Whether routing found no agent for it, or did not work. A lead that a group may claim is not in the pond."""
    if not one.routed or one.assigned_to is not None:
        return False
    return one.from_form if one.routing is None else one.routing.get("why") != "offered"


def fields_of(one: Enquiry, about: About) -> dict[str, object]:
    """What staff read of a lead or a tour, why they have it, and the link to its page."""
    path = "leads" if one.kind == "lead" else "showings"
    by = None
    if one.routing is None:
        by = next((member.name for member in about.staff.values() if to_wire(member.user_id) == one.by), None)
    return {
        **one.fields,
        "reason": None if one.routing is None else reasons.reason(one.routing),
        "by": by,
        "link": links.page(about.link, f"{path}/{to_wire(one.stream_id)}"),
    }


async def to_visitors(
    connection: AsyncConnection[Any],
    tenant_key: TenantKey,
    forms: Sequence[Enquiry],
    about: About,
    settings: LetterSettings,
) -> list[Letter]:
    """Confirmations of *forms* within the limits, of the first form of each address."""
    first: dict[str, Enquiry] = {}
    for form in forms:
        first.setdefault(form.email or "", form)
    taken = await confirmed(connection, tenant_key, list(first), settings.confirmations_an_hour)
    return [confirmation(first[address], address, about) for address in taken]


def confirmation(form: Enquiry, address: str, about: About) -> Letter:
    """The confirmation of a *form*, in the language that it was written in. It repeats only a first name, and does not
    tell whether the visitor is known, or which agent has the lead."""
    name, language = given_name(form.first_name), language_for(form.words)
    recipient = Recipient(address, name or "", None, form.stream_id)
    fields = {"first_name": name, "asked": form.kind}
    return Letter("confirmation", recipient, usable(about.reply_to), language, fields, form.position)


def with_calendar(one: CalendarSent, about: About) -> Letter:
    """The calendar file of a showing for its visitor. A reply goes to the agent who has it, else to the brokerage."""
    name, language = given_name(one.first_name), language_for(one.words)
    agent = about.staff.get(one.agent) if one.agent else None
    fields: dict[str, object] = {"first_name": name, "place": one.place}
    if not one.cancelled and one.start is not None:
        fields["when"] = moment_in_words(datetime.fromisoformat(one.start), language)
    return Letter(
        "showing_cancelled" if one.cancelled else "showing_calendar",
        Recipient(one.sent_to, name or "", None, one.stream_id),
        usable(about.reply_to if agent is None else agent.address),
        language,
        fields,
        one.position,
        calendar=one.file,
    )
