"""Lists as of a moment: whatever happened since, they say what they said then."""

import re
import time
from datetime import datetime
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.commands.erasing import ErasePerson, erase_person
from aureum.commands.erasures import carry_out
from aureum.domain.ids import PLATFORM
from aureum.http.contract import past
from aureum.http.contract.endpoint import NO_CALLER
from aureum.http.wire.errors import HttpError
from aureum.projections import lead_list
from aureum.store.event_store import EventStore
from aureum.store.rebuild.rebuild import rebuild
from tests.http.links import links, next_page
from tests.http.operator import ORIGIN, Operator, Staff, Tenant
from tests.http.serving import JANE, Answer, Server

TICK = 0.003
"""Longer than the millisecond to which events are timed: what happens after it happens later."""

HOUSE = {"title": "A house", "address": "1 Main St", "city": "Boise", "state": "ID", "price": 1}
NORA = {"firstName": "Nora", "lastName": "Núñez", "email": "nora@example.com", "tags": ["vip"]}
SHOWING = {"name": "Jane Doe", "email": "jane@example.com", "listingId": "202412345"}

STATUSES = {
    "/api/leads": ["new", "contacted", "lost"],
    "/api/tasks": ["pending", "in_progress", "completed"],
    "/api/properties": ["ACTIVE", "SOLD"],
}

NEW: dict[str, dict[str, Any]] = {
    "/api/leads": JANE,
    "/api/tasks": {"title": "Call back"},
    "/api/contacts": NORA,
    "/api/properties": HOUSE,
    "/api/showings": SHOWING,
}


SORTS = ("name", "-updatedAt", "status", "createdAt")


class Office:
    """A brokerage with two agents in which things happen, each at a moment of its own."""

    def __init__(self, server: Server, operator: Operator) -> None:
        self.server = server
        self.tenant = operator.brokerage()
        self.owner = operator.staff(self.tenant.id, "brokerage_owner", "Olga")
        self.agents = [operator.staff(self.tenant.id, "agent", name) for name in ("Ana", "Ben")]
        self.made: dict[str, list[str]] = {path: [] for path in NEW}
        self.moment = ""

    def write(self, method: str, path: str, **fields: Any) -> Any:
        time.sleep(TICK)
        answer = self.server.by_key(self.tenant, method, path, fields)
        # Of a suspected lead the status cannot change.
        if answer.status == 409 and answer.code == "wrong_state":
            return answer.json
        assert answer.status in (200, 201), (path, fields, answer)
        self.moment = max(self.moment, answer.json["updatedAt"])
        return answer.json

    def happens(self, chance: Random) -> None:
        """Something is made or changes."""
        path = chance.choice([*NEW, "/api/leads", "/api/leads", "merge", "form"])
        if path == "form":
            bait = chance.choice([{}, {"_gotcha": "x"}])
            time.sleep(TICK)
            sent = self.server.form(self.tenant, firstName=chance.choice(["Jo", "Zoë"]), **bait)
            lead = self.server.ask("GET", f"/api/v1/admin/leads/{sent.json['lead_id']}", headers=self.owner.bearer)
            wire = self.server.leads(self.tenant, "?limit=1")[0]
            assert lead.status == 200 and wire["message"] == lead.json["message"]
            self.made["/api/leads"].append(wire["id"])
            self.moment = max(self.moment, wire["updatedAt"])
        elif path == "merge":
            contacts = self.made["/api/contacts"]
            if len(contacts) > 1:
                one = contacts.pop(chance.randrange(len(contacts)))
                self.write("POST", f"/api/contacts/{chance.choice(contacts)}/merge", **{"with": one})
        elif not self.made[path] or chance.random() < 0.4:
            self.made[path].append(self.write("POST", path, **NEW[path])["id"])
        else:
            self.write("PATCH", f"{path}/{chance.choice(self.made[path])}", **self.change(path, chance))

    def change(self, path: str, chance: Random) -> dict[str, Any]:
        """What is changed of a resource of that list."""
        to = chance.choice([None, *(agent.id for agent in self.agents)])
        match path:
            case "/api/contacts":
                return chance.choice([{"type": "SELLER"}, {"tags": []}, {"lastName": f"Smith {chance.random()}"}])
            case "/api/leads" | "/api/tasks" if chance.random() < 0.5:
                return {"assignedToId": to}
            case "/api/showings":
                return {"assignedToId": to, "message": f"{chance.random()}"}
            case "/api/leads" if chance.random() < 0.3:
                return {"firstName": chance.choice(["Ada", "Zoë", "Bo"])}
            case _:
                return {"status": chance.choice(STATUSES[path])}

    @property
    def lists(self) -> list[tuple[Tenant | Staff, str]]:
        """Lists as clients read them."""
        ana = self.agents[0]
        return [
            *((who, path) for path in NEW for who in (self.tenant, ana)),
            *((who, "/api/tours") for who in (self.tenant, ana)),
            *((who, "/api/leads/count") for who in (self.tenant, ana)),
            *((who, f"/api/leads?status=new&assignedToId={ana.id}") for who in (self.tenant, ana)),
            (self.tenant, "/api/leads?suspect=true"),
            (self.tenant, "/api/leads?unassigned=true&source=api"),
            (self.tenant, "/api/leads?search=zoe"),
            (self.tenant, "/api/leads?search=jnae+doe"),
            *((self.tenant, f"/api/leads?sort={sort}&limit=3") for sort in SORTS),
            (self.tenant, "/api/leads?sort=-status&search=doe&limit=3"),
            (self.tenant, "/api/leads?limit=2"),
            (self.tenant, "/api/contacts?tag=vip&search=nunez"),
            (self.tenant, "/api/properties?status=ACTIVE&limit=1"),
            (self.tenant, "/api/tasks?status=completed"),
            *((who, "/api/v1/admin/leads?page_size=3&page=2") for who in (self.owner, ana)),
            (self.owner, f"/api/v1/admin/leads?assigned_agent_id={ana.number}&status=new"),
            (self.owner, "/api/v1/admin/leads?q=doe"),
            (self.tenant, "/api/users"),
            (self.owner, "/api/v1/admin/users?page_size=2"),
        ]

    def read(self, who: Tenant | Staff, path: str) -> list[Any]:
        """What every page says."""
        pages = []
        following: str | None = path
        while following is not None:
            answer = self.server.ask("GET", following, headers=who.bearer)
            assert answer.status == 200, (following, answer)
            pages.append(answer.json)
            assert "asOf=" not in path or "delta" not in links(answer)
            following = next_page(answer)
        return pages


