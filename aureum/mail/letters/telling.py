"""Which letters the events of one batch of a tenant's log make.

log ── occasions ──▶ agents, or owners and brokers where there is none ── recipients ──▶ letters to staff
               └──▶ the visitor, within the limits ── confirming ──▶ a confirmation
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aureum.background.reading import EARLIER_EVENTS, POSITION, STREAM, TYPE, VERSION, WRAPPED, about_event, edges, read
from aureum.domain.ids import now, to_wire
from aureum.domain.routing import reasons
from aureum.mail.letter import Letter, Recipient
from aureum.mail.letters import links
from aureum.mail.letters.confirming import confirmed, given_name
from aureum.mail.letters.headers import usable
from aureum.mail.letters.occasions import TYPES, Enquiry, Occasion, Stopped, occasions
from aureum.mail.letters.recipients import MANAGERS, OWNERS, STAFF, Member, letter_to, staff_of
from aureum.mail.letters.texts import written_in
from aureum.routing.language import ENGLISH, language_asked_for, language_of
from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore

STALE = timedelta(days=7)
"""What happened longer ago makes no letter: a log that was brought from elsewhere is not told again."""

READ_OF_WORDS = 2_000
"""Characters by which the language of an enquiry is told."""

METADATA = 6

ABOUT = """
SELECT b.slug, b.domains, b.confirmations, b.reply_to, b.disabled FROM brokerages b WHERE b.tenant_id = %(tenant)s
"""


class LetterSettings(NamedTuple):
    """Of the installation: where links lead, and how many confirmations a brokerage sends in an hour."""

    base_domain: str | None = None
    public_url: str | None = None
    confirmations_an_hour: int = 1_000


class About(NamedTuple):
    """What letters of a brokerage need to know: its staff, where links begin, whether visitors get confirmations and
    where replies to these go."""

    staff: dict[UUID, Member]
    link: str | None
    confirmations: bool
    reply_to: str | None


async def letters_of(
    store: EventStore,
    tenant_key: TenantKey,
    connection: AsyncConnection[Any],
    rows: Sequence[Any],
    settings: LetterSettings | None = None,
) -> list[Letter]:
    """The letters of *rows*, which are the next of the tenant's log. Confirmations are remembered in the transaction of
    *connection*."""
    settings = settings or LetterSettings()
    found = [one for one in await occasions_in(connection, tenant_key, rows) if now() - one.at < STALE]
    about = await about_brokerage(connection, tenant_key.tenant_id, settings) if found else None
    if about is None:
        return []
    letters = [letter for one in found for letter in to_staff(one, about)]
    if about.confirmations:
        forms = [one for one in found if isinstance(one, Enquiry) and one.new and one.from_form and one.email]
        letters += await to_visitors(connection, tenant_key, forms, about, settings)
    return letters


async def occasions_in(connection: AsyncConnection[Any], tenant_key: TenantKey, rows: Sequence[Any]) -> list[Occasion]:
    """What there is to write about, in the order of the log."""
    new: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        new[row[STREAM]].append(row)
    # The first row of a batch may go on with an append that the batch before has begun.
    begun = {row[STREAM] for row in rows[:1] if not edges(about_event(row[METADATA]))[0]}
    streams = {stream: own for stream, own in new.items() if stream in begun or any(row[TYPE] in TYPES for row in own)}
    after = rows[0][POSITION] - 1
    before: dict[UUID, list[Any]] = defaultdict(list)
    if earlier := [stream for stream, own in streams.items() if own[0][VERSION] > 1]:
        about = {"tenant": tenant_key.tenant_id, "streams": earlier, "after": after}
        for row in await (await connection.execute(EARLIER_EVENTS, about, binary=True)).fetchall():
            before[row[STREAM]].append(row)
    found: list[Occasion] = []
    for stream, own in streams.items():
        history = read(tenant_key, stream, own[0][WRAPPED], [*before[stream], *own])
        found += occasions(tenant_key.tenant_id, stream, history, after)
    return sorted(found, key=lambda one: one.position)


async def about_brokerage(connection: AsyncConnection[Any], tenant_id: UUID, settings: LetterSettings) -> About | None:
    """What letters need to know of a brokerage; None for the platform, and for one that is disabled."""
    of = {"tenant": tenant_id}
    row = await (await connection.execute(ABOUT, of)).fetchone()
    if row is None or row[4]:
        return None
    slug, domains, confirmations, reply_to, _ = row
    staff = staff_of(await (await connection.execute(STAFF, of)).fetchall())
    begin = links.base(slug, domains, (), settings.base_domain, settings.public_url)
    return About(staff, begin, confirmations, reply_to)


def to_staff(one: Occasion, about: About) -> list[Letter]:
    """Whom of the staff it concerns."""
    if isinstance(one, Stopped):
        fields = {
            "host": one.host,
            "why": one.why,
            "link": links.page(about.link, f"webhooks/{to_wire(one.endpoint_id)}"),
        }
        owners = [member for member in about.staff.values() if member.role in OWNERS]
        return [letter for owner in owners for letter in letter_to(owner, "webhook_disabled", fields, one.position)]
    if one.assigned_to is None:
        return [] if not is_in_pond(one) else to_managers(one, about)
    agent = about.staff.get(one.assigned_to)
    if agent is None or one.by == to_wire(agent.user_id):
        return []
    return letter_to(
        agent,
        f"{one.kind}_assigned",
        fields_of(one, about),
        one.position,
        subject_id=one.stream_id,
        reply_to=one.email,
    )


def is_in_pond(one: Enquiry) -> bool:
    """Whether no agent has it though it was to be routed: it fell to none, or routing did not work. What agents of a
    group may claim waits for them."""
    if not one.new:
        return False
    return one.from_form if one.routing is None else one.routing.get("why") != "offered"


def to_managers(one: Enquiry, about: About) -> list[Letter]:
    """To owners and brokers: no agent has it."""
    return [
        letter
        for member in about.staff.values()
        if member.role in MANAGERS and one.by != to_wire(member.user_id)
        for letter in letter_to(
            member,
            f"{one.kind}_in_pond",
            fields_of(one, about),
            one.position,
            subject_id=one.stream_id,
            reply_to=one.email,
        )
    ]


def fields_of(one: Enquiry, about: About) -> dict[str, object]:
    """What staff read of a lead or a tour, why they have it, and the link to its page."""
    path = "leads" if one.kind == "lead" else "showings"
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
    """Confirmations of *forms*, as far as the limits allow: the first one to an address."""
    first: dict[str, Enquiry] = {}
    for form in forms:
        first.setdefault(form.email or "", form)
    taken = await confirmed(connection, tenant_key, list(first), settings.confirmations_an_hour)
    return [confirmation(first[address], address, about) for address in taken]


def confirmation(form: Enquiry, address: str, about: About) -> Letter:
    """Thanks for a *form*, in the language that it was written in. Nothing else of the form stands in it, nor whether
    the visitor is known, nor whose it has become."""
    name = given_name(form.first_name)
    words = form.words[:READ_OF_WORDS]
    language = language_of(words)
    if language == ENGLISH:
        language = language_asked_for(words) or ENGLISH
    recipient = Recipient(address, name or "", None, form.stream_id)
    fields = {"first_name": name, "asked": form.kind}
    return Letter("confirmation", recipient, usable(about.reply_to), written_in(language), fields, form.position)
