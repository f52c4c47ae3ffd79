"""Catching up with lists: a client that follows the links has, in the end, what the list has; whatever is written
meanwhile, by however many processes, and whatever it may see."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain.ids import PLATFORM
from aureum.store.rebuild.rebuild import rebuild
from tests.http.links import delta, next_page
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import FORM, JANE, Answer, Server

Docs = dict[Any, Any]


@dataclass
class Follower:
    """A client as the documentation tells it to be written: it keeps a copy of a list, and no clock."""

    ask: Callable[[str], Answer]
    path: str
    docs: Docs = field(default_factory=dict)
    removed: set[Any] = field(default_factory=set)
    runs: int = 0

    def run(self) -> None:
        """Read the list, or what has changed since the last run."""
        page: str | None = self.path
        while page is not None:
            answer = self.ask(page)
            assert answer.status == 200, (page, answer)
            items = answer.json["items"] if isinstance(answer.json, dict) else answer.json
            for doc in items:
                if "removed" in doc:
                    assert doc == {"id": doc["id"], "removed": True}
                    self.removed.add(doc["id"])
                    self.docs.pop(doc["id"], None)
                else:
                    self.docs[doc["id"]] = doc
            self.path, page = delta(answer), next_page(answer)
        self.runs += 1


def follower(server: Server, who: Tenant | Staff, path: str) -> Follower:
    return Follower(lambda page: server.ask("GET", page, headers=who.bearer), path)


def now(server: Server, who: Tenant | Staff, path: str) -> Docs:
    """The list as it is."""
    answer = server.ask("GET", path, headers=who.bearer)
    assert answer.status == 200, answer
    return {doc["id"]: doc for doc in (answer.json["items"] if isinstance(answer.json, dict) else answer.json)}


def change(server: Server, who: Tenant | Staff, path: str, **fields: Any) -> Any:
    answer = server.ask("PATCH", path, fields, who.bearer)
    assert answer.status == 200, answer
    return answer.json


def test_nothing_is_missed_and_nothing_stays_stale_however_many_write(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    agents = [operator.staff(tenant.id, "agent", name) for name in ("Ana", "Ben")]
    owner = operator.staff(tenant.id, "brokerage_owner", "Olga")
    ana = agents[0]
    lists: list[tuple[Tenant | Staff, str, str]] = [
        (tenant, "/api/leads", ""),
        (tenant, "/api/leads", "?limit=3"),
        (tenant, "/api/leads", "?status=new&limit=2"),
        (tenant, "/api/leads", f"?assignedToId={ana.id}&status=contacted"),
        (ana, "/api/leads", "?limit=1"),
        (ana, "/api/leads", "?status=new"),
        (owner, "/api/v1/admin/leads", "?page_size=100&status=contacted"),
        (agents[1], "/api/v1/admin/leads", "?page_size=100"),
        (ana, "/api/tasks", "?limit=2"),
    ]
    followers = [
        follower(process, who, path + query)
        for (who, path, query), process in zip(lists, [server, proxied] * len(lists), strict=False)
    ]
    writing = threading.Event()
    ever_anas: set[str] = set()
    """Leads and tasks that were hers at some time."""

    def write(number: int) -> None:
        """Leads that are made, change and go from one agent to the other, each writer's own."""
        chance, process = Random(number), (server, proxied)[number % 2]
        own: list[str] = []
        tasks: list[str] = []
        for _ in range(30):
            to = chance.choice([*agents, None])
            assigned = {"assignedToId": None if to is None else to.id}
            if not own or chance.random() < 0.3:
                own.append(process.lead(tenant, **assigned)["id"])
                task = process.by_key(tenant, "POST", "/api/tasks", {"title": "Call", **assigned})
                assert task.status == 201
                tasks.append(task.json["id"])
                ever_anas.update((own[-1], tasks[-1]) if to is ana else ())
            else:
                fields: Mapping[str, Any] = chance.choice(
                    [
                        {"status": chance.choice(["new", "contacted", "lost"])},
                        assigned,
                        {"message": f"{chance.random()}"},
                    ]
                )
                lead, task_id = chance.choice(own), chance.choice(tasks)
                ever_anas.update((lead, task_id) if to is ana else ())
                change(process, tenant, f"/api/leads/{lead}", **fields)
                change(process, tenant, f"/api/tasks/{task_id}", **assigned)

    def follow(one: Follower) -> None:
        while not writing.is_set():
            one.run()

    with ThreadPoolExecutor(8 + len(followers)) as pool:
        following = [pool.submit(follow, one) for one in followers]
        try:
            list(pool.map(write, range(8)))
        finally:
            writing.set()
        for each in following:
            each.result()

    for one, (who, path, query) in zip(followers, lists, strict=True):
        runs = one.runs
        one.run()
        query = query.replace("limit=1", "").replace("limit=2", "").replace("limit=3", "").replace("?&", "?")
        assert one.docs == now(server, who, path + query), (path, query)
        assert runs > 3, "it followed while others wrote"
        if who is ana:
            assert one.removed <= ever_anas


