"""``aureum newsletter export``: who gets the next newsletter, each with a link that ends it."""

import re
from uuid import uuid4

import pytest

from aureum.cli.installation import origin, tenant_of
from aureum.cli.newsletter import HEADERS
from aureum.commands.newsletter import Subscribe, find_link, subscribe, unsubscribe
from aureum.domain.subscriber import Subscriber
from aureum.store.event_store import EventStore
from tests.cli.conftest import Terminal

URL = re.compile(r"https://([a-z0-9.-]+)/api/newsletter/unsubscribe\?token=([A-Za-z0-9_-]{22})")


def with_domains(terminal: Terminal, *domains: str) -> str:
    """The slug of a new brokerage."""
    slug = f"b-{uuid4().hex}"
    named = [part for domain in domains for part in ("--domain", domain)]
    terminal.json("brokerage", "create", "--name", "B", "--slug", slug, "--plan", "starter", *named)
    return slug


def add(terminal: Terminal, slug: str, email: str, first_name: str | None = None, *interests: str) -> Subscriber:
    """A visitor subscribes."""

    async def work(store: EventStore) -> Subscriber:
        tenant_id = await tenant_of(store.database, slug)
        command = Subscribe(tenant_id=tenant_id, email=email, first_name=first_name, interests=interests)
        return (await subscribe(store, command, origin()))[0]

    return terminal.in_store(work)


def leads_to(terminal: Terminal, slug: str, token: str) -> object:
    """Whom a token unsubscribes."""

    async def work(store: EventStore) -> object:
        return (await find_link(store, await tenant_of(store.database, slug), token)).subscriber_id

    return terminal.in_store(work)


def test_who_is_subscribed_with_a_new_link_each_time(terminal: Terminal) -> None:
    name = uuid4().hex
    slug = with_domains(terminal, f"{name}.example.com", f"a.{name}.example.com")
    jane, jack, gone = (
        add(terminal, slug, "jane@example.com", "Jane", "new-listings", "tips"),
        add(terminal, slug, "jack@example.com"),
        add(terminal, slug, "gone@example.com"),
    )
    add(terminal, with_domains(terminal, f"other.{name}.example.com"), "other@example.com")

    async def leave(store: EventStore) -> None:
        await unsubscribe(store, await tenant_of(store.database, slug), gone.id, origin())

    terminal.in_store(leave)
    exports = [terminal.json("newsletter", "export", "--brokerage", slug) for _ in range(2)]

    seen = set()
    for export in exports:
        found = {one["email"]: one for one in export}
        assert set(found) == {"jane@example.com", "jack@example.com"} and len(export) == 2
        assert list(export[0]) == ["email", "firstName", "interests", "subscribedAt", "unsubscribeUrl"]
        one = found["jane@example.com"]
        assert (one["firstName"], one["interests"]) == ("Jane", ["new-listings", "tips"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one["subscribedAt"])
        for email, person in (("jane@example.com", jane), ("jack@example.com", jack)):
            match = URL.fullmatch(found[email]["unsubscribeUrl"])
            assert match is not None and match[1] == f"{name}.example.com", "the first domain, as it was given"
            seen.add(match[2])
            assert leads_to(terminal, slug, match[2]) == person.id
    assert len(seen) == 4


def test_people_are_told_which_headers_to_send(terminal: Terminal) -> None:
    slug = with_domains(terminal, f"{uuid4().hex}.example.com")
    add(terminal, slug, "jane@example.com", "Jane\x1b[2J", "tips")

    said = terminal.run("newsletter", "export", "--brokerage", slug)

    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(HEADERS) and "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n" in said.out
    assert "\njane@example.com, Jane [2J\n" in said.out and "\n    interests: tips\n" in said.out
    assert len(URL.findall(said.out)) == 1 and said.out.endswith("\n1 subscribed.\n")


def test_whatever_a_name_holds_it_is_one_line_a_person(terminal: Terminal) -> None:
    slug = with_domains(terminal, f"{uuid4().hex}.example.com")
    add(terminal, slug, "jane@example.com", "Jane\r\nmallory@example.com, Mallory\u2028x", "tips\ny")

    said = terminal.run("newsletter", "export", "--brokerage", slug)

    assert "\njane@example.com, Jane mallory@example.com, Mallory x\n" in said.out
    assert [line for line in said.out.splitlines() if line.startswith("mallory")] == []
    assert "\n    interests: tips y\n" in said.out
    (one,) = terminal.json("newsletter", "export", "--brokerage", slug)
    assert (one["firstName"], one["interests"]) == ("Jane mallory@example.com, Mallory x", ["tips y"])


def test_no_subscribers_are_an_empty_document(terminal: Terminal) -> None:
    slug = with_domains(terminal, f"{uuid4().hex}.example.com")
    assert terminal.json("newsletter", "export", "--brokerage", slug) == []


def test_without_a_domain_the_links_lead_below_the_base_domain(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = with_domains(terminal)
    add(terminal, slug, "jane@example.com")
    refused = terminal.run("newsletter", "export", "--brokerage", slug, "--json")
    assert (refused.code, list(refused.json)) == (1, ["error"])
    assert refused.err.startswith("The brokerage has no domain") and "AUREUM_BASE_DOMAIN" in refused.err

    monkeypatch.setenv("AUREUM_BASE_DOMAIN", "crm.example.org")
    (one,) = terminal.json("newsletter", "export", "--brokerage", slug)
    match = URL.fullmatch(one["unsubscribeUrl"])
    assert match is not None and match[1] == f"{slug}.crm.example.org"


def test_an_unknown_brokerage(terminal: Terminal) -> None:
    refused = terminal.run("newsletter", "export", "--brokerage", "nobody", "--json")
    assert (refused.code, list(refused.json)) == (1, ["error"]) and "no brokerage with the slug 'nobody'" in refused.err
