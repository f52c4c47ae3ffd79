"""An upgrade brings e-mail addresses to one form: what an earlier version kept apart becomes one, or is named."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from aureum.cli.installation import origin, tenant_of
from aureum.commands.newsletter import Subscribe, subscribe, subscribed, unsubscribe
from aureum.commands.sessions import LogIn, Session, log_in
from aureum.commands.users import ChangeUser, change_user
from aureum.domain import ids
from aureum.domain.subscriber import Subscriber
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.rebuild.rebuild import rebuild
from tests.cli.conftest import Terminal

IDN, A_LABELS = "Nora@bücher.example", "nora@xn--bcher-kva.example"
PASSWORD = "correct horse battery staple"


def old_stream(terminal: Terminal, slug: str, email: str, *, leaves: bool = False, **fields: Any) -> UUID:
    """A subscriber as an earlier version kept one: at a stream of the address in lower case."""

    async def work(store: EventStore) -> UUID:
        tenant_id = await tenant_of(store.database, slug)
        key = await store.tenant_key(tenant_id)
        number = int.from_bytes(key.digest(b"subscriber", b"\0" + email.lower().encode())[:16], "big")
        stream_id = UUID(int=number & ~(0xF000 << 64) & ~(0xC000 << 48) | 0x8000 << 64 | 0x8000 << 48)
        given: dict[str, Any] = {"first_name": None, "interests": (), "source_domain": None} | fields
        new = Subscriber.subscribe(stream_id, ids.now(), email=email, **given)
        if leaves:
            new.unsubscribe(ids.now())
        await store.append(tenant_id, new, NO_STREAM, command="Subscribe", origin=origin())
        return stream_id

    return terminal.in_store(work)


def sql(terminal: Terminal, query: str, *values: Any) -> Any:
    async def work(store: EventStore) -> Any:
        return await store.database.rows(query, values)

    return terminal.in_store(work)


def upgraded(terminal: Terminal) -> None:
    """Like the first start of this version."""
    sql(terminal, "UPDATE data_steps SET done_at = NULL WHERE name = 'addresses'")
    refused = terminal.run("brokerage", "list")
    assert (refused.code, refused.err) == (
        1, "The database is not up to date: addresses must run first. Run: aureum migrate\n",
    )  # fmt: skip
    assert terminal.json("migrate") == {"ran": ["addresses"]}
    assert terminal.json("migrate") == {"ran": []}


def recipients(terminal: Terminal, slug: str) -> list[str]:
    async def work(store: EventStore) -> list[str]:
        return sorted([doc["email"] async for doc, _ in subscribed(store, await tenant_of(store.database, slug))])

    return terminal.in_store(work)


@pytest.mark.parametrize("leaves", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize(
    "spelled",
    [(IDN, A_LABELS), ("ｎｏｒａ@example.com", "nora@example.com"), (IDN, "nora@bu\u0308cher.example")],
)
def test_subscribers_of_one_address_become_one(
    terminal: Terminal, spelled: tuple[str, str], leaves: tuple[bool, bool]
) -> None:
    slug = terminal.brokerage()
    streams = [old_stream(terminal, slug, email, leaves=left) for email, left in zip(spelled, leaves, strict=True)]
    old_stream(terminal, slug, "other@example.com")
    alone = old_stream(terminal, slug, "zoe\u0308@example.com", first_name="Zoë", interests=("tips",))

    upgraded(terminal)

    found = recipients(terminal, slug)
    assert "other@example.com" in found and "zoe\u0308@example.com" in found
    assert len(found) == (2 if any(leaves) else 3), "unsubscribed wins"
    told = [
        one
        for one in terminal.run("doctor", "--json").json["findings"]
        if one["check"] == "subscribers" and one["brokerage"] == slug
    ]
    assert [(one["check"], one["emails"]) for one in told] == [("subscribers", sorted(spelled))]

    async def again(store: EventStore) -> None:
        """Any spelling leads to the one subscriber, and old links end it."""
        tenant_id = await tenant_of(store.database, slug)
        made = {
            (await subscribe(store, Subscribe(tenant_id=tenant_id, email=email), origin()))[0].id for email in spelled
        }
        assert len(made) == 1
        for stream_id in streams:
            await subscribe(store, Subscribe(tenant_id=tenant_id, email=spelled[0]), origin())
            assert len([doc async for doc, _ in subscribed(store, tenant_id)]) == 3
            await unsubscribe(store, tenant_id, stream_id, origin())
            assert len([doc async for doc, _ in subscribed(store, tenant_id)]) == 2
        before = await store.database.rows("SELECT doc FROM subscriber_list ORDER BY 1")
        await rebuild(terminal.url, store.keys, "subscriber_list", tenant_id)
        assert await store.database.rows("SELECT doc FROM subscriber_list ORDER BY 1") == before
        (zoe,) = [doc async for doc, _ in subscribed(store, tenant_id) if doc["firstName"]]
        assert (zoe["email"], zoe["firstName"], zoe["interests"]) == ("zoe\u0308@example.com", "Zoë", ["tips"])
        old = (await store.load(tenant_id, alone)).aggregate()
        assert zoe["updatedAt"] == zoe["createdAt"] == ids.aureum_time(old.created_on), "the consent keeps its date"

    terminal.in_store(again)


def test_an_upgrade_that_was_broken_off_goes_on(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    old_stream(terminal, slug, IDN)
    upgraded(terminal)
    sql(terminal, "UPDATE subscriber_list SET doc = doc")
    old_stream(terminal, slug, A_LABELS.replace("nora", "ana"), leaves=True)
    old_stream(terminal, slug, "ana@bücher.example")
    upgraded(terminal)
    upgraded(terminal)
    assert recipients(terminal, slug) == [IDN]


def test_logins_of_one_address_stay_apart_until_an_owner_decides(terminal: Terminal) -> None:
    slug = terminal.brokerage()

    def user(email: str, before: str) -> int:
        made = terminal.json(
            "user", "create", "--brokerage", slug, "--email", email, "--name", "N", "--role", "agent",
            "--password-stdin", stdin=PASSWORD,
        )  # fmt: skip
        number: int = made["number"]
        sql(
            terminal,
            "UPDATE users SET email = %s, shown_email = NULL, address = %s WHERE number = %s",
            before,
            before,
            number,
        )
        return number

    idn = user(IDN, IDN.casefold())
    a_labels = user(A_LABELS, A_LABELS.casefold())
    strasse = user("x@straße.example", "x@strasse.example")

    def who(email: str) -> int | None:
        async def work(store: EventStore) -> Session | None:
            return await log_in(store, LogIn(email=email, password=SecretStr(PASSWORD), client="1.2.3.4"))

        session = terminal.in_store(work)
        return None if session is None else session.number

    upgraded(terminal)
    assert (who(IDN), who(A_LABELS), who("NORA@BÜCHER.EXAMPLE")) == (idn, a_labels, idn)
    assert (who("x@straße.example"), who("x@xn--strae-oqa.example"), who("x@strasse.example")) == (
        strasse,
        strasse,
        None,
    )
    (told,) = [one for one in terminal.run("doctor", "--json").json["findings"] if one["check"] == "logins"]
    assert told["address"] == A_LABELS and [one["number"] for one in told["logins"]] == [idn, a_labels]
    assert [one["email"] for one in told["logins"]] == [IDN, A_LABELS], "as they were given"
    refused = terminal.run(
        "user", "create", "--email", "nora@bu\u0308cher.example", "--name", "N", "--role", "platform_admin"
    )
    assert refused.code == 1 and "already exists" in refused.err

    async def disable(store: EventStore) -> None:
        tenant_id = await tenant_of(store.database, slug)
        ((user_id,),) = await store.database.rows("SELECT user_id FROM users WHERE number = %s", [a_labels])
        for disabled, name in ((False, "M"), (True, "M")):
            command = ChangeUser(tenant_id=tenant_id, user_id=user_id, name=name, disabled=disabled)
            await change_user(store, command, origin(), check=lambda _: None)

    terminal.in_store(disable)
    assert (who(IDN), who(A_LABELS)) == (idn, idn), "the one that is left is found by any spelling"
    assert not [one for one in terminal.run("doctor", "--json").json["findings"] if one["check"] == "logins"]