@pytest.mark.parametrize("path", ["/api/leads", "/api/tasks", "/api/showings", "/api/tours", "/api/v1/admin/leads"])
def test_an_agent_hears_of_what_was_taken_away_and_of_nothing_that_was_never_there(
    server: Server, operator: Operator, tenant: Tenant, path: str
) -> None:
    ana, ben = (operator.staff(tenant.id, "agent", name) for name in ("Ana", "Ben"))
    leads_dialect = path in ("/api/tours", "/api/v1/admin/leads")
    assigned = "assigned_agent_id" if leads_dialect else "assignedToId"
    of_ana, of_ben = (one.number if leads_dialect else one.id for one in (ana, ben))
    who = operator.staff(tenant.id, "brokerage_owner") if path == "/api/v1/admin/leads" else tenant

    def made(agent: Any) -> str:
        one = new(server, operator, tenant, path, who)
        change(server, who, f"{path}/{one}", **{assigned: agent})
        return one

    hers, his, both = made(of_ana), made(of_ben), made(of_ben)
    anas, bens = follower(server, ana, path), follower(server, ben, path)
    anas.run()
    bens.run()
    assert (set(anas.docs), set(bens.docs)) == ({key(hers)}, {key(his), key(both)})

    # It goes, comes, and then has no agent; what is the other's changes, too.
    change(server, who, f"{path}/{hers}", **{assigned: of_ben})
    change(server, who, f"{path}/{both}", **{assigned: of_ana})
    change(server, who, f"{path}/{both}", **{assigned: None})
    touched = "confirmed" if "tours" in path or "showings" in path else "completed" if "tasks" in path else "contacted"
    change(server, who, f"{path}/{his}", status=touched)
    made(of_ben)
    for one in (anas, bens):
        one.run()

    assert anas.removed == {key(hers), key(both)}
    assert bens.removed == {key(both)}
    assert anas.docs == now(server, ana, path) == {}
    assert bens.docs == now(server, ben, path)
    assert len(bens.docs) == 3
    anas.run()
    assert anas.removed == {key(hers), key(both)}


def key(made: str) -> Any:
    """An id as a list shows it."""
    return int(made) if made.isdigit() else made


def new(server: Server, operator: Operator, tenant: Tenant, path: str, who: Tenant | Staff) -> str:
    """A new resource of that list; its id there."""
    if path == "/api/tours":
        # Each says something else: the same form again is the same tour.
        form = {"listing_id": "202412345", "name": "John", "email": "john@example.com", "message": f"{uuid4()}"}
        answer = server.ask("POST", path, form, host=tenant.domain)
    else:
        body = {
            "/api/leads": JANE,
            "/api/tasks": {"title": "Call back"},
            "/api/showings": {"name": "Jane Doe", "email": "jane@example.com", "listingId": "202412345"},
            "/api/v1/admin/leads": {
                "first_name": "Jane",
                "last_name": "Doe",
                "email": "jane@example.com",
                "message": "Hello",
                "subject": "A house",
            },
        }[path]
        answer = server.ask("POST", path, body, who.bearer)
    assert answer.status in (200, 201), answer
    return str(answer.json["id"])