def rebuilt(operator: Operator, name: str, tenant: Tenant) -> None:
    """One read model made anew."""
    operator.run(lambda store: rebuild(store.database.url, store.keys, name, tenant.id))


def at(path: str, moment: str) -> str:
    """The list at a moment."""
    return f"{path}{'&' if '?' in path else '?'}asOf={moment}"


@given(st.integers(0, 1 << 32))
@settings(max_examples=2, deadline=None)
def test_a_list_as_of_a_moment_is_what_it_was(server: Server, operator: Operator, seed: int) -> None:
    chance, office = Random(seed), Office(server, operator)
    told = []
    for _ in range(3):
        for _ in range(chance.randint(3, 9)):
            office.happens(chance)
        told += [(who, at(path, office.moment), office.read(who, path)) for who, path in office.lists]
    for who, path, pages in told:
        assert office.read(who, path) == pages, path

    for name in ("lead_list", "lead_counts", "contact_list", "task_list"):
        rebuilt(operator, name, office.tenant)
    for who, path, pages in told:
        assert office.read(who, path) == pages, ("after a rebuild", path)


def test_an_agent_is_shown_what_that_agent_saw_then(server: Server, operator: Operator) -> None:
    office = Office(server, operator)
    ana, ben = office.agents
    lead = office.write("POST", "/api/leads", **JANE, assignedToId=ana.id)
    then = office.moment
    office.write("PATCH", f"/api/leads/{lead['id']}", assignedToId=ben.id)

    def seen(who: Staff, moment: str) -> list[str]:
        answer = server.ask("GET", f"/api/leads?asOf={moment}", headers=who.bearer)
        assert answer.status == 200, answer
        return answer.ids

    assert (seen(ana, then), seen(ben, then)) == ([lead["id"]], [])
    assert (seen(ana, office.moment), seen(ben, office.moment)) == ([], [lead["id"]])
    assert seen(ana, "2001-01-01") == [] and seen(ben, "9999-01-01") == [lead["id"]]


