"""A brokerage that has one of each resource, and how each endpoint is asked there so that it succeeds.

Nearly all follows from the declarations: credentials from the access, the body from its example, the id in a path from
what a POST beside it makes. ``recipes`` has what does not.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from aureum.domain.ids import PLATFORM
from aureum.http.contract.endpoint import Endpoint
from tests.http.every.call import NUMBERS, OF_THE_PLATFORM, Call
from tests.http.every.declared import collection, declared, example_of, fields_of, has_numbers, is_list, is_text
from tests.http.every.recipes import MAKERS, RECIPES, REFERENCES
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Answer, Server

NOT_WORDS = (
    "phone",
    "timeZone",
    "time_zone",
    "country",
    "password",
    "slug",
    "url",
    "startsAt",
    "starts_at",
    "expires_at",
)
"""Strings to which no word can be added."""

ADD = (
    "It is not known how {} {} succeeds: add it to RECIPES, or what makes the resource to MAKERS, in "
    "tests/http/every/recipes.py."
)

HEADS = "SELECT tenant_id, position FROM heads WHERE tenant_id IN (%(tenant)s, %(platform)s)"
NUMBER = "SELECT number FROM brokerages WHERE tenant_id = %(tenant)s"


@dataclass
class Sample:
    """A brokerage and its staff. *mark* is a word in every text of its data."""

    server: Server
    operator: Operator
    tenant: Tenant
    mark: str = "unmarked"
    made: dict[str, str] = field(default_factory=dict)
    calls: dict[tuple[str, str], Call] = field(default_factory=dict)

    @cached_property
    def agent(self) -> Staff:
        return self.operator.staff(self.tenant.id, "agent", f"Ana {self.mark}")

    @cached_property
    def owner(self) -> Staff:
        return self.operator.staff(self.tenant.id, "brokerage_owner", f"Olga {self.mark}")

    @cached_property
    def platform_admin(self) -> Staff:
        return self.operator.staff(PLATFORM, "platform_admin")

    @cached_property
    def number(self) -> int:
        """The ``brokerage_id``."""
        ((number,),) = self.operator.rows(NUMBER, tenant=self.tenant.id)
        return int(number)

    @property
    def heads(self) -> dict[Any, int]:
        """How far the logs of the brokerage and of the platform go: what is refused leaves them there."""
        return dict(self.operator.rows(HEADS, tenant=self.tenant.id, platform=PLATFORM))

    def call(self, endpoint: Endpoint, *, fresh: bool = False) -> Call:
        """How to ask it, of a resource that no other call changes if it is *fresh*, and a body that is new."""
        path = endpoint.path
        if is_list(endpoint):
            self.one(path)
        if endpoint.id is not None:
            path = path.replace("{id}", self.id_in(endpoint, fresh=fresh or endpoint.method == "DELETE"))
        call = Call(endpoint.method, path, {}, None, self.credentials(endpoint), self.host(endpoint))
        recipe = RECIPES.get((endpoint.method, endpoint.path))
        if recipe is not None:
            return call.but(**recipe(self))
        return replace(call, body=self.body(endpoint))

    def same_call(self, endpoint: Endpoint) -> Call:
        """How to ask it, of the same resource each time."""
        name = (endpoint.method, endpoint.path)
        if name not in self.calls:
            self.calls[name] = self.call(endpoint)
        return self.calls[name]

    def another_body(self, endpoint: Endpoint, call: Call) -> Any:
        """A body as good as that of the *call* but for what must be unique."""
        return call.body if (endpoint.method, endpoint.path) in RECIPES else self.body(endpoint)

    def host(self, endpoint: Endpoint) -> str:
        """The host by which the endpoint knows the brokerage, if it does not by the credentials."""
        known = endpoint.access.schemes and not endpoint.access.optional
        return "127.0.0.1" if known else self.tenant.domain

    def credentials(self, endpoint: Endpoint) -> dict[str, str]:
        """Those of the caller with the most rights there."""
        if endpoint.access.optional or not endpoint.access.schemes:
            return {}
        if "key" in endpoint.access.schemes:
            return self.tenant.bearer
        assert endpoint.access.schemes == ("token",), ADD.format(endpoint.method, endpoint.path)
        return (self.platform_admin if endpoint.path.startswith(OF_THE_PLATFORM) else self.owner).bearer

    def body(self, endpoint: Endpoint) -> dict[str, Any] | None:
        """The declaration's example, marked, with resources of this brokerage; what must be unique is."""
        example = example_of(endpoint)
        if example is None or endpoint.body is None:
            return None
        number = next(NUMBERS)
        schemas = {one.path[0]: one.schema for one in fields_of(endpoint.body) if len(one.path) == 1}
        for name, value in list(example.items()):
            if name in REFERENCES:
                example[name] = REFERENCES[name](self)
            elif name == "slug":
                example[name] = f"{value}-{number}"
            elif name == "domains":
                example[name] = [f"d{number}.{domain}" for domain in value]
            elif name == "email":
                example[name] = f"e{number}.{self.mark}@example.com"
            elif name in NOT_WORDS or name not in schemas:
                continue
            elif isinstance(value, str) and is_text(schemas[name]):
                example[name] = f"{value} {self.mark}"
            elif isinstance(value, list) and is_text(schemas[name].get("items", {})):
                example[name] = [*value, self.mark]
        return example

    def id_in(self, endpoint: Endpoint, *, fresh: bool) -> str:
        """The id of a resource that its path may name."""
        assert endpoint.id is not None
        return self.make(collection(endpoint)) if fresh else self.one(collection(endpoint))

    def one(self, path: str) -> str:
        """The id of the one resource below *path* that is made once and stays."""
        if path not in self.made:
            self.made[path] = self.make(path)
        return self.made[path]

    def make(self, path: str) -> str:
        """A new resource below *path*; its id there, which is a number or a wire id."""
        post = declared("POST", path)
        if path in MAKERS:
            found = MAKERS[path](self)
        else:
            assert post is not None, ADD.format("what stands below", path)
            found = self.succeed(post).json
        ids = [found[name] for name in ("id", "number") if name in found]
        return str(next(one for one in ids if isinstance(one, int) == has_numbers(path)))

    def succeed(self, endpoint: Endpoint, call: Call | None = None) -> Answer:
        """The answer of the endpoint, which must be a success."""
        answer = (call or self.call(endpoint)).send(self.server)
        assert answer.status == endpoint.status, (
            f"{ADD.format(endpoint.method, endpoint.path)} It answered {answer.status}: {answer.body[:500]!r}"
        )
        return answer
