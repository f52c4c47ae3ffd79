"""A brokerage that has one of each resource, and how each endpoint is asked there so that it succeeds.

Nearly all follows from the declarations: credentials from the access, the body from its example, the id in a path from
what a POST beside it makes. ``RECIPES`` and ``MAKERS`` have what does not.
"""

import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from pydantic import SecretStr
from pyotp import TOTP

from aureum.commands.routing_rehearsals import claim, go_on
from aureum.commands.users import CreateUser, create_user
from aureum.domain.ids import PLATFORM, aureum_time, from_wire, now, to_wire
from aureum.domain.totp import new_secret
from aureum.http.api.brokerages.logo import PIXEL
from aureum.http.contract.endpoint import Endpoint
from aureum.store import security_log
from aureum.store.event_store import EventStore
from tests.http import sending
from tests.http.cheap_hashes import cheap_hashes
from tests.http.every.declared import collection, declared, example_of, fields_of, has_numbers, is_list, is_text
from tests.http.operator import ORIGIN, Operator, Staff, Tenant
from tests.http.serving import Answer, Server
from tests.mail.queued import queue_mails
from tests.pdf.making import document

NUMBERS = count(1)
PASSWORD = "correct horse battery staple"
SESSION = """
INSERT INTO user_tokens (token_hash, tenant_id, user_id, expires_at)
SELECT %(hash)s, tenant_id, user_id, now() + interval '1 hour' FROM users WHERE user_id = %(user)s
RETURNING session_id
"""
PASSWORD_LINK = """
INSERT INTO password_links (token_hash, tenant_id, user_id, purpose, expires_at)
SELECT %(hash)s, tenant_id, user_id, 'reset', now() + interval '1 hour' FROM users WHERE shown_email = %(email)s
RETURNING 1
"""
NOTHING_FAILED = "DELETE FROM login_failures RETURNING 1"
"""All tests try passwords from one address, whose wrong ones slow it down."""

LOGOUT = "/api/v1/auth/logout"
"""What ends the token that asks it."""

OF_THE_PLATFORM = ("/api/v1/admin/brokerages", "/api/v1/admin/platform")
OWN_PASSWORD = "/api/me/password"
OWN_TOTP = "/api/me/totp"
"""What begins like this is a platform admin's alone."""

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
    "tests/http/every/sample.py."
)

HEADS = "SELECT tenant_id, position FROM heads WHERE tenant_id IN (%(tenant)s, %(platform)s)"
LINK = """
INSERT INTO unsubscribe_tokens (tenant_id, token_hash, subscriber_id)
SELECT tenant_id, %(hash)s, subscriber_id FROM subscriber_list
 WHERE tenant_id = %(tenant)s AND doc::jsonb ->> 'email' = %(email)s
RETURNING 1
"""
TRIED = """
INSERT INTO webhook_attempts (tenant_id, endpoint_id, position, attempt, started_at, duration_ms, status, answer,
                              outcome, lease_owner)
VALUES (%(tenant)s, %(endpoint)s, %(position)s, 1, now(), 7, 200, '', 'delivered', gen_random_uuid())
"""
IMPORTS = "/api/v1/admin/imports"
REHEARSALS = "/api/v1/admin/routing/rehearsals"
COMPLETED = """
UPDATE imports SET state = 'completed', ended_at = now() WHERE tenant_id = %(tenant)s AND import_id = %(id)s RETURNING 1
"""
END_IMPORTS = """
UPDATE imports SET state = CASE state WHEN 'checking' THEN 'checked' ELSE 'undone' END
 WHERE tenant_id = %(tenant)s AND state IN ('checking', 'undoing') RETURNING 1
"""
HOLD_REHEARSALS = "UPDATE routing_rehearsals SET held_until = 'infinity' WHERE tenant_id = %(tenant)s RETURNING 1"
END_REHEARSALS = "UPDATE routing_rehearsals SET state = 'completed' WHERE tenant_id = %(tenant)s RETURNING 1"
FAIL_MAIL = """
UPDATE mails SET state = 'failed', attempt = 1, error = 'recipient_refused', ended_at = now()
 WHERE tenant_id = %(tenant)s AND position = %(position)s
RETURNING mail_id
"""
NUMBER = "SELECT number FROM brokerages WHERE tenant_id = %(tenant)s"


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"

    def but(self, **other: Any) -> "Call":
        """The same with something else; headers and query are added."""
        if "headers" in other:
            other["headers"] = {**self.headers, **other["headers"]}
        if "query" in other:
            other["query"] = {**self.query, **other["query"]}
        return replace(self, **other)

    def send(self, server: Server) -> Answer:
        path = f"{self.path}?{urlencode(self.query)}" if self.query else self.path
        return server.ask(self.method, path, self.body, self.headers, host=self.host)


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
        """How to ask it, of a resource that nobody else changes if it is *fresh*, and a body that nobody sent yet."""
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
        """Whom the endpoint would know the brokerage by, if not by the credentials."""
        known = endpoint.access.schemes and not endpoint.access.optional
        return "127.0.0.1" if known else self.tenant.domain

    def credentials(self, endpoint: Endpoint) -> dict[str, str]:
        """Those of whoever may do most there."""
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
        """What the endpoint answers to whom it serves."""
        answer = (call or self.call(endpoint)).send(self.server)
        assert answer.status == endpoint.status, (
            f"{ADD.format(endpoint.method, endpoint.path)} It answered {answer.status}: {answer.body[:500]!r}"
        )
        return answer