def test_a_list_that_is_kept_is_not_asked_after_a_person_was_erased_elsewhere(
    server: Server, operator: Operator
) -> None:
    office = Office(server, operator)
    office.write("POST", "/api/leads", **JANE | {"name": "Zora Quetta", "email": "zora@example.com"})
    path = f"/api/leads?asOf={office.moment}"

    def listed(query: str = "", **headers: str) -> Answer:
        answer = server.by_key(office.tenant, "GET", path + query, headers=headers)
        assert answer.status == 200, answer
        return answer

    before = listed()
    assert "Quetta" in before.body.decode() and len(listed("&search=quetta").ids) == 1

    async def erase(store: EventStore) -> None:
        command = ErasePerson(tenant_id=office.tenant.id, email="zora@example.com")
        asked = await erase_person(store, command, ORIGIN)
        assert asked.id is not None
        await carry_out(store, office.tenant.id, asked.id)

    operator.run(erase)
    after = listed(**{"If-None-Match": before.etag or ""})
    assert after.ids == before.ids and after.json[0]["name"] == "[erased] [erased]"
    assert "uetta" not in after.body.decode() and listed("&search=quetta").ids == []


def test_etags_links_and_refusals(server: Server, operator: Operator) -> None:
    office = Office(server, operator)
    tenant, owner = office.tenant, office.owner
    for _ in range(3):
        office.write("POST", "/api/leads", **JANE)
    path = f"/api/leads?limit=2&asOf={office.moment}"
    first = server.by_key(tenant, "GET", path)
    assert len(first.ids) == 2 and set(links(first)) == {"next"}
    assert server.by_key(tenant, "GET", path, headers={"If-None-Match": first.etag}).status == 304
    assert server.by_key(tenant, "HEAD", path).etag == first.etag
    following = next_page(first)
    assert following is not None and len(server.by_key(tenant, "GET", following).ids) == 1
    # A cursor belongs to its moment.
    other = re.sub("asOf=[^&]*", "asOf=2030-01-01", following)
    assert (other != following, server.by_key(tenant, "GET", other).code) == (True, "invalid_parameters")

    now = server.by_key(tenant, "GET", "/api/leads")
    token = links(now)["delta"].partition("changedAfter=")[2]
    both = server.by_key(tenant, "GET", f"/api/leads?asOf=2026-01-01&changedAfter={token}")
    assert (both.status, both.code) == (400, "invalid_parameters") and "changedAfter" in both.error
    for moment in ("lately", "2026-13-01", "0000-01-01", "2026-01-01T00:00:00", "%00", "1764400000"):
        assert server.by_key(tenant, "GET", f"/api/leads?asOf={moment}").status == 400, moment
        assert server.ask("GET", f"/api/v1/admin/leads?asOf={moment}", headers=owner.bearer).status == 422, moment
    for moment in ("0001-01-01T00:00:00Z", "1969-12-31", "2001-01-01T00:00:00%2B14:00"):
        assert server.by_key(tenant, "GET", f"/api/leads?asOf={moment}").json == []
        assert server.by_key(tenant, "GET", f"/api/leads/count?asOf={moment}").json["total"] == 0
    assert server.by_key(tenant, "GET", "/api/leads?asOf=9999-12-31T23:59:59Z").json == now.json

    public = server.ask("GET", "/api/leads/count?asOf=2026-01-01", host=tenant.domain)
    assert (public.status, public.code) == (401, "credentials_missing")
    everywhere = operator.staff(PLATFORM, "platform_admin")
    of_all = server.ask("GET", "/api/v1/admin/leads?asOf=2026-01-01", headers=everywhere.bearer)
    assert of_all.status == 422 and of_all.detail[0]["loc"] == ["query", "asOf"]


def test_a_list_that_was_too_long_names_the_job(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = operator.brokerage()
    operator.fill(tenant, 4, message="x" * 1_000)
    caller = NO_CALLER._replace(tenant_id=tenant.id, slug=tenant.slug)

    def fold(moment: str) -> bytes:
        at = datetime.fromisoformat(moment)
        return operator.run(
            lambda store: past.fold(store, past.reading(store.database, tenant.id), caller, lead_list.LIST, at)
        )

    for bound, value in (("MOST", 3), ("MOST_EVENTS", 3), ("MOST_BYTES", 4_000)):
        assert len(orjson.loads(fold("9999-01-01T00:00:00+00:00"))) == 4
        with monkeypatch.context() as patched:
            patched.setattr(past, bound, value)
            with pytest.raises(HttpError) as refused:
                fold("9999-01-01T00:00:00+00:00")
            assert fold("2001-01-01T00:00:00+00:00") == b"[]"
        assert (refused.value.status, refused.value.code) == (400, "past_too_long")
        job = f"aureum audit list leads --brokerage {tenant.slug} --as-of 9999-01-01T00:00:00.000Z"
        assert str(refused.value).endswith(job)