def test_what_an_agent_has_made_stays_in_view(server: Server, operator: Operator, tenant: Tenant) -> None:
    ana, ben = (operator.staff(tenant.id, "agent", name) for name in ("Ana", "Ben"))
    anas, bens = follower(server, ana, "/api/leads"), follower(server, ben, "/api/leads")
    anas.run()
    bens.run()
    lead = server.ask("POST", "/api/leads", JANE | {"assignedToId": ana.id}, ana.bearer).json["id"]
    change(server, tenant, f"/api/leads/{lead}", assignedToId=ben.id)
    anas.run()
    bens.run()
    assert (set(anas.docs), set(bens.docs), anas.removed) == ({lead}, {lead}, set())
    change(server, tenant, f"/api/leads/{lead}", assignedToId=None)
    anas.run()
    bens.run()
    assert (set(anas.docs), set(bens.docs), bens.removed) == ({lead}, set(), {lead})


def test_what_leaves_a_filter_is_reported_and_what_never_was_in_it_is_not(server: Server, tenant: Tenant) -> None:
    a, b, c = (server.lead(tenant, source="fair", status=status)["id"] for status in ("new", "new", "lost"))
    filtered = follower(server, tenant, "/api/leads?status=new&source=fair")
    filtered.run()
    assert set(filtered.docs) == {a, b}

    change(server, tenant, f"/api/leads/{a}", status="lost")
    change(server, tenant, f"/api/leads/{c}", message="Still lost")
    server.lead(tenant, source="fair", status="offer")
    server.lead(tenant, source="other", status="new")
    d = server.lead(tenant, source="fair")["id"]
    filtered.run()

    assert (set(filtered.docs), filtered.removed) == ({b, d}, {a})
    # There and back again between two runs.
    change(server, tenant, f"/api/leads/{b}", status="lost")
    changed = change(server, tenant, f"/api/leads/{b}", status="new")
    filtered.run()
    assert filtered.docs[b] == changed and filtered.removed == {a}


def test_filters_of_contacts_and_properties(server: Server, operator: Operator, tenant: Tenant) -> None:
    def contact(**fields: Any) -> str:
        body = {"firstName": "Nora", "lastName": "Núñez", "email": "nora@example.com", "type": "BUYER"} | fields
        answer = server.by_key(tenant, "POST", "/api/contacts", body)
        assert answer.status == 201, answer
        return str(answer.json["id"])

    nora, max_ = contact(tags=["vip"]), contact(firstName="Max", lastName="Smith", email="max@example.com")
    filters = ("?type=BUYER", "?tag=vip", "?search=nunez", "?search=nora&type=BUYER", "?tag=vip&search=nora")
    followers = {query: follower(server, tenant, f"/api/contacts{query}") for query in filters}
    for one in followers.values():
        one.run()
        assert nora in one.docs and (max_ in one.docs) == (one.path.startswith("/api/contacts?type"))

    change(server, tenant, f"/api/contacts/{nora}", type="SELLER", tags=[], firstName="Eva", lastName="Jones")
    change(server, tenant, f"/api/contacts/{nora}", email="eva@example.com")
    change(server, tenant, f"/api/contacts/{max_}", tags=["vip"], lastName="Núñez", firstName="Nora")
    for query, one in followers.items():
        one.run()
        assert one.docs == now(server, tenant, f"/api/contacts{query}"), query
        assert list(one.docs) == [max_] and nora in one.removed

    house = {"title": "A house", "address": "1 Main St", "city": "Boise", "state": "ID", "zip": "83702", "price": 1}
    made = server.by_key(tenant, "POST", "/api/properties", house | {"isFeatured": True, "propertyType": "CONDO"})
    assert made.status == 201, made
    featured, others = (follower(server, tenant, f"/api/properties?featured={text}") for text in ("true", "false"))
    featured.run()
    others.run()
    change(server, tenant, f"/api/properties/{made.json['id']}", isFeatured=False)
    featured.run()
    others.run()
    assert (list(featured.docs), featured.removed, list(others.docs)) == ([], {made.json["id"]}, [made.json["id"]])


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_whatever_happens_between_two_runs(server: Server, operator: Operator, data: st.DataObject) -> None:
    """The lists of two agents and filtered ones, kept by clients that run now and then, with pages of any length."""
    tenant = operator.brokerage()
    agents = [operator.staff(tenant.id, "agent", name) for name in ("Ana", "Ben")]
    lists: list[tuple[Tenant | Staff, str]] = [
        (tenant, "/api/leads?"),
        (tenant, "/api/leads?status=new&"),
        (agents[0], "/api/leads?"),
        (agents[1], "/api/leads?status=lost&"),
        (tenant, f"/api/leads?assignedToId={agents[0].id}&status=new&"),
    ]
    limits = [data.draw(st.sampled_from(["", "limit=1", "limit=2"])) for _ in lists]
    followers = [follower(server, who, path + limit) for (who, path), limit in zip(lists, limits, strict=True)]
    made: list[str] = []
    owners = st.sampled_from([None, *(one.id for one in agents)])
    for _ in range(data.draw(st.integers(1, 12))):
        what = data.draw(st.sampled_from(["new", "status", "assign", "run", "run"]))
        if what == "run":
            data.draw(st.sampled_from(followers)).run()
        elif what == "new" or not made:
            made.append(server.lead(tenant, assignedToId=data.draw(owners), status=data.draw(STATUSES))["id"])
        else:
            path = f"/api/leads/{data.draw(st.sampled_from(made))}"
            fields = {"status": data.draw(STATUSES)} if what == "status" else {"assignedToId": data.draw(owners)}
            change(server, tenant, path, **fields)
    for one, (who, path) in zip(followers, lists, strict=True):
        one.run()
        assert one.docs == now(server, who, path)