def with_password(sample: Sample) -> dict[str, Any]:
    """A user who can log in, at an address from which nothing has failed yet."""
    sample.operator.rows(NOTHING_FAILED)
    email = f"login{next(NUMBERS)}.{sample.mark}@example.com"
    command = CreateUser(
        tenant_id=sample.tenant.id, email=email, name="Lou", role="agent", password=SecretStr(PASSWORD)
    )
    with cheap_hashes():
        sample.operator.run(lambda store: create_user(store, command, ORIGIN))
    return {"body": {"email": email, "password": PASSWORD}}


def activity(sample: Sample) -> dict[str, Any]:
    """One of a lead that no other caller changes."""
    post = declared("POST", "/api/leads/{id}/activities")
    assert post is not None
    found: dict[str, Any] = sample.succeed(post, sample.call(post, fresh=True)).json
    return found


def erasable(sample: Sample) -> dict[str, Any]:
    """A person with one lead, of whom no other test knows."""
    post = declared("POST", "/api/leads")
    assert post is not None
    call = sample.call(post)
    sample.succeed(post, call)
    return {"body": {"email": call.body["email"]}}


def with_activity(path: str) -> Callable[[Sample], dict[str, Any]]:
    """A list of at least one."""

    def recipe(sample: Sample) -> dict[str, Any]:
        post = declared("POST", path)
        assert post is not None
        call = sample.call(post)
        sample.succeed(post, call)
        return {"path": call.path}

    return recipe


def listing(sample: Sample) -> dict[str, Any]:
    """One that was sent to a contact of whom no other caller knows."""
    post = declared("POST", "/api/contacts/{id}/listings")
    assert post is not None
    found: dict[str, Any] = sample.succeed(post, sample.call(post, fresh=True)).json
    return found


def with_link(sample: Sample) -> dict[str, Any]:
    """Somebody who subscribes to the newsletter, and the link that ends it."""
    subscribe, token = declared("POST", "/api/newsletter/subscribe"), secrets.token_urlsafe(16)
    assert subscribe is not None
    call = sample.call(subscribe)
    sample.succeed(subscribe, call)
    about = {"tenant": sample.tenant.id, "email": call.body["email"], "hash": sha256(token.encode()).digest()}
    assert sample.operator.rows(LINK, **about)
    return {"query": {"token": token}}


def webhook(sample: Sample) -> dict[str, Any]:
    """A new webhook with a delivery, as the worker would have logged it, and a replay."""
    post = declared("POST", "/api/webhooks")
    assert post is not None
    made: dict[str, Any] = sample.succeed(post).json
    replayed = replay_of(sample, made["id"])
    about = {"tenant": sample.tenant.id, "endpoint": from_wire(made["id"]), "position": next(NUMBERS)}
    sample.operator.rows(TRIED, **about)
    return made | {"delivery": f"{made['id']}_{about['position']}", "replay": replayed["id"]}


def replay_of(sample: Sample, webhook_id: str) -> dict[str, Any]:
    """A replay of everything."""
    post = declared("POST", "/api/webhooks/{id}/replay")
    assert post is not None
    call = Call("POST", post.path.replace("{id}", webhook_id), {}, {"since": 0}, sample.tenant.bearer)
    made: dict[str, Any] = sample.succeed(post, call).json
    return made


def of_new_webhook(action: str, body: dict[str, Any]) -> Callable[[Sample], dict[str, Any]]:
    """What can be done only so often, and not while somebody has disabled it: to a new webhook each time."""
    return lambda sample: {"path": f"/api/webhooks/{sample.make('/api/webhooks')}/{action}", "body": body}


def session(sample: Sample) -> dict[str, Any]:
    """Another session of the owner."""
    ((session_id,),) = sample.operator.rows(SESSION, user=from_wire(sample.owner.id), hash=secrets.token_bytes(32))
    return {"id": to_wire(session_id)}


def with_logo(sample: Sample) -> dict[str, Any]:
    """A brokerage that has a logo."""
    path = f"/api/v1/admin/brokerages/{sample.number}/logo"
    call = Call("PUT", path, {}, {"image": PIXEL}, sample.owner.bearer)
    assert call.send(sample.server).status == 200
    return {}


