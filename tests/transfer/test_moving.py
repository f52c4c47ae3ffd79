"""A brokerage that moves is the same one: what people read, what the log tells, and what an auditor verifies."""

import asyncio
import threading
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from aureum.background.follower import tenants_behind
from aureum.commands.brokerages import change_logo
from aureum.commands.erasing import ErasePerson, erase_person
from aureum.commands.erasures import carry_out
from aureum.commands.newsletter import Subscribe, subscribe
from aureum.domain import ids
from aureum.domain.aggregate import events_of
from aureum.domain.erasure import Erasure
from aureum.domain.ids import PLATFORM, from_wire, to_wire
from aureum.figures.keeping import FIGURES
from aureum.http.api.brokerages.logo import PIXEL
from aureum.mail.worker.consumer import mail_consumer
from aureum.mail.worker.mail_settings import MailSettings
from aureum.projections import brokerages
from aureum.registry import AGGREGATES, READ_MODELS, VERSIONED
from aureum.store import chain
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.mapper import BEFORE_SEALING
from aureum.store.metadata import VISITOR, Origin
from aureum.store.postgres.database import Database, connect
from aureum.store.rebuild import list as rebuild_list
from aureum.store.rebuild.rebuild import REBUILDABLE
from aureum.store.rebuild.verifying import verify_read_model
from aureum.store.writer import AppendWriter
from aureum.timers.setting import TIMERS
from aureum.transfer import building, importing, log_reader, sealing
from aureum.transfer import state as reading_state
from aureum.transfer.building import DIRECTORIES, LEFT_OUT
from aureum.transfer.exporting import export
from aureum.transfer.importing import ONWARDS
from aureum.transfer.lines import Broken
from aureum.transfer.numbers import SEQUENCE_OF
from aureum.webhooks.telling.projector import WEBHOOKS
from tests.conftest import fresh_database
from tests.mail.queued import SENDER
from tests.stores import capture, new_task, open_brokerage, opened_store
from tests.transfer.moving import (
    OTHER_MASTER_KEY,
    SECRETS,
    add_staff,
    events_in,
    exported,
    fill,
    histories,
    imported,
    lines_of,
    save,
    state,
)

BRIEF = 1 << 4


@pytest.fixture(scope="module")
def elsewhere(server_url: str, template: str) -> Iterator[str]:
    """The database of another installation."""
    with fresh_database(server_url, template) as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "COST", BRIEF)
        # So that small logs come in several parts, too.
        for module, name, size in (
            (log_reader, "CHUNK", 7),
            (importing, "CHUNK", 5),
            (building, "BATCH_EVENTS", 4),
            (building, "ROWS", 2),
            (reading_state, "PAGE_ROWS", 3),
            (rebuild_list, "BATCH_EVENTS", 6),
        ):
            patch.setattr(module, name, size)
        asyncio.run(other_key(url))
        yield url


async def other_key(url: str) -> None:
    async with await connect(url) as connection:
        await connection.execute(
            "UPDATE tenant_keys SET wrapped = %b WHERE tenant_id = %s",
            [MasterKey(OTHER_MASTER_KEY).new_tenant_key(PLATFORM), PLATFORM],
        )


@asynccontextmanager
async def there(url: str) -> AsyncIterator[EventStore]:
    """The event store of the other installation."""
    async with Database(url) as database, AppendWriter(url) as writer:
        yield EventStore(database, writer, TenantKeys(MasterKey(OTHER_MASTER_KEY)))


def test_a_random_brokerage_is_the_same_elsewhere(module_database_url: str, elsewhere: str) -> None:
    @settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(st.integers(0, 1 << 30), st.integers(0, 25), st.integers(0, 3), st.booleans(), st.booleans())
    def moves(seed: int, resources: int, erased: int, sealed: bool, old_tasks: bool) -> None:
        async def scenario() -> None:
            passphrase = b"correct horse battery" if sealed else None
            async with opened_store(module_database_url) as store, there(elsewhere) as other:
                tenant_id = await open_brokerage(store)
                if old_tasks:
                    # As version 0.9 wrote them, in clear.
                    store._registry = BEFORE_SEALING
                streams = await fill(store, tenant_id, seed, resources)
                if streams[:erased]:
                    erasure = Erasure.request(ids.new_id(), ids.now(), subjects=streams[:erased])
                    await save(store, tenant_id, erasure)
                    await carry_out(store, tenant_id, erasure.id)
                file, done = await exported(module_database_url, tenant_id, passphrase)
                here = await imported(elsewhere, file, passphrase)

                assert (here.events, here.hash) == (done.events, done.hash)
                assert here.uncompared == [] and from_wire(here.id) == tenant_id
                assert await state(elsewhere, tenant_id) == await state(module_database_url, tenant_id)
                assert await histories(other, tenant_id, done.events) == await histories(store, tenant_id, done.events)
                again, _ = await exported(elsewhere, tenant_id, passphrase, OTHER_MASTER_KEY)
                if passphrase is None:
                    assert events_in(again) == events_in(file)
                else:
                    plain, _ = await exported(elsewhere, tenant_id, None, OTHER_MASTER_KEY)
                    assert events_in(plain) == events_in((await exported(module_database_url, tenant_id))[0])
                    assert b'"personal":{' not in file
                async with await connect(elsewhere) as connection:
                    verified = await chain.verify(connection, tenant_id)
                    assert isinstance(verified, chain.Verified) and verified.events >= done.events
                    assert isinstance(await chain.verify(connection, PLATFORM), chain.Verified)
                for model in REBUILDABLE:
                    compared = await verify_read_model(elsewhere, other.keys, model.NAME, tenant_id)
                    assert compared.differences == 0, model.NAME

        asyncio.run(scenario())

    moves()


