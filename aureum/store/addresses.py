"""The client's address in the metadata of an event, as staff and programs have it: sealed, since it is personal.

That of a user is sealed under the key of the user: when the user is erased, it can no longer be read. To read, the key
is always fetched. Only to seal is it kept: what a process seals with a key that was destroyed elsewhere cannot be read
by any process. That of a program is sealed under the key of the tenant. A form's events have none, and cost nothing
more.
"""

from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.domain.ids import PLATFORM, from_wire
from aureum.lru import Lru
from aureum.store.cipher import TenantKey, seal, unseal
from aureum.store.metadata import Origin
from aureum.store.postgres.database import Database

OpenTenantKey = Callable[[UUID], Awaitable[TenantKey]]

REMEMBERED = 1_000
"""Users whose keys a process keeps for sealing."""

SUBJECT_KEY = "SELECT wrapped FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(subject)s"


class Addresses:
    """Seals addresses. One an event store."""

    def __init__(self) -> None:
        self.kept: Lru[tuple[UUID, str], AESGCM] = Lru(REMEMBERED)

    async def sealed(
        self, database: Database, tenant_key: TenantKey, open_tenant_key: OpenTenantKey, origin: Origin
    ) -> Origin:
        """*origin* with its address as it is stored. Without a key, as of a user who was erased, there is none. Raises
        Unavailable."""
        assert origin.address is not None
        actor = origin.actor
        place = (tenant_key.tenant_id, actor.id or "")
        key = self.kept.find(place)
        if key is None:
            key = await key_of(database, tenant_key, open_tenant_key, actor.kind, actor.id)
            if key is None:
                return origin
            self.kept.keep(place, key)
        stored = seal(key, origin.address.encode(), context(tenant_key.tenant_id, actor.id))
        return replace(origin, sealed_address=b64encode(stored).decode())


async def addresses_of(
    database: Database,
    tenant_key: TenantKey,
    open_tenant_key: OpenTenantKey,
    metadata: Sequence[Mapping[str, Any]],
) -> list[str | None]:
    """The address of each event, by its *metadata*; None where there is none, or it can no longer be read. Raises
    Unavailable."""
    keys: dict[str | None, AESGCM | None] = {}
    found: list[str | None] = []
    for about in metadata:
        stored, actor = about.get("address"), about["actor"]
        if stored is None:
            found.append(None)
            continue
        if actor["id"] not in keys:
            keys[actor["id"]] = await key_of(database, tenant_key, open_tenant_key, actor["type"], actor["id"])
        found.append(opened(keys[actor["id"]], stored, context(tenant_key.tenant_id, actor["id"])))
    return found


def opened(key: AESGCM | None, stored: str, place: bytes) -> str | None:
    """The address; None without the key it was sealed under, as after a move to another installation."""
    try:
        return None if key is None else unseal(key, b64decode(stored), place).decode()
    except InvalidTag:
        return None


async def key_of(
    database: Database, tenant_key: TenantKey, open_tenant_key: OpenTenantKey, kind: str, wire_id: str | None
) -> AESGCM | None:
    """The key of the user, who may be the platform's; of a program the tenant's. Raises Unavailable."""
    if kind != "user" or wire_id is None:
        return tenant_key.for_addresses
    subject = from_wire(wire_id)
    for tenant_id in dict.fromkeys((tenant_key.tenant_id, PLATFORM)):
        rows = await database.tenant_rows(tenant_id, SUBJECT_KEY, {"tenant": tenant_id, "subject": subject})
        if rows:
            owner = tenant_key if tenant_id == tenant_key.tenant_id else await open_tenant_key(tenant_id)
            assert subject is not None
            return owner.open_subject_key(subject, rows[0][0])
    return None


def context(tenant_id: UUID, wire_id: str | None) -> bytes:
    """Where an address stands: it is of this actor of this tenant."""
    return b"address" + tenant_id.bytes + (wire_id or "").encode()