def with_password_link(sample: Sample) -> dict[str, Any]:
    """A user who has got a link at which to choose a password."""
    email, token = with_password(sample)["body"]["email"], secrets.token_urlsafe(32)
    assert sample.operator.rows(PASSWORD_LINK, hash=sha256(token.encode()).digest(), email=email)
    return {"body": {"token": token, "password": f"apples fall in autumn {next(NUMBERS)}"}}


def without_password(sample: Sample) -> dict[str, Any]:
    """A user who was invited."""
    number = sample.operator.staff(sample.tenant.id, "agent", f"Ivy {sample.mark}").number
    return {"path": f"/api/v1/admin/users/{number}/invite", "body": {"language": "es"}}


def invited(sample: Sample) -> dict[str, Any]:
    """A user whose invitation is to be cancelled."""
    call = without_password(sample)
    asked = Call("POST", call["path"], {}, call["body"], sample.owner.bearer)
    assert asked.send(sample.server).status == 200
    return {"path": call["path"].replace("invite", "cancel-invitation")}


def own_password(sample: Sample) -> dict[str, Any]:
    """A user who is logged in and changes the password."""
    credentials = with_password(sample)["body"]
    answer = sample.server.ask("POST", "/api/v1/auth/login", credentials)
    bearer = {"Authorization": f"Bearer {answer.json['token']}"}
    return {"headers": bearer, "body": {"current": PASSWORD, "new": f"apples fall in autumn {next(NUMBERS)}"}}


def own_totp(sample: Sample) -> dict[str, Any]:
    """A user who is logged in and sets up a second step."""
    bearer = own_password(sample)["headers"]
    secret = new_secret()
    return {"headers": bearer, "body": {"secret": secret, "code": TOTP(secret).now(), "current": PASSWORD}}


def profile(sample: Sample) -> dict[str, Any]:
    """A profile, in which only languages are no words."""
    patch = declared("PATCH", "/api/v1/admin/agents/{id}")
    assert patch is not None
    body = sample.body(patch) or {}
    return {"body": body | {"languages": ["en", "es"]}}


def in_pond(sample: Sample) -> dict[str, Any]:
    """A lead that found no agent: a form of a brokerage whose agents are all away, or has none that take leads."""
    settings = {"mode": "primary_only", "fallback": "pond"}
    put = Call("PUT", "/api/v1/admin/routing", {}, settings, sample.owner.bearer)
    assert put.send(sample.server).status == 200
    # A person of before would go to the agent who has had that lead since.
    answer = sample.server.form(sample.tenant, email=f"pond{next(NUMBERS)}@example.com", message=f"Of {sample.mark}")
    assert answer.status == 200, answer.body
    return {"path": f"/api/v1/admin/leads/{answer.json['lead_id']}/claim"}


def routing(sample: Sample) -> dict[str, Any]:
    """Settings that name an agent of the brokerage."""
    return {
        "mode": "subject_based",
        "rules": [
            {"when": {"subject_has": [f"sell {sample.mark}"]}, "to": {"group": sample.mark}, "claim_minutes": 15},
            {"to": {"group": "everyone"}},
        ],
        "groups": {sample.mark: [sample.agent.number]},
        "answer_within_minutes": next(NUMBERS) % 10_000 + 1,
    }


def rehearsal(sample: Sample) -> dict[str, Any]:
    """Settings of no agent, in a brokerage where no worker ends what was asked for before."""
    sample.operator.rows(END_REHEARSALS, tenant=sample.tenant.id)
    rules = [{"when": {"subject_has": [f"sell {sample.mark}"]}, "to": {"group": "everyone"}}]
    rules.append({"to": {"group": "everyone"}})
    return {"body": {"settings": {"mode": "subject_based", "rules": rules}, "since": "2026-11-01"}}


def example(sample: Sample) -> dict[str, Any]:
    """A lead that staff gave to another agent, in a brokerage that learns from that."""
    settings = {"mode": "semantic", "learn_from_reassignments": True}
    put = Call("PUT", "/api/v1/admin/routing", {}, settings, sample.owner.bearer)
    assert put.send(sample.server).status == 200
    for agent in (sample.agent, sample.operator.staff(sample.tenant.id, "agent", f"Abe {sample.mark}")):
        answer = sample.server.form(sample.tenant, message=f"A barn {sample.mark} {next(NUMBERS)}")
        assert answer.status == 200, answer.body
        for given in (sample.agent, agent):
            path = f"/api/v1/admin/leads/{answer.json['lead_id']}"
            patch = Call("PATCH", path, {}, {"assigned_agent_id": given.number}, sample.owner.bearer)
            assert patch.send(sample.server).status == 200
    return {"id": str(answer.json["lead_id"])}


