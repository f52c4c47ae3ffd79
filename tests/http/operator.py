"""What the operator does beside the servers: brokerages, keys, users, many leads at once; and a look into the log."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, Self, TypeVar
from uuid import UUID

from aureum.commands.api_keys import IssueApiKey, hash_key, issue_api_key
from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.commands.sessions import TOKEN_PREFIX
from aureum.commands.users import CreateUser, create_user
from aureum.domain.ids import to_wire
from aureum.domain.user import User
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from tests.stores import capture, opened_store

Result = TypeVar("Result")

ORIGIN = Origin(COMMAND_LINE)
NUMBERS = count(1)


@dataclass(frozen=True)
class Tenant:
    """A brokerage, a key of it, and a domain of it."""

    id: UUID
    slug: str
    domain: str
    key: str
    key_id: UUID

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@dataclass(frozen=True)
class Staff:
    """A user: wire id, number, and a token."""

    id: str
    number: int
    email: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


TOKEN = """
INSERT INTO user_tokens (token_hash, tenant_id, user_id, expires_at)
VALUES (%(hash)s, %(tenant)s, %(user)s, now() + interval '1 hour')
"""


@dataclass
class Operator:
    """What the operator does beside the servers: brokerages, keys, users; and a look into the log."""

    runner: asyncio.Runner
    store: EventStore

    @classmethod
    @contextmanager
    def opened(cls, url: str) -> Iterator[Self]:
        """An operator on a database."""
        with asyncio.Runner() as runner:
            opening = opened_store(url)
            operator = cls(runner, runner.run(opening.__aenter__()))
            yield operator
            runner.run(opening.__aexit__(None, None, None))

    @cached_property
    def shared(self) -> Tenant:
        """A brokerage for tests that do not mind what else it has."""
        return self.brokerage()

    @cached_property
    def shared_lead(self) -> str:
        """The id of a lead of it."""

        tenant = self.shared

        async def captured(store: EventStore) -> str:
            return to_wire((await capture(store, tenant.id)).id)

        return self.run(captured)

    def run(self, work: Callable[[EventStore], Awaitable[Result]]) -> Result:
        """Any work on the store."""

        async def worked() -> Result:
            return await work(self.store)

        return self.runner.run(worked())

    def brokerage(self, plan: str = "Elite", *, rate_limit: int = 1_000_000, **fields: Any) -> Tenant:
        """A new tenant with a key of so many requests a minute."""
        slug = f"office-{next(NUMBERS)}"
        given = {"name": "Snake River Realty", "slug": slug, "domains": (f"{slug}.example.com",), "plan": plan}
        command = OpenBrokerage.model_validate(given | fields)

        async def opened(store: EventStore) -> Tenant:
            brokerage = await open_brokerage(store, command, ORIGIN)
            asked = IssueApiKey(tenant_id=brokerage.id, name="tests", rate_limit=rate_limit)
            api_key, key = await issue_api_key(store, asked, ORIGIN)
            return Tenant(brokerage.id, brokerage.slug, brokerage.domains[0], key, api_key.id)

        return self.run(opened)

    def key(self, tenant: Tenant, rate_limit: int) -> Tenant:
        """The same tenant with another key of its own."""

        async def issued(store: EventStore) -> Tenant:
            asked = IssueApiKey(tenant_id=tenant.id, name="another", rate_limit=rate_limit)
            api_key, key = await issue_api_key(store, asked, ORIGIN)
            return Tenant(tenant.id, tenant.slug, tenant.domain, key, api_key.id)

        return self.run(issued)

    def agent(self, tenant: Tenant, name: str, *specialties: str) -> str:
        """A new agent's wire id."""
        email = f"agent{next(NUMBERS)}@example.com"
        command = CreateUser(tenant_id=tenant.id, email=email, name=name, role="agent", specialties=specialties)

        async def joined(store: EventStore) -> User:
            return await create_user(store, command, ORIGIN)

        return to_wire(self.run(joined).id)

    def staff(self, tenant_id: UUID, role: str, name: str = "Somebody") -> "Staff":
        """A new user with a token, as if logged in."""
        email = f"staff{next(NUMBERS)}@example.com"
        command = CreateUser(tenant_id=tenant_id, email=email, name=name, role=role)

        async def joined(store: EventStore) -> User:
            return await create_user(store, command, ORIGIN)

        user = self.run(joined)
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        self.rows(TOKEN, hash=hash_key(token), tenant=tenant_id, user=user.id)
        return Staff(to_wire(user.id), user.number, email, token)

    def fill(self, tenant: Tenant, leads: int, **fields: Any) -> None:
        """Many leads at once."""

        async def captured(store: EventStore) -> None:
            await asyncio.gather(*(capture(store, tenant.id, **fields) for _ in range(leads)))

        self.run(captured)

    def head(self, tenant: Tenant) -> int:
        """The position of the tenant's last event."""
        ((position,),) = self.rows("SELECT position FROM heads WHERE tenant_id = %(tenant)s", tenant=tenant.id)
        return int(position)

    def rows(self, query: str, **parameters: Any) -> list[Any]:
        """Any statement, as the owner."""
        return self.run(lambda store: store.database.rows(query, parameters))
