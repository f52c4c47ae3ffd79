"""A brokerage with something of everything in it, exported from one database and imported into another."""

import io
import random
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from psycopg import IsolationLevel

from aureum.domain import ids
from aureum.domain.api_key import ApiKey
from aureum.domain.calendar_feed import CalendarFeed
from aureum.domain.property import Property
from aureum.domain.user import User
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.domain.webhook_replay import WebhookReplay
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_log import open_tenant_key
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.database import Database, connect
from aureum.transfer.exporting import Exported, export
from aureum.transfer.importing import Imported, import_brokerage
from aureum.transfer.reading import ExportFile
from aureum.transfer.sealing import LineSeal
from aureum.transfer.state import ModelState, state_of
from tests.conftest import MASTER_KEY
from tests.store.rebuild.test_rebuild_lists import MAKERS

OTHER_MASTER_KEY = b"the key of another installation!"

SECRETS = ("argon2 of a password", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "5ec7e7" * 10, "whsec of the other place")

STREAMS = "SELECT DISTINCT stream_id FROM events WHERE tenant_id = %(tenant)s ORDER BY stream_id"


async def save(store: EventStore, tenant_id: UUID, one: Any) -> None:
    """Store a new aggregate."""
    await store.append(tenant_id, one, NO_STREAM, command="Make", origin=Origin(COMMAND_LINE))


async def fill(store: EventStore, tenant_id: UUID, seed: int, resources: int) -> list[UUID]:
    """So many random resources with what happened to them; the ids of those that are about people."""
    dice = random.Random(seed)
    streams = []
    for number in range(1, resources + 1):
        begin, about = MAKERS[dice.choice(sorted(MAKERS))]
        one: Any = begin(number, dice)
        for _ in range(dice.randrange(4)):
            dice.choice(about(one, dice))()
        await save(store, tenant_id, one)
        if not isinstance(one, Property):
            streams.append(one.id)
    return streams


async def add_staff(store: EventStore, tenant_id: UUID, email: str) -> dict[str, UUID]:
    """A user with a password and a second step, a key, a feed, a webhook, and a replay that is running."""
    password, totp, recovery, secret = SECRETS
    hashed, other_hash = (sha256(f"{email} {n}".encode()).hexdigest() for n in (1, 2))
    at = ids.now()
    number = await store.next_number("SELECT nextval('user_numbers')")
    user = User.join(
        ids.new_id(),
        at,
        number=number,
        email=email,
        name="Olivia Owner",
        role="brokerage_owner",
        password_hash=password,
        takes_leads=True,
        specialties=("condos",),
    )
    user.enable_totp(totp, [recovery], at)
    key = ApiKey.issue(ids.new_id(), at, name="Site", prefix="aur_x", key_hash=hashed, rate_limit=7)
    feed = CalendarFeed.open(user.id, at, token_hash=other_hash, details=True)
    endpoint = WebhookEndpoint.register(
        ids.new_id(), at, url="https://example.com/hook", events=("lead.*",), secret=secret
    )
    replay = WebhookReplay.request(ids.new_id(), at, endpoint_id=endpoint.id, since=1, until=5)
    for one in (user, key, feed, endpoint, replay):
        await save(store, tenant_id, one)
    return {"user": user.id, "key": key.id, "feed": feed.id, "endpoint": endpoint.id, "replay": replay.id}


async def exported(
    url: str, tenant_id: UUID, passphrase: bytes | None = None, master: bytes = MASTER_KEY
) -> tuple[bytes, Exported]:
    """The file's bytes, and what the export says of itself."""
    out = io.BytesIO()
    async with await connect(url) as connection, Database(url) as database:
        key = await open_tenant_key(connection, TenantKeys(MasterKey(master)), tenant_id)
        seal = None if passphrase is None else LineSeal.new(passphrase)
        done = await export(connection, key, out.write, KeptBlobs(database), seal)
    return out.getvalue(), done


async def imported(
    url: str,
    file: bytes,
    passphrase: bytes | None = None,
    *,
    slug: str | None = None,
    may_have: Callable[[str], bool] = lambda _: True,
) -> Imported:
    """Import the file."""
    async with await connect(url) as connection:
        return await import_brokerage(
            connection,
            MasterKey(OTHER_MASTER_KEY),
            ExportFile(io.BytesIO(file), passphrase),
            slug=slug,
            may_have=may_have,
            progress_of=lambda _: lambda done, length: None,
        )


async def state(url: str, tenant_id: UUID) -> dict[str, ModelState]:
    """What people read there."""
    async with await connect(url) as connection:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        async with connection.transaction():
            return await state_of(connection, tenant_id)


def lines_of(file: bytes) -> list[dict[str, Any]]:
    """All lines of a file, parsed."""
    return [orjson.loads(line) for line in file.splitlines()]


def events_in(file: bytes) -> list[dict[str, Any]]:
    """The events of the brokerage's log, without the numbers, which another installation may give out anew."""
    events = [line for line in lines_of(file) if "sequence" in line]
    for event in events:
        if event["streamversion"] == 1:
            event["data"]["fields"].pop("number", None)
    return events


async def histories(store: EventStore, tenant_id: UUID, until: int) -> dict[UUID, list[Any]]:
    """Everything that the log says of each stream, up to a position."""
    found = {}
    for (stream_id,) in await store.database.rows(STREAMS, {"tenant": tenant_id}):
        events = (await store.load(tenant_id, stream_id)).events
        found[stream_id] = [
            (one.position, one.recorded_at, one.metadata, type(one.event), without_secrets(one.event))
            for one in events
            if one.position <= until
        ]
    return {stream_id: events for stream_id, events in found.items() if events}


def without_secrets(event: Any) -> dict[str, Any]:
    """The fields of an event, less those that do not leave, and less numbers."""
    return {name: value for name, value in vars(event).items() if name not in event.SECRET and name != "number"}
