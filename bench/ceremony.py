"""How long the pages take on which a client reads and signs documents. The client asks for one after another, from a
process that has shown the document before, and has 30 envelopes with documents of ten pages.

Beside the time of a page stands what process and database worked for it. The first picture of a document is made in a
process of its own, and has no budget.
"""

import asyncio
import http.client
import secrets
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from aureum.app import open_store
from aureum.commands.api_keys import hash_key
from aureum.commands.contacts import AddContact, add_contact
from aureum.commands.envelopes.signing import (
    ConsentToRecords,
    OpenDocument,
    SigningClient,
    consent_to_records,
    open_document,
)
from aureum.commands.portal.addresses import client_address_of, sealed
from aureum.commands.portal.opening import opened_by
from aureum.commands.portal.sign_in import HOURS, TOKEN_PREFIX
from aureum.domain import ids
from aureum.domain.consent_texts import EN_1
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.migrate import migrate
from bench.databases import database, server
from bench.processes import MASTER_KEY, Server, aureum
from bench.rows import Row
from bench.tenants import open_tenant
from tests.pdf.making import document
from tests.signing.deals import sent_deal, sign

ENVELOPES, PAGES = 30, 10
BUDGET = 60.0
CALLS = 100
WARM = 5

CLIENT = "client@example.net"

START = """
INSERT INTO portal_sessions (token_hash, tenant_id, address_key, address, contacts, expires_at)
VALUES (%(token)s, %(tenant)s, %(key)s, %(address)s, %(contacts)s, now() + %(hours)s * interval '1 hour')
RETURNING 1
"""
"""As if the client had used a code a moment ago."""


@dataclass(frozen=True)
class Begun:
    """The brokerage's host, the client's session, and the envelope that the client is about to sign."""

    host: str
    token: str
    envelope: str


@dataclass(frozen=True)
class PortalPage:
    """A page that is measured; in its path ``{one}`` stands for that of the envelope. Without a budget it is asked for
    once."""

    what: str
    path: str
    first: bool = False


SHOWN: Sequence[PortalPage] = (
    PortalPage("the first page, with documents to sign", "/portal"),
    PortalPage("documents", "/portal/documents"),
    PortalPage("an envelope", "{one}"),
    PortalPage("a picture, the first of its document", "{one}/1/pages/6", first=True),
    PortalPage("reading, ten pages", "{one}/read"),
    PortalPage("a picture", "{one}/1/pages/6"),
    PortalPage("the PDF", "{one}/1.pdf"),
    PortalPage("consent", "{one}/consent"),
    PortalPage("signing", "{one}/sign"),
)
"""One line more measures one page more."""


async def opened(url: str) -> Begun:
    """The brokerage, and the client's envelopes."""
    await migrate(url, MasterKey(MASTER_KEY))
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        tenant = await open_tenant(store, 0)
        command = AddContact(
            tenant_id=tenant.tenant_id, country="US", first_name="Nora", last_name="Lindqvist", email=CLIENT
        )
        await add_contact(store, command, Origin(COMMAND_LINE))
        paper = document(PAGES, *(f"Line {line}: the buyer pays the price at closing." for line in range(14)))
        for number in range(ENVELOPES):
            deal = await sent_deal(store, tenant.tenant_id, paper, signers=(CLIENT,))
            if number % 2:
                await sign(store, deal, CLIENT)
        deal = await sent_deal(store, tenant.tenant_id, paper, signers=(CLIENT,))
        await agree(store, tenant.tenant_id, deal.id)
        return Begun(tenant.host, await signed_in(store, tenant.tenant_id), ids.to_wire(deal.id))


async def agree(store: EventStore, tenant_id: UUID, envelope_id: UUID) -> None:
    """The client has read the documents and agreed to sign them."""
    client = SigningClient(address=CLIENT, signed_in_at=ids.now())
    about: dict[str, Any] = {"tenant_id": tenant_id, "envelope_id": envelope_id, "client": client}
    await open_document(store, OpenDocument(**about))
    await consent_to_records(store, ConsentToRecords(**about, text_version=EN_1.version))


async def signed_in(store: EventStore, tenant_id: UUID) -> str:
    """The token of a session of the client."""
    tenant_key = await store.tenant_key(tenant_id)
    address = client_address_of(tenant_key, CLIENT)
    opens = await opened_by(store.database, tenant_key, address, "Elite")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    about = {
        "token": hash_key(token),
        "tenant": tenant_id,
        "key": address.key,
        "address": sealed(tenant_key, address),
        "contacts": Jsonb(dict(opens.contacts)),
        "hours": HOURS,
    }
    await store.database.rows(START, about)
    return token


def measured(served: Server, begun: Begun, one: PortalPage, calls: int) -> Row:
    """A page, asked for *calls* times."""
    headers = {"Host": begun.host, "Cookie": f"aureum-portal={begun.token}"}
    path = one.path.replace("{one}", f"/portal/documents/{begun.envelope}")
    warm, calls = (0, 1) if one.first else (WARM, calls)
    took, size = [], 0
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)) as connection:
        for number in range(calls + warm):
            if number == warm:
                before = served.cpu_seconds()
            started = time.perf_counter()
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            took.append((time.perf_counter() - started) * 1_000)
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status}, {body[:200]!r}")
            size = len(body)
    after = served.cpu_seconds()
    worked = "" if before is None or after is None else f"{(sum(after) - sum(before)) * 1_000 / calls:.0f} ms of work"
    if one.first:
        return Row(one.what, f"{took[0]:.0f} ms, {size / 1_000:.0f} KB", worked)
    slow = quantiles(took[warm:], n=20)[-1]
    found = f"p95 {slow:.0f} ms, {size / 1_000:.0f} KB"
    return Row(one.what, found, worked, budget=f"≤ {BUDGET:g} ms", met=slow <= BUDGET)


def run(*, quick: bool = False) -> list[Row]:
    """About twenty seconds."""
    calls = 20 if quick else CALLS
    with (
        tempfile.TemporaryDirectory(prefix="aureum-bench-") as directory,
        server() as server_url,
        database(server_url, "ceremony") as url,
    ):
        begun = asyncio.run(opened(url))
        with aureum(url, Path(directory)) as served:
            return [measured(served, begun, one, calls) for one in SHOWN]
