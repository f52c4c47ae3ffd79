"""Where the examples are played again: a brokerage, those who ask, and each endpoint's own way to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from pydantic import SecretStr

from aureum.commands.users import CreateUser, create_user
from aureum.domain import ids
from tests.documents.aureum_document import aureum_document
from tests.documents.leads_document import leads_document
from tests.documents.likeness import chosen
from tests.documents.reading import Endpoint, Field
from tests.http.cheap_hashes import cheap_hashes
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.serving import Answer, Server

AUREUM = aureum_document()
LEADS = leads_document()
TIME = AUREUM.payload.value["timestamp"][10:]
"""The one time that the Aureum API document writes out, for those that it leaves open."""

PASSWORD = "correct horse battery staple"
NOBODY = 2**31 - 1
"""The number of no user, lead or brokerage."""

NUMBERS = count(1)
PUBLIC = (
    ("POST", "/api/contact"),
    ("GET", "/api/leads/count"),
    ("POST", "/api/tours"),
    ("POST", "/api/newsletter/subscribe"),
)
"""The endpoints that know the brokerage by the Host."""


class Staff(NamedTuple):
    """A user who has logged in."""

    id: str
    number: int
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Cast:
    """The users that a test needs."""

    server: Server
    operator: Operator

    @cached_property
    def platform_admin(self) -> Staff:
        """One without a brokerage."""
        return self.staff(ids.PLATFORM, "platform_admin")

    def staff(self, tenant_id: UUID, role: str) -> Staff:
        """A new user, logged in; the platform's if they have no brokerage."""
        email = f"staff{next(NUMBERS)}@example.com"
        command = CreateUser(
            tenant_id=tenant_id, email=email, name="Sam Staff", role=role, password=SecretStr(PASSWORD)
        )
        with cheap_hashes():
            user = self.operator.run(lambda store: create_user(store, command, ORIGIN))
        answer = self.server.ask("POST", "/api/v1/auth/login", {"email": email, "password": PASSWORD})
        assert answer.status == 200, answer.body
        return Staff(ids.to_wire(user.id), user.number, answer.json["token"])

    def brokerage_number(self, tenant: Tenant) -> int:
        """Its ``brokerage_id``."""
        query = "SELECT number FROM brokerages WHERE tenant_id = %(tenant)s"
        ((number,),) = self.operator.rows(query, tenant=tenant.id)
        return int(number)

    def user_number(self, wire_id: str) -> int:
        """A user's ``assigned_agent_id``."""
        query = "SELECT number FROM users WHERE user_id = %(user)s"
        ((number,),) = self.operator.rows(query, user=ids.from_wire(wire_id))
        return int(number)


@dataclass
class Stage:
    """A brokerage of the test's own on the Elite plan, and its callers."""

    cast: Cast
    tenant: Tenant

    @property
    def server(self) -> Server:
        return self.cast.server

    @cached_property
    def number(self) -> int:
        return self.cast.brokerage_number(self.tenant)

    @cached_property
    def agent(self) -> int:
        """The number of an agent of the brokerage."""
        return self.cast.user_number(self.cast.operator.agent(self.tenant, "Ana Agent"))

    @property
    def head(self) -> int:
        """How far the brokerage's log goes: what is refused leaves it where it is."""
        return self.cast.operator.head(self.tenant)

    def ask(self, endpoint: Endpoint, body: Any = None, /, **query: str) -> Answer:
        """One request as the document has it: by key, by token of a platform admin, or by Host alone."""
        path = f"{endpoint.path}?{urlencode(query)}" if query else endpoint.path
        if (endpoint.method, endpoint.path) in PUBLIC:
            return self.server.ask(endpoint.method, path, body, host=self.tenant.domain)
        if endpoint.path.startswith("/api/v1/admin/"):
            return self.server.ask(endpoint.method, path, body, self.cast.platform_admin.bearer)
        return self.server.by_key(self.tenant, endpoint.method, path, body)

    def key(self, method: str, path: str, body: Any = None) -> Answer:
        """By key, for what the documents do not show but the examples need."""
        return self.server.by_key(self.tenant, method, path, body)

    def example(self, endpoint: Endpoint, /, **other: Any) -> dict[str, Any]:
        """What the document shows for the body of a POST, with *other* values.

        The Aureum API document shows no bodies: they are what its list of the same resources is made from. Whom a
        number in the Leads API document means is found on this stage.
        """
        if endpoint.request is None:
            (listed,) = AUREUM.endpoint("GET", endpoint.path).answered
            return chosen(listed, TIME) | other
        own = {"assigned_agent_id": lambda: self.agent, "brokerage_id": lambda: self.number}
        sent = endpoint.sent | other
        return {name: own[name]() if name in own and name not in other else sent[name] for name in sent}

    def least(self, endpoint: Endpoint) -> dict[str, Any]:
        """The fields of it that are required, and the brokerage that a platform admin has to name."""
        names = {one.name for one in endpoint.required} | {"brokerage_id"}
        return {name: value for name, value in self.example(endpoint).items() if name in names}

    def make(self, endpoint: Endpoint, /, **other: Any) -> dict[str, Any]:
        """POST the example with *other* values; what came back, which is a success."""
        answer = self.ask(endpoint, self.example(endpoint, **other))
        assert answer.status == endpoint.status, answer.body
        made: dict[str, Any] = answer.json
        return made

    def listed(self, endpoint: Endpoint, /, **query: str) -> list[dict[str, Any]]:
        """A list, which is an array."""
        answer = self.ask(endpoint, **query)
        assert answer.status == endpoint.status, answer.body
        items: list[dict[str, Any]] = answer.json
        assert isinstance(items, list)
        return items

    def shown(self, endpoint: Endpoint, made: Mapping[str, Any]) -> dict[str, Any]:
        """Everything that is told of what a POST has made: its answer, and its line in the list."""
        listing = next((one for one in LISTS if one.path == endpoint.path), None)
        (line,) = [one for one in self.listed(listing) if one["id"] == made["id"]] if listing else ({},)
        return line | dict(made)


def post(path: str) -> Endpoint:
    """A POST that the Aureum API document has, or names with no more than its list."""
    for one in AUREUM.endpoints:
        if (one.method, one.path) == ("POST", path):
            return one
    listing = AUREUM.endpoint("GET", path)
    created = int(next(row.name for row in AUREUM.statuses if row.text == "Created"))
    return Endpoint(listing.line, "POST", path, "", created, (), None, None)


LISTS = tuple(one for one in AUREUM.endpoints + LEADS.endpoints if one.method == "GET" and one.fields)
POSTS = tuple(one for one in AUREUM.endpoints + LEADS.endpoints if one.method == "POST")


def refused(endpoint: Endpoint, answer: Answer, about: Field) -> None:
    """It is refused in the endpoint's dialect, which is its document's, and the field is named."""
    if endpoint in AUREUM.endpoints:
        assert answer.status == 400 and AUREUM.meaning(400).startswith("Bad request"), answer.body
        assert about.name in answer.error
        for value in about.allowed:
            assert value in answer.error
    else:
        error = LEADS.error("Validation Error")
        ((_, (example,)),) = error.block.value.items()
        assert answer.status == error.status, answer.body
        (item,) = answer.detail
        # Where a few words are allowed, "ctx" names them behind what the document shows.
        assert list(item)[: len(example)] == list(example)
        assert item["loc"] == ["query" if endpoint.method == "GET" else "body", about.name]
        assert isinstance(item["msg"], str) and isinstance(item["type"], str)