def rehearsed(sample: Sample) -> dict[str, Any]:
    """A rehearsal of one lead at least, as a worker has done it."""
    sample.server.form(sample.tenant, message=f"A yard {sample.mark} {next(NUMBERS)}")
    post = declared("POST", "/api/v1/admin/routing/rehearse")
    assert post is not None
    found: dict[str, Any] = sample.succeed(post).json
    sample.operator.run(rehearse_all)
    return found


def running_rehearsal(sample: Sample) -> dict[str, Any]:
    """One that a worker holds."""
    sample.operator.rows(END_REHEARSALS, tenant=sample.tenant.id)
    post = declared("POST", "/api/v1/admin/routing/rehearse")
    assert post is not None
    asked = sample.succeed(post).json["id"]
    sample.operator.rows(HOLD_REHEARSALS, tenant=sample.tenant.id)
    return {"path": f"{REHEARSALS}/{asked}/cancel"}


def to_rehearse(sample: Sample) -> dict[str, Any]:
    """A lead that was routed. The next rehearsal has it, so that the one of before is forgotten."""
    answer = sample.server.form(sample.tenant, email=f"yard{next(NUMBERS)}@example.com", message=f"Of {sample.mark}")
    assert answer.status == 200, answer.body
    sample.made.pop(REHEARSALS, None)
    return {"id": str(answer.json["lead_id"])}


def pair(sample: Sample) -> dict[str, Any]:
    """Two contacts of one address."""
    post = declared("POST", "/api/contacts")
    assert post is not None
    call = sample.call(post)
    sample.succeed(post, call)
    made: dict[str, Any] = sample.succeed(post, call).json
    return made


def of_two_contacts(action: str, field: str) -> Callable[[Sample], dict[str, Any]]:
    """What is done with a new contact and another one, which the body names."""

    def asked(sample: Sample) -> dict[str, Any]:
        one, other = (sample.make("/api/contacts") for _ in range(2))
        if action == "unmerge":
            merge = Call("POST", f"/api/contacts/{one}/merge", {}, {"with": other}, sample.tenant.bearer)
            assert merge.send(sample.server).status == 200
        return {"path": f"/api/contacts/{one}/{action}", "body": {field: other}}

    return asked


def changed(path: str, field: str, value: str) -> Callable[[Sample], dict[str, Any]]:
    """A resource whose second version has another value of a field."""

    def recipe(sample: Sample) -> dict[str, Any]:
        one = sample.make(path)
        patch = Call("PATCH", f"{path}/{one}", {}, {field: f"{value} {sample.mark}"}, sample.tenant.bearer)
        assert patch.send(sample.server).status == 200
        return {"path": f"{path}/{one}/undo", "body": {"version": 2}}

    return recipe


def changed_by_a_user(sample: Sample) -> dict[str, Any]:
    """A user who has changed one lead."""
    user = sample.operator.staff(sample.tenant.id, "broker", f"Bo {sample.mark}")
    patch = Call("PATCH", f"/api/leads/{sample.make('/api/leads')}", {}, {"status": "contacted"}, user.bearer)
    assert patch.send(sample.server).status == 200
    return {"body": {"user_id": user.number}}


def searched(sample: Sample) -> dict[str, Any]:
    """A search that finds a contact, and a task."""
    word = f"searched{next(NUMBERS)}{sample.mark}"
    sample.server.by_key(sample.tenant, "POST", "/api/contacts", {"firstName": "Ana", "lastName": word})
    sample.server.by_key(sample.tenant, "POST", "/api/tasks", {"title": f"Call Ana {word}"})
    return {"query": {"q": word}}


def similar(sample: Sample) -> dict[str, Any]:
    """A person with the address of a contact."""
    email = f"similar{next(NUMBERS)}.{sample.mark}@example.com"
    body = {"firstName": f"Sim {sample.mark}", "lastName": "Ilar", "email": email}
    assert Call("POST", "/api/contacts", {}, body, sample.tenant.bearer).send(sample.server).status == 201
    return {"query": {"email": email}}


def with_task(sample: Sample) -> dict[str, Any]:
    """A contact that a task is about."""
    contact = sample.make("/api/contacts")
    task = {"title": f"Call {sample.mark}", "contactId": contact}
    assert Call("POST", "/api/tasks", {}, task, sample.tenant.bearer).send(sample.server).status == 201
    return {"path": f"/api/contacts/{contact}/related"}


def subscriber(sample: Sample) -> dict[str, Any]:
    """A subscriber of the newsletter."""
    form = {"email": f"reader{next(NUMBERS)}.{sample.mark}@example.com", "first_name": f"Reader {sample.mark}"}
    assert sample.server.ask("POST", "/api/newsletter/subscribe", form, host=sample.tenant.domain).status == 200
    query = f"?q={form['email']}"
    answer = sample.server.ask("GET", f"/api/v1/admin/newsletter{query}", headers=sample.owner.bearer)
    return {"id": answer.json["items"][0]["id"]}


