"""``POST /api/newsletter/subscribe``: one answer and one amount of work for every address."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.commands.newsletter import Subscribe, subscriber_id
from aureum.commands.newsletter import subscribe as run_subscribe
from aureum.commands.newsletter import unsubscribe as run_unsubscribe
from aureum.store.append import Append, Outcome
from aureum.store.cipher import MasterKey, TenantKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.metadata import VISITOR, Origin
from aureum.store.postgres.database import Database
from aureum.store.writer import AppendWriter
from tests.conftest import MASTER_KEY
from tests.http.api.newsletter.newsletters import (
    EMAIL,
    ERASE,
    SUBSCRIBE,
    TYPES,
    UNSUBSCRIBE,
    docs,
    link,
    links,
    subscribe,
    types,
)
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server
from tests.stores import open_brokerage

THANKS = b'{"success":true,"message":"Successfully subscribed to newsletter"}'
ORIGIN = Origin(VISITOR)


def test_the_documents_example(server: Server, operator: Operator, tenant: Tenant) -> None:
    answer = subscribe(server, tenant, first_name="John", interests=["new-listings", "market-updates"])

    assert (answer.status, answer.body) == (200, THANKS)
    assert types(operator, tenant) == ["subscribed"]
    (doc,) = docs(operator, tenant)
    assert doc == {
        "id": doc["id"],
        "email": EMAIL,
        "firstName": "John",
        "interests": ["new-listings", "market-updates"],
        "subscribed": True,
        "sourceDomain": tenant.domain,
        "createdAt": doc["createdAt"],
        "updatedAt": doc["createdAt"],
    }


@pytest.mark.parametrize(
    "nothing",
    [
        {},
        {"first_name": None, "interests": None},
        {"first_name": " ", "interests": []},
        {"first_name": "", "interests": ""},
    ],
)
def test_only_the_address_is_needed(
    server: Server, operator: Operator, tenant: Tenant, nothing: dict[str, Any]
) -> None:
    assert subscribe(server, tenant, **nothing).body == THANKS

    (doc,) = docs(operator, tenant)
    assert (doc["firstName"], doc["interests"]) == (None, [])


@pytest.mark.parametrize(
    ("fields", "loc", "kind"),
    [
        ({"email": None}, ["body", "email"], "type_error.none.not_allowed"),
        ({"email": "nobody"}, ["body", "email"], "value_error.email"),
        ({"first_name": 7}, ["body", "first_name"], "type_error.str"),
        ({"first_name": "x" * 201}, ["body", "first_name"], "value_error.any_str.max_length"),
    ],
)
def test_what_is_refused_names_its_field_and_leaves_nothing(
    server: Server, operator: Operator, fields: dict[str, Any], loc: list[Any], kind: str
) -> None:
    before = operator.head(operator.shared)

    answer = subscribe(server, operator.shared, **fields)

    assert answer.status == 422
    assert [(item["loc"], item["type"]) for item in answer.detail] == [(loc, kind)]
    assert operator.head(operator.shared) == before


def test_a_known_address_in_any_case_is_one_subscriber(server: Server, operator: Operator, tenant: Tenant) -> None:
    for email in (EMAIL, EMAIL.upper(), f" {EMAIL} "):
        assert subscribe(server, tenant, email, first_name="John").body == THANKS

    assert types(operator, tenant) == ["subscribed", "consented", "consented"]
    (doc,) = docs(operator, tenant)
    assert doc["email"] == EMAIL


def test_subscribing_again_after_unsubscribing_is_on_record(server: Server, operator: Operator, tenant: Tenant) -> None:
    address = link(server, operator, tenant)
    assert server.ask("POST", address, host=tenant.domain).status == 200
    assert links(operator, tenant) == {}

    assert subscribe(server, tenant).body == THANKS

    assert types(operator, tenant) == ["subscribed", "unsubscribed", "resubscribed"]
    assert list(links(operator, tenant)) == [EMAIL]


def test_two_processes_that_hear_of_one_address_begin_one_stream(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    addresses = [f"subscriber{number}@example.com" for number in range(12)]
    with ThreadPoolExecutor(2) as visitors:
        for email in addresses:
            both = list(visitors.map(lambda process, email=email: subscribe(process, tenant, email), (server, proxied)))
            assert [answer.body for answer in both] == [THANKS] * 2

    streams = [stream for stream, _ in operator.rows(TYPES, tenant=tenant.id)]
    assert len(streams) == 2 * len(addresses) and len(set(streams)) == len(addresses)
    assert sorted(types(operator, tenant)) == ["consented"] * 12 + ["subscribed"] * 12


def test_many_at_once_in_one_process_are_all_recorded(server: Server, operator: Operator, tenant: Tenant) -> None:
    with ThreadPoolExecutor(8) as visitors:
        answers = list(visitors.map(lambda _: subscribe(server, tenant), range(16)))

    assert [answer.body for answer in answers] == [THANKS] * 16
    assert types(operator, tenant) == ["subscribed"] + ["consented"] * 15


def test_the_same_idempotency_key_subscribes_once(server: Server, operator: Operator, tenant: Tenant) -> None:
    for replay in (None, "true"):
        answer = server.ask("POST", SUBSCRIBE, {"email": EMAIL}, {"Idempotency-Key": "k"}, host=tenant.domain)
        assert (answer.body, answer.headers.get("idempotent-replayed")) == (THANKS, replay)

    assert types(operator, tenant) == ["subscribed"]


def test_an_erased_person_may_subscribe_again(server: Server, operator: Operator, tenant: Tenant) -> None:
    old_link = link(server, operator, tenant)
    ((old, _),) = operator.rows(TYPES, tenant=tenant.id)
    operator.rows(ERASE, tenant=tenant.id, subscriber=old)
    assert links(operator, tenant) == {}, "no mail goes to an erased person"

    for _ in range(2):
        assert subscribe(server, tenant, first_name="John").body == THANKS

    assert types(operator, tenant) == ["subscribed", "subscribed", "consented"]
    assert len({stream for stream, _ in operator.rows(TYPES, tenant=tenant.id)}) == 2
    assert list(links(operator, tenant)) == [EMAIL]
    # The link of the former life still works, and ends that one.
    assert server.ask("POST", old_link, host=tenant.domain).status == 200
    assert list(links(operator, tenant)) == [EMAIL]
    assert types(operator, tenant)[-1] == "unsubscribed"


class Overheard(Database):
    """A database that notes what it is asked."""

    said: list[str]

    async def tenant_results(
        self, tenant_id: UUID, queries: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> list[list[Any]]:
        self.said += [query for query, _ in queries]
        return await super().tenant_results(tenant_id, queries)

    async def rows(
        self,
        query: str,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        *,
        seconds: float | None = None,
    ) -> list[Any]:
        self.said.append(query)
        return await super().rows(query, parameters, seconds=seconds)


class OverheardWriter(AppendWriter):
    """A writer that notes how many events it is given."""

    said: list[int]

    async def append(self, append: Append) -> Outcome:
        self.said.append(len(append.events))
        return await super().append(append)


def test_new_known_unsubscribed_and_erased_addresses_are_the_same_work(module_database_url: str) -> None:
    async def scenario() -> list[tuple[list[str], list[int]]]:
        database, writer = Overheard(module_database_url), OverheardWriter(module_database_url)
        database.said, writer.said = [], []
        async with database, writer:
            store = EventStore(database, writer, TenantKeys(MasterKey(MASTER_KEY)))
            tenant_id = await open_brokerage(store)
            await store.tenant_key(tenant_id)
            heard = []
            for step in ("new", "known", "unsubscribed", "known again", "erased", "erased twice"):
                database.said, writer.said = [], []
                made, appended = await run_subscribe(store, Subscribe(tenant_id=tenant_id, email=EMAIL), ORIGIN)
                assert appended.position is not None
                heard.append((list(database.said), list(writer.said)))
                if step == "known":
                    await run_unsubscribe(store, tenant_id, made.id, ORIGIN)
                if step in ("known again", "erased"):
                    await database.rows(ERASE, {"tenant": tenant_id, "subscriber": made.id})
            return heard

    first, *others = asyncio.run(scenario())
    assert len(first[0]) == 2 and first[1] == [1]
    assert others == [first] * 5


@given(st.emails(), st.integers(0, 15), st.binary(min_size=32, max_size=32))
def test_a_subscribers_id_is_of_version_8_and_keyed(email: str, life: int, key: bytes) -> None:
    tenant_id = UUID(int=1)
    made = subscriber_id(TenantKey(tenant_id, key), email, life)
    assert (made.version, made.variant) == (8, "specified in RFC 4122")
    assert made == subscriber_id(TenantKey(tenant_id, key), email.upper().lower(), life)
    others = [
        subscriber_id(TenantKey(tenant_id, key), email, life + 1),
        subscriber_id(TenantKey(tenant_id, bytes(byte ^ 1 for byte in key)), email, life),
        subscriber_id(TenantKey(UUID(int=2), key), email, life),
        subscriber_id(TenantKey(tenant_id, key), f"x{email}", life),
    ]
    assert made not in others and len(set(others)) == 4


def test_pages_of_the_brokerage_may_subscribe_and_no_page_may_unsubscribe(server: Server, tenant: Tenant) -> None:
    page = {"Origin": f"https://{tenant.domain}"}
    allowed = server.ask("POST", SUBSCRIBE, {"email": EMAIL}, page, host=tenant.domain)
    refused = server.ask("POST", f"{UNSUBSCRIBE}?token=x", None, page, host=tenant.domain)

    assert allowed.headers["access-control-allow-origin"] == page["Origin"]
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("nora@bücher.example", "nora@xn--bcher-kva.example"),
        ("zoë@example.com", "zoe\u0308@example.com"),
        ("ｎｏｒａ@example.com", "Nora@Example.com"),
        ("\u200bnora@example.com", "nora@example.com\ufeff"),
    ],
)
def test_two_spellings_of_an_address_are_one_subscriber(
    server: Server, operator: Operator, tenant: Tenant, one: str, other: str
) -> None:
    assert subscribe(server, tenant, one).status == subscribe(server, tenant, other).status == 200
    assert types(operator, tenant) == ["subscribed", "consented"]
    ((shown, path),) = links(operator, tenant).items()
    assert shown == one.strip("\u200b"), "as it was given first"

    assert server.ask("POST", path, host=tenant.domain).status == 200

    assert links(operator, tenant) == {}


def test_addresses_that_differ_are_two_subscribers(server: Server, operator: Operator, tenant: Tenant) -> None:
    for email in ("nora@straße.example", "nora@strasse.example"):
        assert subscribe(server, tenant, email).status == 200
    assert types(operator, tenant) == ["subscribed", "subscribed"]