@pytest.fixture(scope="module")
def moved(module_database_url: str, elsewhere: str) -> dict[str, Any]:
    """A brokerage with staff that has moved: the file, the export and the import."""

    async def scenario() -> dict[str, Any]:
        async with opened_store(module_database_url) as store:
            tenant_id = await open_brokerage(store)
            staff = await add_staff(store, tenant_id, "olivia.owner@example.com")
            subscribed, _ = await subscribe(
                store, Subscribe(tenant_id=tenant_id, email="jane@example.com"), Origin(VISITOR)
            )
            lead = await capture(store, tenant_id, email="jane@example.com")
            await change_logo(store, tenant_id, b64decode(PIXEL), Origin(VISITOR))
            token = {"tenant": tenant_id, "subscriber": subscribed.id}
            await store.database.rows(
                "INSERT INTO unsubscribe_tokens VALUES (%(tenant)s, '\\x0102', %(subscriber)s) RETURNING 1", token
            )
            file, done = await exported(module_database_url, tenant_id)
            here = await imported(elsewhere, file)
            return {
                "tenant": tenant_id,
                "staff": staff,
                "subscriber": subscribed.id,
                "lead": lead,
                "file": file,
                "done": done,
                "here": here,
            }

    return asyncio.run(scenario())


def test_every_line_is_a_cloud_event(moved: dict[str, Any]) -> None:
    lines = lines_of(moved["file"])
    assert lines[0]["type"] == "aureum.export.begun" and lines[-1]["type"] == "aureum.export.ended"
    assert len({(line["source"], line["id"]) for line in lines}) == len(lines), "source and id name an event"
    for line in lines:
        assert line["specversion"] == "1.0" and all(line[name] for name in ("id", "source", "type"))
        assert datetime.fromisoformat(line["time"]).utcoffset() is not None
        # Names of attributes have lower-case letters and digits alone, and their values are no objects.
        assert all(name.isalnum() and name == name.lower() and len(name) <= 20 for name in line)
        assert not any(isinstance(value, dict | list) for name, value in line.items() if name != "data")
    log = [line for line in lines if "sequence" in line]
    assert [int(line["sequence"]) for line in log] == list(range(1, moved["done"].events + 1))
    assert sorted(log, key=lambda line: str(line["sequence"])) == log


def test_no_secret_is_in_the_file(moved: dict[str, Any]) -> None:
    text = moved["file"].decode()
    assert "olivia.owner@example.com" in text
    assert not [secret for secret in SECRETS if secret[:40] in text]


def test_every_field_that_holds_a_secret_says_so() -> None:
    """By its name: a new one that is forgotten would leave with the log."""
    named = {
        (event.TOPIC, name)
        for aggregate in AGGREGATES
        for event in events_of(aggregate)
        for name in event.__dataclass_fields__
        if any(word in name for word in ("secret", "hash", "token", "recovery", "password"))
    }
    assert named <= {
        (event.TOPIC, name) for aggregate in AGGREGATES for event in events_of(aggregate) for name in event.SECRET
    }
    assert len(named) >= 8


def test_every_platform_wide_integer_is_known() -> None:
    begins = {
        event.TOPIC
        for events in AGGREGATES.values()
        for event in events
        if hasattr(event, "originator_topic") or "originator_topic" in event.__dataclass_fields__
        if "number" in event.__dataclass_fields__
    }
    assert begins == set(SEQUENCE_OF)


def test_a_subject_has_its_key_from_the_first_event_on() -> None:
    """The import makes keys when streams begin."""
    for aggregate, events in AGGREGATES.items():
        if any(event.PERSONAL for event in events):
            begin = [event for event in events if "originator_topic" in event.__dataclass_fields__]
            assert begin and all(event.PERSONAL for event in begin), aggregate


