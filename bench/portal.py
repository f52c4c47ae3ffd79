"""How long the client portal's pages take where a brokerage has 100,000 leads, and how large they are.

A client who has signed in asks for each page, one at a time. Each looks up the session, the contacts of the address and
what it shows; enquiries are searched for among all leads. A mail is asked for by one browser after another.
``pages.py`` measures.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

from pydantic import SecretStr

from aureum.app import open_store
from aureum.commands.contacts import AddContact, add_contact
from aureum.commands.portal.sign_in import AskSignIn, UseCode, ask_sign_in, use_code
from aureum.mail.letters.about import LetterSettings
from aureum.mail.letters.portal_letters import sign_in, sign_ins_asked
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.migrate import migrate
from bench.databases import database, server
from bench.pages import CALLS, measured
from bench.panel import AGENTS, LEADS, fill
from bench.people import people
from bench.processes import MASTER_KEY, Server, aureum
from bench.rows import Row
from bench.tenants import Tenant, open_tenant

FORM = "application/x-www-form-urlencoded"

ENOUGH = "DELETE FROM login_failures"
"""Of one address no more than twenty requests for a mail are taken in a quarter of an hour."""


@dataclass(frozen=True)
class PortalCall:
    """What is measured: a page, or a form that is sent."""

    what: str
    path: str
    fields: str = ""
    status: int = 200


CALLED: Sequence[PortalCall] = (
    PortalCall("home", "/portal"),
    PortalCall("enquiries", "/portal/enquiries"),
    PortalCall("enquiries, in Spanish", "/portal/enquiries?es"),
    PortalCall("tours (none)", "/portal/tours"),
    PortalCall("listings (none)", "/portal/listings"),
    PortalCall("messages (none)", "/portal/messages"),
    PortalCall("documents (none)", "/portal/documents"),
    PortalCall("the client's data", "/portal/data"),
    PortalCall("asking for a mail", "/portal/sign-in", urlencode({"email": "nobody@example.net"}), 202),
)


@dataclass(frozen=True)
class Client:
    """The host of the brokerage, and the token of a client's session."""

    host: str
    token: str


async def opened(url: str, leads: int) -> Client:
    """The brokerage with its leads, one of whose persons is a contact and has signed in."""
    await migrate(url, MasterKey(MASTER_KEY))
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        tenant = await open_tenant(store, 0)
        agents = [found for (found,) in await store.database.rows(AGENTS, {"tenant": tenant.tenant_id})]
    await fill(url, tenant.tenant_id, agents, leads)
    person = next(islice(people(leads), leads // 2, None))
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        new = AddContact(
            tenant_id=tenant.tenant_id,
            country="US",
            first_name=person.first_name,
            last_name=person.last_name,
            email=person.email,
        )
        await add_contact(store, new, Origin(COMMAND_LINE))
        token = await signed_in(store, tenant, new.email or "")
    return Client(tenant.host, token)


async def signed_in(store: EventStore, tenant: Tenant, email: str) -> str:
    """The token of a client's new session, by the code of the mail."""
    tenant_key = await store.tenant_key(tenant.tenant_id)
    asks = AskSignIn(email=email, client="bench", host=tenant.host, language="en")
    pending = await ask_sign_in(store.database, tenant_key, asks)
    (asked,) = await sign_ins_asked(store)
    async with store.database.connection() as connection, connection.transaction():
        (letter,) = await sign_in(connection, tenant_key, asked, LetterSettings())
    command = UseCode(client="bench", code=SecretStr(str(letter.fields["code"])), pending=SecretStr(pending))
    found = await use_code(store.database, tenant_key, command, "Grow")
    if found is None:
        raise RuntimeError("The client could not sign in.")
    return found.token


async def forget(url: str) -> None:
    """What was counted against the limits."""
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        await store.database.rows(ENOUGH)


def called(served: Server, url: str, client: Client, one: PortalCall, calls: int) -> Row:
    """A page, asked for *calls* times, or a form that is sent as often."""
    language = "es" if one.path.endswith("?es") else "en"
    cookie = f"aureum-portal={client.token}; aureum-portal-language={language}"
    headers = {"Host": client.host, "Cookie": cookie} | ({"Content-Type": FORM} if one.fields else {})
    method, body = ("POST", one.fields) if one.fields else ("GET", None)

    def within_limits(_: HTTPConnection, number: int) -> None:
        if number % 15 == 0:
            asyncio.run(forget(url))

    return measured(
        served,
        one.what,
        calls,
        lambda connection: connection.request(method, one.path, body, headers),
        status=one.status,
        before_each=within_limits if one.fields else None,
    )


def run(*, quick: bool = False) -> list[Row]:
    """About twenty seconds."""
    leads, calls = (20_000, 20) if quick else (LEADS, CALLS)
    with (
        tempfile.TemporaryDirectory(prefix="aureum-bench-") as directory,
        server() as server_url,
        database(server_url, "portal") as url,
    ):
        client = asyncio.run(opened(url, leads))
        with aureum(url, Path(directory)) as served:
            return [called(served, url, client, one, calls) for one in CALLED]