STATUSES = st.sampled_from(["new", "contacted", "lost"])


def test_tokens_are_good_after_a_rebuild(server: Server, operator: Operator, tenant: Tenant) -> None:
    kept = follower(server, tenant, "/api/leads?limit=1")
    first = server.lead(tenant)["id"]
    kept.run()
    second = server.lead(tenant)["id"]
    operator.run(lambda store: rebuild(store.database.url, store.keys, "lead_list", tenant.id))
    kept.run()
    assert list(kept.docs) == [first, second] and kept.docs == now(server, tenant, "/api/leads")


def test_a_token_of_a_log_that_went_further_is_refused(server: Server, operator: Operator, tenant: Tenant) -> None:
    """The database was put back from a backup: its positions are given to other events now."""
    server.lead(tenant)
    before = operator.head(tenant)
    server.lead(tenant)
    kept = follower(server, tenant, "/api/leads")
    kept.run()
    operator.rows(
        "DELETE FROM events WHERE tenant_id = %(tenant)s AND position > %(head)s", tenant=tenant.id, head=before
    )
    operator.rows("UPDATE heads SET position = %(head)s WHERE tenant_id = %(tenant)s", tenant=tenant.id, head=before)
    assert server.by_key(tenant, "GET", kept.path).status == 400


def test_a_platform_admin_catches_up_brokerage_by_brokerage(server: Server, operator: Operator, tenant: Tenant) -> None:
    admin = operator.staff(PLATFORM, "platform_admin")
    path = "/api/v1/admin/leads"
    everywhere = server.ask("GET", path, headers=admin.bearer)
    assert "link" not in everywhere.headers
    ((number,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(tenant)s", tenant=tenant.id)
    kept = follower(server, admin, f"{path}?brokerage_id={number}")
    kept.run()
    assert server.form(tenant).status == 200
    kept.run()
    assert kept.docs == now(server, admin, f"{path}?brokerage_id={number}") and len(kept.docs) == 1
    token = kept.path.partition("changedAfter=")[2]
    refused = server.ask("GET", f"{path}?changedAfter={token}", headers=admin.bearer)
    assert refused.status == 422 and refused.detail[0]["loc"] == ["query", "changedAfter"]
    assert FORM["email"] not in str(refused.detail)
