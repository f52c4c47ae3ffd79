"""The demo brokerage on ``localhost``: an owner, three agents, a key, and two months of leads. Safe to repeat.

Its key and the owner's password are derived from the master key: every run can say them again, and no two
installations share them.
"""

import base64
import hashlib
import hmac
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import SecretStr

from aureum.commands.api_keys import KEY_PREFIX, SHOWN_CHARACTERS, hash_key
from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.commands.leads import CaptureLead, ChangeLead, capture_lead, change_lead
from aureum.commands.users import CreateUser, create_user
from aureum.demo_data import AGENTS, ENQUIRIES, OUTCOMES, PEOPLE
from aureum.domain import ids
from aureum.domain.api_key import ApiKey
from aureum.domain.routing import Agent, agent
from aureum.projections import api_keys, brokerages
from aureum.store.event_store import NO_STREAM, EventStore
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


def derived(master_key: bytes, purpose: str) -> str:
    """A secret of this installation for *purpose*: 43 characters that stay the same."""
    digest = hmac.digest(master_key, b"aureum demo " + purpose.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def make_demo(store: EventStore, master_key: bytes) -> Demo:
    """Make the demo brokerage unless it is there already."""
    key = KEY_PREFIX + derived(master_key, "key")
    password = derived(master_key, "password")[:20]
    found = await store.database.rows(brokerages.BY_SLUG, {"slug": SLUG})
    if found:
        tenant_id = found[0][0]
        if not await store.database.rows(api_keys.BY_HASH, {"hash": hash_key(key)}):
            # The first run was interrupted: what there is of the story will do.
            await make_key(store, tenant_id, key)
        return Demo(key, OWNER, password, created=False)
    brokerage = await open_brokerage(
        store,
        OpenBrokerage(name="Snake River Realty", slug=SLUG, domains=("localhost",), plan="Elite"),
        ORIGIN,
    )
    tenant_id = brokerage.id
    await create_user(
        store,
        CreateUser(
            tenant_id=tenant_id,
            email=OWNER,
            name="Olivia Owner",
            role="brokerage_owner",
            password=SecretStr(password),
        ),
        ORIGIN,
    )
    agents = []
    for name, email, specialties in AGENTS:
        user = await create_user(
            store,
            CreateUser(tenant_id=tenant_id, email=email, name=name, role="agent", specialties=specialties),
            ORIGIN,
        )
        agents.append(agent(user.id, specialties))
    await make_leads(store, tenant_id, tuple(agents))
    # Last: a demo without its key is one that was interrupted.
    await make_key(store, tenant_id, key)
    return Demo(key, OWNER, password, created=True)


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
    await store.append(tenant_id, api_key, NO_STREAM, command="IssueApiKey", origin=ORIGIN)


async def make_leads(store: EventStore, tenant_id: UUID, agents: tuple[Agent, ...]) -> None:
    """Forty leads over the last sixty days, each with what has become of it since; the same ones on every machine."""
    dice = random.Random(42)  # noqa: S311  it draws a story, no secret
    until = ids.now()
    for number, (first_name, last_name) in enumerate(PEOPLE):
        subject, message, page = ENQUIRIES[number % len(ENQUIRIES)]
        age = timedelta(days=DAYS * (len(PEOPLE) - number) / len(PEOPLE))
        at = until - age + timedelta(minutes=dice.randrange(600))
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        command = CaptureLead(
            tenant_id=tenant_id,
            country="US",
            first_name=first_name,
            last_name=last_name,
            email=f"{first_name}.{last_name}@example.com".lower(),
            phone=f"208-555-{100 + number:04d}",
            subject=subject,
            message=message,
            source="website",
            source_domain="localhost",
            source_page=page,
            utm_source=dice.choice(("google", "newsletter", None)),
            at=min(at, until),
        )
        lead, _ = await capture_lead(store, command, Origin(VISITOR), agents=agents)
        await tell_story(store, tenant_id, lead.id, min(at, until), until, OUTCOMES[number % len(OUTCOMES)], dice)


async def tell_story(
    store: EventStore,
    tenant_id: UUID,
    lead_id: UUID,
    captured: datetime,
    until: datetime,
    statuses: tuple[str, ...],
    dice: random.Random,
) -> None:
    """The lead moves through *statuses*, each some time after the one before and none in the future."""
    at = captured
    for status in statuses:
        at += (until - at) * dice.uniform(0.1, 0.4)
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        command = ChangeLead(tenant_id=tenant_id, country="US", lead_id=lead_id, status=status, at=at)
        await change_lead(store, command, ORIGIN)
