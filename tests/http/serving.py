"""Servers as the supervisor starts them, asked over real sockets; and what tests put into their database."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import UUID

from aureum.commands.api_keys import IssueApiKey, issue_api_key
from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.commands.users import CreateUser, create_user
from aureum.domain.ids import to_wire
from aureum.domain.user import User
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from tests.conftest import MASTER_KEY
from tests.stores import capture, opened_store

Result = TypeVar("Result")

PATIENCE = 20.0
BASE_DOMAIN = "crm.example.org"
ORIGIN = Origin(COMMAND_LINE)
NUMBERS = count(1)

FORM = {
    "firstName": "John",
    "lastName": "Smith",
    "email": "john.smith@example.com",
    "phone": "208-555-0123",
    "subject": "Interested in property at 123 Main St",
    "message": "I'd like to learn more about this listing...",
    "source_page": "/property/202412345",
    "utm_source": "google",
    "utm_medium": "organic",
    "utm_campaign": "spring-2024",
}
"""The example of the Leads API document."""


MUCH = "x" * 12_000
"""A chunk of leads with such messages is more than the sockets on the way take up: the server waits for its reader."""


@dataclass(frozen=True)
class Answer:
    """What came back; ``headers`` by name in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The text of a refusal in the Aureum dialect, which has nothing else beside it."""
        assert list(self.json) == ["error"], self.body
        text: str = self.json["error"]
        return text

    @property
    def detail(self) -> Any:
        """The same in the Leads dialect."""
        assert list(self.json) == ["detail"], self.body
        return self.json["detail"]

    @property
    def etag(self) -> str:
        return self.headers["etag"]


def answer_of(response: HTTPResponse) -> Answer:
    """A whole answer, read to its end."""
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


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
class Server:
    """One HTTP process."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        host: str | None = "127.0.0.1",
    ) -> Answer:
        """One request on a connection of its own. *body*: bytes as they are, anything else as JSON."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            sent = {} if host is None else {"Host": host}
            content = None
            if body is not None:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                sent |= {"Content-Type": "application/json"}
                if "Transfer-Encoding" not in (headers or {}):
                    sent |= {"Content-Length": str(len(content))}
            for name, value in (sent | dict(headers or {})).items():
                connection.putheader(name, value.encode("latin-1"))
            connection.endheaders(content)
            return answer_of(connection.getresponse())
        finally:
            connection.close()

    def by_key(
        self, tenant: Tenant, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """A request to the Aureum API."""
        return self.ask(method, path, body, tenant.bearer | dict(headers or {}))

    def form(self, tenant: Tenant, headers: Mapping[str, str] | None = None, /, **fields: Any) -> Answer:
        """The document's contact form, with other *fields*, on the brokerage's domain."""
        return self.ask("POST", "/api/contact", FORM | fields, headers, host=tenant.domain)

    def raw(self, request: bytes) -> bytes:
        """Everything that comes back until the server ends the connection, for bytes that http.client does not send."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(request)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
            return b"".join(parts)

    def logged(self) -> str:
        """What it has written to standard error so far."""
        return self.log.read_text()


@contextmanager
def served(url: str, **settings: str) -> Iterator[Server]:
    """An HTTP process on a free port of the loopback address; *settings* are ``AUREUM_*`` without the prefix."""
    own = {
        "DATABASE_URL": url,
        "MASTER_KEY": b64encode(MASTER_KEY).decode(),
        "BASE_DOMAIN": BASE_DOMAIN,
    } | {name.upper(): value for name, value in settings.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUREUM_")}
    with (
        tempfile.TemporaryDirectory(prefix="aureum-served-") as directory,
        socket.create_server(("127.0.0.1", 0), backlog=512) as listener,
    ):
        log = Path(directory) / "stderr"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "aureum.process", "http", str(listener.fileno())],
                env=inherited | {f"AUREUM_{name}": value for name, value in own.items()},
                stdin=subprocess.PIPE,
                stderr=stderr,
                pass_fds=[listener.fileno()],
            )
        server = Server(listener.getsockname()[1], process, log)
        # From now on the process alone listens: if it dies, nobody waits for an answer.
        listener.close()
        try:
            assert ready(server), server.logged()
            yield server
        finally:
            process.terminate()
            assert process.stdin is not None
            process.stdin.close()
            ended = process.wait(PATIENCE)
        assert ended == 0, server.logged()


def ready(server: Server) -> bool:
    """Whether it answers; it need not have begun to."""
    try:
        return server.ask("GET", "/readyz").status == 200
    except OSError:
        return False


def until(
    holds: Callable[[], bool], why: Callable[[], str] = lambda: "it did not become so", within: float = PATIENCE
) -> float:
    """Wait until a condition holds; the seconds that it took."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < within, why()
        time.sleep(0.01)
    return time.monotonic() - started


@dataclass
class Office:
    """What the operator does beside the servers: brokerages, keys, users; and a look into the log."""

    runner: asyncio.Runner
    store: EventStore

    @classmethod
    @contextmanager
    def opened(cls, url: str) -> Iterator[Self]:
        """An office on a database."""
        with asyncio.Runner() as runner:
            opening = opened_store(url)
            office = cls(runner, runner.run(opening.__aenter__()))
            yield office
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
        """Whatever a test wants of the store."""

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