def shown_once(sample: Sample) -> dict[str, Any]:
    """A property with a showing."""
    house = sample.make("/api/properties")
    showing = {"name": f"Jane {sample.mark}", "phone": "208-555-0456", "propertyId": house}
    assert Call("POST", "/api/showings", {}, showing, sample.tenant.bearer).send(sample.server).status == 201
    return {"path": f"/api/properties/{house}/related"}


def with_showing(sample: Sample) -> dict[str, Any]:
    """The month of the showing that is made of the example."""
    sample.one("/api/showings")
    return {"query": {"from": "2025-03-01", "before": "2025-04-01"}}


def own_feed(sample: Sample) -> dict[str, Any]:
    """The owner's, which goes by no id."""
    post = declared("POST", "/api/me/calendar-feed")
    assert post is not None
    found: dict[str, Any] = sample.succeed(post).json
    return found | {"id": "the only one"}


def with_feed(sample: Sample) -> dict[str, Any]:
    """A user's calendar feed."""
    post = declared("POST", "/api/me/calendar-feed")
    assert post is not None
    headers = sample.operator.staff(sample.tenant.id, "agent", f"Fay {sample.mark}").bearer
    path: str = sample.succeed(post, Call("POST", post.path, {}, {}, headers)).json["path"]
    return {"id": path.removeprefix("/calendar/").removesuffix(".ics")}


def asked_twice(sample: Sample) -> dict[str, Any]:
    """A lead of a person who asked before under another name."""
    email = f"twice{next(NUMBERS)}.{sample.mark}@example.com"
    for name in (f"Ann {sample.mark}", f"Bob {sample.mark}"):
        call = Call("POST", "/api/leads", {}, {"name": name, "email": email}, sample.tenant.bearer)
        made = call.send(sample.server)
        assert made.status == 201, made.body
    return {"path": f"/api/leads/{made.json['id']}/duplicates"}


def working(sample: Sample) -> dict[str, Any]:
    """An agent with a lead, a task and a showing, and another lead that was worked on."""
    agent = sample.operator.staff(sample.tenant.id, "agent", f"Ana {sample.mark}")
    own: dict[str, Any] = {"assignedToId": agent.id}
    person = {"name": f"Jane Doe {sample.mark}", "email": f"e{next(NUMBERS)}.{sample.mark}@example.com", **own}
    due = aureum_time(now() - timedelta(minutes=5))
    for path, body in (
        ("/api/leads", person),
        ("/api/tasks", {"title": f"Call back {sample.mark}", "dueDate": due, **own}),
        ("/api/showings", person | {"listingId": "202412345", "startsAt": aureum_time(now())}),
        ("/api/leads", person | {"status": "new"}),
    ):
        answer = sample.server.by_key(sample.tenant, "POST", path, body)
        assert answer.status == 201, answer.body
    lead = f"/api/leads/{answer.json['id']}"
    sample.server.by_key(sample.tenant, "POST", f"{lead}/activities", {"type": "note", "text": "Called back."})
    sample.server.by_key(sample.tenant, "PATCH", lead, {"status": "contacted"})
    return {"headers": agent.bearer}


def reported(sample: Sample) -> dict[str, Any]:
    """The same agent's leads of today."""
    today = f"{now().astimezone(ZoneInfo('America/Boise')):%Y-%m-%d}"
    return working(sample) | {"query": {"from": today, "to": today}}


async def rehearse_all(store: EventStore) -> None:
    """What the worker does about rehearsals."""
    while (job := await claim(store.database)) is not None:
        await go_on(store, job)


def with_start(sample: Sample) -> dict[str, Any]:
    """A showing that begins at a fixed time, whose visitor can be written to."""
    showing = {"name": f"Jane {sample.mark}", "email": "jane@example.com", "startsAt": "2027-01-18T09:30"}
    made = Call("POST", "/api/showings", {}, showing, sample.tenant.bearer).send(sample.server)
    return {"path": f"/api/showings/{made.json['id']}/send-calendar"}


def failed_mail(sample: Sample) -> dict[str, Any]:
    """A mail that the server refused, as the worker would have left it."""
    number = next(NUMBERS)

    async def queued(store: EventStore) -> None:
        await queue_mails(store, sample.tenant.id, [f"gone{number}.{sample.mark}@example.com"], first=number)

    sample.operator.run(queued)
    ((mail_id,),) = sample.operator.rows(FAIL_MAIL, tenant=sample.tenant.id, position=number)
    return {"id": to_wire(mail_id)}


