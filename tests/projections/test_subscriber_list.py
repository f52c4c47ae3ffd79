"""The subscriber list: whatever happens to a subscriber, the row is what the aggregate is; rebuilt it is the same."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from aureum.commands import newsletter
from aureum.commands.newsletter import Subscribe, subscribe, subscribed, unsubscribe
from aureum.domain.subscriber import Subscriber
from aureum.projections import subscriber_list
from aureum.projections.subscriber_list import document, step
from aureum.store.metadata import VISITOR, Origin
from aureum.store.rebuild.rebuild import rebuild
from tests.stores import open_brokerage, opened_store

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
ORIGIN = Origin(VISITOR)

ROWS = """
SELECT l.subscriber_id, l.stream_version, l.subscribed, l.updated_at, l.doc FROM subscriber_list l
  JOIN heads h ON h.tenant_id = l.tenant_id AND h.subscriber_list_version = l.read_version
 WHERE l.tenant_id = %(tenant)s ORDER BY l.subscriber_id
"""

consents = st.fixed_dictionaries(
    {
        "first_name": st.none() | st.text(max_size=5),
        "interests": st.lists(st.sampled_from(("a", "b", "c")), max_size=4),
        "source_domain": st.sampled_from((None, "b1.example.com", "b2.example.com")),
    }
)


@given(consents, st.lists(st.none() | consents, max_size=8))
def test_the_row_is_the_aggregate_after_any_events(first: dict[str, Any], then: list[dict[str, Any] | None]) -> None:
    """None stands for unsubscribing."""
    subscriber = Subscriber.subscribe(UUID(int=7), AT, email="subscriber@example.com", **first)
    for minutes, consent in enumerate(then, start=1):
        at = AT + timedelta(minutes=minutes)
        if consent is None:
            subscriber.unsubscribe(at)
        else:
            subscriber.subscribe_again(at, **consent)

    row = reduce(step, subscriber.collect_events(), None)

    shown = document(subscriber, subscriber.id, subscriber.subscribed, subscriber.created_on, subscriber.modified_on)
    assert row == {
        "subscriber_id": subscriber.id,
        "stream_version": subscriber.version,
        "subscribed": subscriber.subscribed,
        "updated_at": subscriber.modified_on,
        "doc": shown,
    }
    assert list(row["doc"]) == list(shown) == [
        "id", "email", "firstName", "interests", "subscribed", "sourceDomain", "createdAt", "updatedAt",
    ]  # fmt: skip


def test_a_step_leaves_the_row_before_as_it_was() -> None:
    subscriber = Subscriber.subscribe(
        UUID(int=7), AT, email="s@example.com", first_name=None, interests=(), source_domain=None
    )
    row = step(None, *subscriber.collect_events())
    subscriber.unsubscribe(AT)
    (event,) = subscriber.collect_events()

    assert row is not None and step(row, event) != row
    assert row["subscribed"] and row["doc"]["subscribed"]
    assert step(row, object()) == row and step(None, event) is None
    assert subscriber_list.LIST.rows((), [object()]) == []


def test_rebuilt_rows_are_the_inline_rows_and_the_erased_get_no_mail(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant_id, other = await open_brokerage(store), await open_brokerage(store)
            people = [
                (await subscribe(store, Subscribe(tenant_id=tenant_id, email=f"s{number}@example.com"), ORIGIN))[0].id
                for number in range(5)
            ]
            await subscribe(store, Subscribe(tenant_id=other, email="s0@example.com"), ORIGIN)
            await subscribe(store, Subscribe(tenant_id=tenant_id, email="S1@example.com", first_name="J"), ORIGIN)
            await unsubscribe(store, tenant_id, people[2], ORIGIN)
            await unsubscribe(store, tenant_id, people[2], ORIGIN)
            inline = await store.database.rows(ROWS, {"tenant": tenant_id})
            assert [row[0] for row in inline] == sorted(people)

            made = await rebuild(store.database.url, store.keys, "subscriber_list", tenant_id)

            assert (made.events, made.rows) == (7, 5)
            assert await store.database.rows(ROWS, {"tenant": tenant_id}) == inline
            erase = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(person)s"
            await store.database.rows(erase, {"tenant": tenant_id, "person": people[3]})
            for _ in range(2):
                found = [(doc["email"], doc["firstName"]) async for doc, _ in subscribed(store, tenant_id)]
                assert sorted(found) == [("s0@example.com", None), ("s1@example.com", "J"), ("s4@example.com", None)]
                await rebuild(store.database.url, store.keys, "subscriber_list", tenant_id)

    asyncio.run(scenario())


def test_any_number_of_subscribers_comes_once_each(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant_id = await open_brokerage(store)
            number = newsletter.BATCH + 3
            emails = {f"s{place}@example.com" for place in range(number)}
            commands = [Subscribe(tenant_id=tenant_id, email=email) for email in emails]
            await asyncio.gather(*(subscribe(store, command, ORIGIN) for command in commands))
            found = [(doc["email"], token) async for doc, token in subscribed(store, tenant_id)]
            assert len(found) == number and {email for email, _ in found} == emails
            assert len({token for _, token in found}) == number and all(len(token) == 22 for _, token in found)

    asyncio.run(scenario())
