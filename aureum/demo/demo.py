"""The demo brokerage on ``localhost``: an owner, three agents, a key, two months of leads, and the office's daily work.
Safe to repeat.

Its key and the owner's password are derived from the master key: every run can say them again, and no two
installations share them. The key comes last: a demo without its key was interrupted, and the next run goes on where it
stopped. Once the demo is complete, it is never changed again, so that changes people make in it stay.
"""

import base64
import hashlib
import hmac
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import orjson
from pydantic import SecretStr

from aureum.commands.api_keys import KEY_PREFIX, SHOWN_CHARACTERS, hash_key
from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.commands.leads import CaptureLead, ChangeLead, capture_lead, change_lead
from aureum.commands.routed import Team, team_of
from aureum.commands.users import CreateUser, create_user
from aureum.demo.data import AGENTS, CLIENT, ENQUIRIES, NOTES, OUTCOMES, PEOPLE
from aureum.demo.office import make_office
from aureum.domain import ids
from aureum.domain.api_key import ApiKey
from aureum.domain.errors import AlreadyTaken, Conflict
from aureum.domain.lead import Lead, LeadFields
from aureum.projections import api_keys, brokerages, lead_list
from aureum.projections.document_list import ABOVE_ALL
from aureum.store.event_store import NO_STREAM, EventStore, Idempotency
from aureum.store.metadata import VISITOR, Actor, Origin

SLUG = "demo"
OWNER = "olivia.owner@example.com"
DAYS = 60
ORIGIN = Origin(Actor("system", "demo"))


@dataclass(frozen=True)
class Demo:
    """What to try it with."""

    api_key: str
    email: str
    password: str
    created: bool
    client: str = CLIENT
    """The address of a client, who signs in to the portal."""