def with_mail(path: str) -> Callable[[Sample], dict[str, Any]]:
    """A lead or showing that a mail is about."""

    def recipe(sample: Sample) -> dict[str, Any]:
        made = sample.make(path)

        async def queued(store: EventStore) -> None:
            about = from_wire(made)
            address = f"ana.{sample.mark}@example.com"
            await queue_mails(store, sample.tenant.id, [address], first=next(NUMBERS), subject_id=about)

        sample.operator.run(queued)
        return {"path": f"{path}/{made}/mails"}

    return recipe


def importing(sample: Sample) -> dict[str, Any]:
    """A file that is stored, and not imported yet, in a brokerage where no worker ends what was begun before."""
    sample.operator.rows(END_IMPORTS, tenant=sample.tenant.id)
    return {
        "query": {"resource": "contacts", "hold": "true"},
        "body": f"Name,Email\nNora {sample.mark},nora{next(NUMBERS)}@example.com\n".encode(),
        "headers": {"Content-Type": "text/csv"},
    }


def imported(sample: Sample) -> dict[str, Any]:
    """An import that has ended, as a worker would have left it."""
    made = sample.make(IMPORTS)
    sample.operator.rows(COMPLETED, tenant=sample.tenant.id, id=from_wire(made))
    return {"path": f"{IMPORTS}/{made}/undo"}