def test_every_read_model_is_made_or_left_out_on_purpose() -> None:
    made = {one.model.NAME for one in DIRECTORIES} | {model.NAME for model in VERSIONED} | {brokerages.NAME}
    assert made | set(LEFT_OUT) == {model.NAME for model in READ_MODELS} and not made & set(LEFT_OUT)


def test_an_export_is_of_one_moment_while_others_write(module_database_url: str, elsewhere: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant_id = await open_brokerage(store)
            await fill(store, tenant_id, 7, 10)
            done = asyncio.Event()

            async def write() -> None:
                while not done.is_set():
                    await capture(store, tenant_id)

            writing = asyncio.create_task(write())
            files = [await exported(module_database_url, tenant_id) for _ in range(3)]
            done.set()
            await writing
            events = [one.events for _, one in files]
            assert events == sorted(events) and len({one.state for _, one in files}) == len(set(events))
            file, last = files[-1]
            assert (await imported(elsewhere, file)).events == last.events

    asyncio.run(scenario())


def test_erased_persons_are_erased_elsewhere(module_database_url: str, elsewhere: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store, there(elsewhere) as other:
            tenant_id = await open_brokerage(store)
            lead = await capture(store, tenant_id, email="jane.erased@example.com")
            # As version 0.9 wrote it, in clear.
            store._registry = BEFORE_SEALING
            task = new_task(title="Call Jane Erased", lead_id=lead.id)
            await save(store, tenant_id, task)
            unfinished = await capture(store, tenant_id, email="joe@example.com")
            for one, ends in ((lead, True), (unfinished, False)):
                asked = await erase_person(store, ErasePerson(tenant_id=tenant_id, lead_id=one.id), Origin(VISITOR))
                assert asked.id is not None
                assert [one.what for one in asked.kept].count("tasks") == ends
                if ends:
                    await carry_out(store, tenant_id, asked.id)
            ((data,),) = await store.database.rows(
                "SELECT data FROM events WHERE stream_id = %(task)s AND version = 1", {"task": task.id}
            )
            assert b"Call Jane Erased" in bytes(data), "what is kept says so"
            file, _ = await exported(module_database_url, tenant_id)
            assert b"jane.erased" not in file and b"Jane Erased" not in file and b"joe@example.com" in file
            captured = next(line for line in lines_of(file) if line.get("subject") == to_wire(lead.id))
            assert captured["erased"] and "email" in captured["data"]["lost"]
            await imported(elsewhere, file)
            assert (await other.load(tenant_id, lead.id)).aggregate().erased
            assert (await other.load(tenant_id, task.id)).aggregate().title == "[erased]"
            rows = await other.database.rows(
                "SELECT ended_at IS NULL, numbers FROM erasures WHERE tenant_id = %(tenant)s ORDER BY erasure_id",
                {"tenant": tenant_id},
            )
            number = (await other.load(tenant_id, unfinished.id)).aggregate().number
            assert [open_still for open_still, _ in rows] == [False, True] and rows[1][1] == [number]

    asyncio.run(scenario())


def test_a_person_is_erased_while_the_log_is_exported(module_database_url: str) -> None:
    """The export has read what was known of the person, so it ends without a file."""

    async def erase(tenant_id: UUID, lead_id: UUID) -> None:
        async with opened_store(module_database_url) as store:
            asked = await erase_person(store, ErasePerson(tenant_id=tenant_id, lead_id=lead_id), Origin(VISITOR))
            assert asked.id is not None
            await carry_out(store, tenant_id, asked.id)

    async def scenario() -> None:
        async with opened_store(module_database_url) as store, await connect(module_database_url) as connection:
            tenant_id = await open_brokerage(store)
            lead = await capture(store, tenant_id)
            erasing: list[threading.Thread] = []

            def write(_: bytes) -> None:
                # The first line is written when the moment of the export has passed.
                if not erasing:
                    erasing.append(threading.Thread(target=asyncio.run, args=[erase(tenant_id, lead.id)]))
                    erasing[0].start()
                    erasing[0].join()

            with pytest.raises(Broken, match="A person was erased while the log was exported"):
                await export(connection, await store.tenant_key(tenant_id), write, KeptBlobs(store.database))
            assert (await store.load(tenant_id, lead.id)).aggregate().erased

    asyncio.run(scenario())


def test_access_that_secrets_gave_is_revoked(moved: dict[str, Any], elsewhere: str) -> None:
    async def scenario() -> None:
        async with there(elsewhere) as other:
            tenant_id, staff = moved["tenant"], moved["staff"]
            found = {name: (await other.load(tenant_id, one)).aggregate() for name, one in staff.items()}
            assert (found["user"].password_hash, found["user"].totp, found["user"].disabled) == (None, False, False)
            assert found["key"].revoked and found["feed"].revoked and found["replay"].cancelled
            endpoint = found["endpoint"]
            assert endpoint.disabled == "staff" and len(endpoint.secret) == 64 and endpoint.previous_secret is None
            named = {"tenant": tenant_id}
            keys = await other.database.rows("SELECT revoked FROM api_keys WHERE tenant_id = %(tenant)s", named)
            assert keys == [(True,)]
            assert moved["here"].arrival == 6

    asyncio.run(scenario())


def test_nothing_of_the_past_is_sent_again(moved: dict[str, Any], elsewhere: str) -> None:
    async def scenario() -> None:
        async with there(elsewhere) as other:
            mail = mail_consumer(MailSettings(SENDER, None, Path("unused")))
            for consumer in (TIMERS, WEBHOOKS, mail):
                assert consumer.name in ONWARDS
                assert moved["tenant"] not in await tenants_behind(other, consumer), consumer.name
            assert moved["tenant"] in await tenants_behind(other, FIGURES)

    asyncio.run(scenario())


def test_the_logo_comes_along(moved: dict[str, Any], elsewhere: str) -> None:
    async def scenario() -> None:
        async with there(elsewhere) as other:
            rows = await other.database.rows(brokerages.LOGO, {"tenant": moved["tenant"]})
            assert [(media, bytes(image)) for _, media, image in rows] == [("image/png", b64decode(PIXEL))]

    asyncio.run(scenario())


def test_a_subscriber_is_found_by_the_address_elsewhere(moved: dict[str, Any], elsewhere: str) -> None:
    """Ids of subscribers are derived with a key of the tenant's, which comes along."""

    async def scenario() -> None:
        async with there(elsewhere) as other:
            again, _ = await subscribe(
                other, Subscribe(tenant_id=moved["tenant"], email="Jane@example.com"), Origin(VISITOR)
            )
            assert again.id == moved["subscriber"] and again.version == 2
            links = await other.database.rows(
                "SELECT token_hash, subscriber_id FROM unsubscribe_tokens WHERE tenant_id = %(tenant)s",
                {"tenant": moved["tenant"]},
            )
            assert [(bytes(token), subscriber) for token, subscriber in links] == [(b"\1\2", again.id)]

    asyncio.run(scenario())


def test_numbers_stay_unless_this_installation_has_given_out_some_of_them(
    module_database_url: str, elsewhere: str
) -> None:
    async def scenario() -> None:
        for ahead, behind, renewed in ((module_database_url, elsewhere, False), (elsewhere, module_database_url, True)):
            async with await connect(ahead) as first, await connect(behind) as second:
                ((last,),) = await (await second.execute("SELECT last_value FROM lead_numbers")).fetchall()
                await first.execute("SELECT setval('lead_numbers', greatest(last_value, %s)) FROM lead_numbers", [last])
                # One more: the next number here is larger than the next one there.
                await first.execute("SELECT nextval('lead_numbers')")
            async with opened_store(module_database_url) as store, there(elsewhere) as other:
                tenant_id = await open_brokerage(store)
                lead = await capture(store, tenant_id)
                file, _ = await exported(module_database_url, tenant_id)
                here = await imported(elsewhere, file)
                number = (await other.load(tenant_id, lead.id)).aggregate().number
                assert ("lead_numbers" in here.renewed, number != lead.number) == (renewed, renewed)
                assert await other.next_number("SELECT nextval('lead_numbers')") > number

    asyncio.run(scenario())


def test_a_login_and_a_domain_that_are_taken(module_database_url: str, elsewhere: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store, there(elsewhere) as other:
            email = "platform@example.com"
            neighbour = await open_brokerage(other)
            await add_staff(other, neighbour, email)
            tenant_id = await open_brokerage(store)
            staff = await add_staff(store, tenant_id, email)
            file, _ = await exported(module_database_url, tenant_id)
            ((domain,),) = await store.database.rows(
                "SELECT domain FROM domains WHERE tenant_id = %(tenant)s", {"tenant": tenant_id}
            )
            here = await imported(elsewhere, file, slug="moved", may_have=lambda name: name != domain)
            assert (here.slug, here.domains, here.logins) == ("moved", [domain], [email])
            user = (await other.load(tenant_id, staff["user"])).aggregate()
            assert user.disabled and user.email == email
            brokerage = (await other.load(PLATFORM, tenant_id)).aggregate()
            assert (brokerage.slug, brokerage.domains) == ("moved", ())

    asyncio.run(scenario())


def test_the_file_tells_positions_ids_and_times(moved: dict[str, Any]) -> None:
    event = next(line for line in lines_of(moved["file"]) if line["type"] == "lead.captured")
    assert event["subject"] == to_wire(moved["lead"].id)
    assert event["data"]["personal"]["email"] == "jane@example.com"
    assert event["data"]["metadata"]["actor"] == {"type": "visitor", "id": None}
    assert orjson.loads(orjson.dumps(event)) == event