def derived(master_key: bytes, purpose: str) -> str:
    """A secret of this installation for *purpose*: 43 characters that stay the same."""
    digest = hmac.digest(master_key, b"aureum demo " + purpose.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def make_demo(store: EventStore, master_key: bytes) -> Demo:
    """Make the demo brokerage, or what is missing of it. Raises AlreadyTaken if its slug or domain is another's."""
    key = KEY_PREFIX + derived(master_key, "key")
    password = derived(master_key, "password")[:20]
    whole = bool(await store.database.rows(api_keys.BY_HASH, {"hash": hash_key(key)}))
    if not whole:
        tenant_id = await brokerage(store)
        await staff(store, tenant_id, password)
        team = await team_of(store, tenant_id)
        await make_leads(store, tenant_id, team)
        known = (await leads_by_email(store, tenant_id)).values()
        leads = sorted((one.lead for one in known), key=lambda lead: lead.id)
        await make_office(store, tenant_id, leads, [one.user_id for one in team.agents if one.takes_leads])
        await make_key(store, tenant_id, key)
    return Demo(key, OWNER, password, created=not whole)


async def brokerage(store: EventStore) -> UUID:
    """The demo's tenant."""
    command = OpenBrokerage(name="Snake River Realty", slug=SLUG, domains=("localhost",), plan="Elite")
    try:
        return (await open_brokerage(store, command, ORIGIN)).id
    except AlreadyTaken:
        found = await store.database.rows(brokerages.BY_SLUG, {"slug": SLUG})
        if not found or found[0][2] != command.name:
            raise
        tenant_id: UUID = found[0][0]
        return tenant_id


async def staff(store: EventStore, tenant_id: UUID, password: str) -> None:
    """The owner and the agents."""
    owner = CreateUser(
        tenant_id=tenant_id,
        email=OWNER,
        name="Olivia Owner",
        role="brokerage_owner",
        password=SecretStr(password),
    )
    agents = [
        CreateUser(tenant_id=tenant_id, email=email, name=name, role="agent", specialties=specialties)
        for name, email, specialties in AGENTS
    ]
    for command in (owner, *agents):
        try:
            await create_user(store, command, ORIGIN)
        except AlreadyTaken:
            # By the run that was interrupted, or by another one at this moment.
            continue


async def make_key(store: EventStore, tenant_id: UUID, key: str) -> None:
    """The derived key, issued like any other."""
    api_key = ApiKey.issue(
        ids.new_id(),
        ids.now(),
        name="Demo",
        prefix=key[:SHOWN_CHARACTERS],
        key_hash=hash_key(key).hex(),
        rate_limit=100,
    )
    try:
        await store.append(tenant_id, api_key, NO_STREAM, command="IssueApiKey", origin=ORIGIN)
    except Conflict:
        # Its hash is unique: another run has issued it at this moment.
        return


async def make_leads(store: EventStore, tenant_id: UUID, team: Team) -> None:
    """Forty leads over the last sixty days, each with what has become of it since; the same ones on every machine."""
    until = ids.now()
    there = await leads_by_email(store, tenant_id)
    for number, (first_name, last_name) in enumerate(PEOPLE):
        email = f"{first_name}.{last_name}@example.com".lower()
        # Of each lead its own, so that it does not matter where a demo was interrupted.
        dice = random.Random(number)  # noqa: S311  it draws a story, no secret
        subject, message, page = ENQUIRIES[number % len(ENQUIRIES)]
        age = timedelta(days=DAYS * (len(PEOPLE) - number) / len(PEOPLE))
        at = milliseconds(min(until - age + timedelta(minutes=dice.randrange(600)), until))
        command = CaptureLead(
            tenant_id=tenant_id,
            country="US",
            fields=LeadFields(
                first_name=first_name,
                last_name=last_name,
                email=email,
                phone=f"208-555-{100 + number:04d}",
                subject=subject,
                message=message,
                notes=None,
                source="website",
                source_domain="localhost",
                source_page=page,
                utm_source=dice.choice(("google", "newsletter", None)),
                utm_medium=None,
                utm_campaign=None,
            ),
            at=at,
        )
        known = there.get(email)
        if known is None:
            lead, appended = await capture_lead(
                store, command, Origin(VISITOR), team=team, idempotency=once(tenant_id, email)
            )
            if appended.remembered is not None:
                # Another run is making the demo at this moment, and tells this lead's story too.
                continue
            known = BegunLead(lead, 0)
        await tell_story(store, tenant_id, known, until, OUTCOMES[number % len(OUTCOMES)], dice)


class BegunLead(NamedTuple):
    """A lead that is there, and how many of the changes of its story it has gone through."""

    lead: Lead
    changes: int


async def leads_by_email(store: EventStore, tenant_id: UUID) -> dict[str, BegunLead]:
    """What an interrupted demo has made already."""
    parameters = {"tenant": tenant_id, "before": ABOVE_ALL, "limit": 1_000}
    filters = dict.fromkeys(one.name for one in lead_list.LEADS.filters)
    ((docs, _, _),) = await store.database.rows(lead_list.LEADS.page, parameters | filters)
    found: dict[str, BegunLead] = {}
    for doc in orjson.loads(f"[{docs or ''}]"):
        lead_id = ids.from_wire(doc["id"])
        assert lead_id is not None, "our own ids are ids"
        stream = await store.load(tenant_id, lead_id)
        changes = sum(isinstance(recorded.event, Lead.StatusChanged) for recorded in stream.events)
        found[doc["email"]] = BegunLead(stream.aggregate(), changes)
    return found


def once(tenant_id: UUID, email: str) -> Idempotency:
    """That two runs at the same moment do not both capture the lead."""
    key = hashlib.sha256(b"aureum demo lead" + tenant_id.bytes + email.encode()).digest()
    return Idempotency(key, key, lambda lead: lead.id.bytes)


async def tell_story(
    store: EventStore,
    tenant_id: UUID,
    known: BegunLead,
    until: datetime,
    statuses: tuple[str, ...],
    dice: random.Random,
) -> None:
    """The lead's agent moves it through *statuses*, each some time after the one before and none in the future."""
    lead, at = known.lead, known.lead.modified_on
    actor = ORIGIN.actor if lead.assigned_to is None else Actor("user", ids.to_wire(lead.assigned_to))
    for status in statuses[known.changes :]:
        at = milliseconds(at + (until - at) * dice.uniform(0.1, 0.4))
        command = ChangeLead(
            tenant_id=tenant_id,
            country="US",
            lead_id=lead.id,
            status=status,
            details={"notes": NOTES[status]} if status in NOTES else {},
            at=at,
        )
        await change_lead(store, command, Origin(actor))


def milliseconds(moment: datetime) -> datetime:
    """Cut to the precision of events."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