def pkcs12_file() -> dict[str, str]:
    """Another key, with its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Snake River Realty")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    file = pkcs12.serialize_key_and_certificates(None, key, certificate, None, BestAvailableEncryption(b"secret"))
    return {"file": b64encode(file).decode(), "password": "secret"}


def with_certificate(sample: Sample) -> dict[str, Any]:
    """A brokerage that has sealed a document, or has imported a certificate."""
    put = declared("POST", "/api/v1/admin/signing/certificate")
    assert put is not None
    sample.succeed(put, sample.call(put))
    return {}


def routing_changed(sample: Sample) -> dict[str, Any]:
    """Another change of the routing settings."""
    put = declared("PUT", "/api/v1/admin/routing")
    assert put is not None
    sample.succeed(put, sample.call(put).but(body=routing(sample)))
    return {"id": to_wire(sample.tenant.id)}


def noted(sample: Sample) -> dict[str, Any]:
    """Something in the security log."""
    entry = security_log.Noted("export", tenant_id=sample.tenant.id, about=f"leads {sample.mark} {next(NUMBERS)}")
    sample.operator.run(lambda store: security_log.write(store, {entry: security_log.Times()}))
    return {"id": to_wire(sample.tenant.id)}


def to_send(sample: Sample) -> dict[str, Any]:
    """A draft that can be sent."""
    people = [sending.person(1, name=f"Jane {sample.mark}", email=f"jane.{sample.mark}@example.com")]
    return sending.ready(sample.server, sample.operator, sample.tenant, *people, subject=f"Offer {sample.mark}")


def of_envelope(action: str, body: dict[str, Any] | None = None) -> Callable[[Sample], dict[str, Any]]:
    """What is done with an envelope that was sent, or with its recipient."""

    def recipe(sample: Sample) -> dict[str, Any]:
        path = f"/api/envelopes/{(made := to_send(sample))['id']}"
        if action != "send":
            sending.asked(sample.server, sample.tenant, "POST", f"{path}/send")
        recipient = made["recipients"][0]["id"]
        return {"path": f"{path}/{action.replace('{recipientId}', recipient)}", "body": body}

    return recipe


def extended(sample: Sample) -> dict[str, Any]:
    """A later deadline of an envelope."""
    return of_envelope("extend", {"deadline": aureum_time(now() + timedelta(days=60))})(sample)


def uploading(sample: Sample) -> dict[str, Any]:
    """A PDF for a draft."""
    person = sending.person(1, name=f"Jane {sample.mark}", email=f"jane.{sample.mark}@example.com")
    made = sending.draft(sample.server, sample.tenant, person, subject=f"Offer {sample.mark}")
    return {
        "path": f"/api/envelopes/{made['id']}/documents",
        "query": {"name": f"Offer {sample.mark}.pdf"},
        "body": document(1, f"Offer {sample.mark} {next(NUMBERS)}"),
        "headers": {"Content-Type": "application/pdf"},
    }


def uploaded(sample: Sample) -> dict[str, Any]:
    """A document of a draft."""
    sent = uploading(sample)
    answer = sample.server.by_key(sample.tenant, "POST", sent["path"], sent["body"], sent["headers"])
    assert answer.status == 201, answer.body
    return {"path": f"{sent['path']}/{answer.json['id']}"}


def filling(sample: Sample) -> dict[str, Any]:
    """A PDF for a template."""
    return uploading(sample) | {"path": f"/api/envelope-templates/{sample.make('/api/envelope-templates')}/documents"}


def filled(sample: Sample) -> dict[str, Any]:
    """A document of a template."""
    sent = filling(sample)
    answer = sample.server.by_key(sample.tenant, "POST", sent["path"], sent["body"], sent["headers"])
    assert answer.status == 201, answer.body
    return {"path": f"{sent['path']}/{answer.json['id']}"}


RECIPES: Mapping[tuple[str, str], Callable[[Sample], dict[str, Any]]] = {
    ("POST", "/api/v1/auth/login"): with_password,
    ("GET", "/api/logo"): with_logo,
    ("PUT", "/api/v1/admin/brokerages/{id}/logo"): lambda sample: {"body": {"image": PIXEL}},
    ("POST", "/api/v1/auth/reset"): with_password_link,
    ("POST", "/api/v1/admin/users/{id}/invite"): without_password,
    ("POST", "/api/v1/admin/users/{id}/cancel-invitation"): invited,
    ("GET", "/api/newsletter/unsubscribe"): with_link,
    ("POST", "/api/newsletter/unsubscribe"): with_link,
    ("POST", "/api/webhooks/{id}/rotate-secret"): of_new_webhook("rotate-secret", {"overlap_hours": 24}),
    ("POST", "/api/webhooks/{id}/replay"): of_new_webhook("replay", {"since": 0, "only": "missing"}),
    ("POST", "/api/webhooks/{id}/test"): of_new_webhook("test", {"event": "lead.created"}),
    ("GET", "/api/leads/{id}/activities"): with_activity("/api/leads/{id}/activities"),
    ("GET", "/api/contacts/{id}/activities"): with_activity("/api/contacts/{id}/activities"),
    ("GET", "/api/contacts/{id}/messages"): with_activity("/api/contacts/{id}/messages"),
    ("GET", "/api/contacts/{id}/listings"): with_activity("/api/contacts/{id}/listings"),
    ("GET", "/api/v1/admin/leads/{id}/activities"): with_activity("/api/v1/admin/leads/{id}/activities"),
    ("PATCH", "/api/v1/admin/agents/{id}"): profile,
    ("GET", "/api/v1/admin/today"): working,
    ("GET", "/api/v1/admin/reports"): reported,
    ("POST", "/api/v1/admin/leads/{id}/claim"): in_pond,
    ("PUT", "/api/v1/admin/routing"): lambda sample: {"body": routing(sample)},
    ("POST", "/api/v1/admin/routing/rehearse"): rehearsal,
    ("POST", f"{REHEARSALS}/{{id}}/cancel"): running_rehearsal,
    ("POST", IMPORTS): importing,
    ("POST", f"{IMPORTS}/{{id}}/undo"): imported,
    ("POST", f"{IMPORTS}/{{id}}/start"): lambda sample: {
        "path": f"{IMPORTS}/{sample.make(IMPORTS)}/start",
        "body": {"dry_run": True},
    },
    ("POST", "/api/contacts/{id}/distinct"): of_two_contacts("distinct", "from"),
    ("POST", "/api/contacts/{id}/merge"): of_two_contacts("merge", "with"),
    ("POST", "/api/contacts/{id}/unmerge"): of_two_contacts("unmerge", "merge"),
    ("POST", "/api/leads/{id}/undo"): changed("/api/leads", "subject", "A yard"),
    ("POST", "/api/contacts/{id}/undo"): changed("/api/contacts", "lastName", "Jones"),
    ("POST", "/api/properties/{id}/undo"): changed("/api/properties", "title", "A villa"),
    ("POST", "/api/tasks/{id}/undo"): changed("/api/tasks", "title", "Call"),
    ("POST", "/api/showings/{id}/undo"): changed("/api/showings", "name", "Jim"),
    ("GET", "/api/contacts/similar"): similar,
    ("GET", "/api/v1/admin/search"): searched,
    ("GET", "/api/v1/admin/platform/log"): lambda sample: {"query": {"brokerage_id": str(sample.number)}},
    ("GET", "/api/contacts/{id}/related"): with_task,
    ("GET", "/api/contacts/serving"): lambda sample: {"query": {"ids": sample.one("/api/contacts")}},
    ("GET", "/api/properties/{id}/related"): shown_once,
    ("GET", "/api/showings/calendar"): with_showing,
    ("POST", "/api/showings/{id}/send-calendar"): with_start,
    ("GET", "/api/leads/{id}/mails"): with_mail("/api/leads"),
    ("GET", "/api/showings/{id}/mails"): with_mail("/api/showings"),
    ("POST", "/api/showings/{id}/no-show"): lambda sample: {
        "path": f"/api/showings/{sample.make('/api/showings')}/no-show"
    },
    ("GET", "/api/leads/{id}/duplicates"): asked_twice,
    ("GET", "/api/v1/admin/signing/certificate"): with_certificate,
    ("POST", "/api/v1/admin/signing/certificate"): lambda _: {"body": pkcs12_file()},
    ("PATCH", "/api/v1/admin/signing"): lambda sample: {"body": {"retain_years": next(NUMBERS) % 90 + 10}},
    ("POST", "/api/envelopes/{id}/purge"): lambda sample: {
        "path": f"/api/envelopes/{sample.make('/api/envelopes')}/purge"
    },
    ("POST", "/api/envelopes/{id}/documents"): uploading,
    ("GET", "/api/envelopes/{id}/documents/{documentId}"): uploaded,
    ("DELETE", "/api/envelopes/{id}/documents/{documentId}"): uploaded,
    ("POST", "/api/envelope-templates/{id}/documents"): filling,
    ("GET", "/api/envelope-templates/{id}/documents/{documentId}"): filled,
    ("DELETE", "/api/envelope-templates/{id}/documents/{documentId}"): filled,
    ("POST", "/api/envelopes/{id}/send"): of_envelope("send"),
    ("POST", "/api/envelopes/{id}/void"): of_envelope("void", {"reason": "The price has changed."}),
    ("POST", "/api/envelopes/{id}/extend"): extended,
    ("POST", "/api/envelopes/{id}/recipients/{recipientId}/remind"): of_envelope("recipients/{recipientId}/remind"),
    ("POST", "/api/envelopes/{id}/recipients/{recipientId}/reassign"): of_envelope(
        "recipients/{recipientId}/reassign", {"name": "John Doe", "email": "john@example.com"}
    ),
    ("PATCH", "/api/me"): lambda sample: {"body": {"name": f"Olga {sample.mark} {next(NUMBERS)}"}},
    ("POST", OWN_PASSWORD): own_password,
    ("POST", OWN_TOTP): own_totp,
    ("POST", OWN_TOTP + "/disable"): lambda sample: own_password(sample) | {"body": {"current": PASSWORD}},
    ("POST", "/api/v1/admin/people/erase"): erasable,
    ("POST", "/api/v1/admin/undo"): changed_by_a_user,
    ("POST", LOGOUT): lambda sample: {"headers": sample.operator.staff(sample.tenant.id, "broker").bearer},
}
"""What else a request needs besides what follows from the declaration: ``body``, ``query``, ``headers``, ``host``."""

MAKERS: Mapping[str, Callable[[Sample], dict[str, Any]]] = {
    "/api/users": lambda sample: vars(sample.operator.staff(sample.tenant.id, "agent", f"Uma {sample.mark}")),
    "/api/v1/admin/pond": lambda sample: {"id": in_pond(sample)["path"].split("/")[-2]},
    "/api/v1/admin/agents": lambda sample: {
        "id": sample.operator.staff(sample.tenant.id, "agent", f"Amy {sample.mark}").number
    },
    "/api/me/sessions": session,
    "/api/contacts/duplicates": pair,
    "/calendar": with_feed,
    "/api/me/calendar-feed": own_feed,
    "/api/contacts/similar": lambda sample: {"id": sample.make("/api/contacts")},
    "/api/webhooks": webhook,
    "/api/webhooks/deliveries": lambda sample: {"id": webhook(sample)["delivery"]},
    "/api/webhooks/replays": lambda sample: {"id": webhook(sample)["replay"]},
    "/api/webhooks/{id}/replays": lambda sample: replay_of(sample, sample.one("/api/webhooks")),
    REHEARSALS: rehearsed,
    f"{REHEARSALS}/{{id}}/leads": to_rehearse,
    "/api/v1/admin/routing/examples": example,
    "/api/v1/admin/routing/history": routing_changed,
    "/api/v1/admin/security-log": noted,
    "/api/v1/admin/mail": failed_mail,
    "/api/v1/admin/newsletter": subscriber,
    "/api/activities": activity,
    "/api/contact-listings": listing,
    "/api/events": lambda sample: {"id": sample.make("/api/leads")},
    "/api/reso/EntityEvent": lambda sample: {"id": sample.make("/api/properties")},
    "/api/reso/Property": lambda sample: {"id": sample.make("/api/properties")},
}
"""What makes the resources of a list that nothing can be posted to, or that need more than that."""

REFERENCES: Mapping[str, Callable[[Sample], Any]] = {
    "assignedToId": lambda sample: sample.agent.id,
    "assigned_agent_id": lambda sample: sample.agent.number,
    "brokerage_id": lambda sample: sample.number,
    "leadId": lambda sample: sample.one("/api/leads"),
    "contactId": lambda sample: sample.one("/api/contacts"),
    "propertyId": lambda sample: sample.one("/api/properties"),
    "templateId": lambda sample: sample.one("/api/envelope-templates"),
    "envelopeId": lambda sample: sample.one("/api/envelopes"),
}
"""Fields that name another resource of the brokerage."""
