"""``/api/v1/admin/newsletter`` and its pages: who is subscribed and on which consents, for brokers and owners."""

import csv
import io
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from aureum.commands.erasing import ErasePerson, erase_person
from aureum.commands.erasures import carry_out
from aureum.domain.ids import aureum_time, from_wire, now
from aureum.projections.search import asked, finder, found_by
from aureum.store.event_store import EventStore
from tests.http.api.newsletter.newsletters import ERASE, UNSUBSCRIBE, links, subscribe
from tests.http.operator import ORIGIN, Operator, Staff, Tenant
from tests.http.panel.reader import as_staff, led_to, page, refused
from tests.http.serving import Answer, Server

HERE = "/api/v1/admin/newsletter"
PAGE = "/admin/newsletter"


@pytest.fixture
def broker(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "broker", "Bea Broker")


def ask(server: Server, who: Staff, path: str = "", method: str = "GET", **query: Any) -> Answer:
    return server.ask(method, f"{HERE}{path}?{urlencode(query)}", headers=who.bearer)


def found(server: Server, who: Staff, **query: Any) -> list[str]:
    """The addresses of a list, which says how many there are."""
    answer = ask(server, who, **query)
    assert answer.status == 200, answer.body
    if "page_size" not in query:
        assert answer.json["total"] == len(answer.json["items"])
    return [one["email"] for one in answer.json["items"]]


def test_who_is_subscribed(server: Server, operator: Operator, tenant: Tenant, broker: Staff) -> None:
    for name, interests in (("Zoë", ["new-listings"]), ("Bob", ["market"]), ("Cy", ["market", "new-listings"])):
        email = f"{name.lower().replace('ë', 'e')}@example.com"
        assert subscribe(server, tenant, email, first_name=name, interests=interests).status == 200
    subscribe(server, tenant, "trap@example.com", _gotcha="x")
    server.ask("POST", links(operator, tenant)["bob@example.com"], host=tenant.domain)
    subscribe(server, operator.brokerage(), "other@example.com")

    bob, trap, cy, zoe = (f"{name}@example.com" for name in ("bob", "trap", "cy", "zoe"))
    assert found(server, broker) == [bob, trap, cy, zoe]
    assert found(server, broker, subscribed="true") == [cy, zoe] and found(server, broker, subscribed="false") == [
        bob,
        trap,
    ]
    assert (
        found(server, broker, interest="new-listings") == [cy, zoe] and found(server, broker, interest="listings") == []
    )
    for words, who in {
        "ZOE": [zoe],
        "zoë": [zoe],
        "zo": [zoe],
        "listings": [cy, zoe],
        "cy market": [cy],
        "bbo": [bob],
        "qq": [],
    }.items():
        assert found(server, broker, q=words) == who, words
    for email, who in {"CY@Example.com": [cy], "nobody@example.com": [], "no address": []}.items():
        assert found(server, broker, email=email) == who, email
    assert found(server, broker, q="example", page_size="2", page="2") == [cy, zoe]
    # An erased person is in no list.
    (one,) = ask(server, broker, q="zoe").json["items"]
    operator.rows(f"{ERASE} RETURNING 1", tenant=tenant.id, subscriber=from_wire(one["id"]))
    assert found(server, broker) == [bob, trap, cy] and found(server, broker, q="zoe") == []
    assert ask(server, broker, f"/{one['id']}").status == 404


def test_every_consent_is_on_record(server: Server, operator: Operator, tenant: Tenant, broker: Staff) -> None:
    subscribe(server, tenant, first_name="John", interests=["a"])
    old = links(operator, tenant)["subscriber@example.com"]
    subscribe(server, tenant, interests=["b"])
    (one,) = ask(server, broker).json["items"]
    path = f"/{one['id']}"

    first = ask(server, broker, f"{path}/unsubscribe", "POST")
    again = ask(server, broker, f"{path}/unsubscribe", "POST")

    assert (first.status, again.status) == (200, 200) and first.json == again.json and not first.json["subscribed"]
    subscribe(server, tenant)
    assert server.ask("POST", old, host=tenant.domain).status == 200
    whole = ask(server, broker, path)
    assert [(one["what"], one["by"], one["source_domain"]) for one in whole.json["consents"]] == [
        ("subscribed", None, tenant.domain),
        ("subscribed_again", None, tenant.domain),
        ("unsubscribed", "Bea Broker", None),
        ("subscribed_again", None, tenant.domain),
        ("unsubscribed", None, None),
    ]
    known = server.ask("GET", HERE + path, headers=broker.bearer | {"If-None-Match": whole.etag})
    assert known.status == 304
    # Agents, keys and others have no part in it.
    agent, stranger = operator.staff(tenant.id, "agent"), operator.staff(operator.brokerage().id, "brokerage_owner")
    for method, where in (("GET", ""), ("GET", path), ("GET", f"{path}/history"), ("POST", f"{path}/unsubscribe")):
        assert ask(server, agent, where, method).status == 403
        assert server.by_key(tenant, method, HERE + where).status == 401
        if where:
            assert ask(server, stranger, where, method).status == 404
    assert found(server, stranger) == []


def then() -> str:
    """This moment, with nothing else in its millisecond."""
    time.sleep(0.003)
    moment = aureum_time(now())
    time.sleep(0.003)
    return moment


def test_the_list_and_one_as_they_were_and_the_history(
    server: Server, operator: Operator, tenant: Tenant, broker: Staff
) -> None:
    subscribe(server, tenant, "zoe@example.com", first_name="Zoë", interests=["tips"])
    subscribe(server, tenant, "bob@example.com", interests=["tips"])
    subscribe(server, tenant, "trap@example.com", _gotcha="x")
    moment = then()
    queries: tuple[dict[str, str], ...] = (
        {},
        {"q": "zoe"},
        {"interest": "tips", "subscribed": "true"},
        {"email": "ZOE@example.com"},
        {"page_size": "2", "page": "2"},
    )
    told = [ask(server, broker, **query).json for query in queries]
    zoe = told[1]["items"][0]
    one = ask(server, broker, f"/{zoe['id']}").json
    server.ask("POST", links(operator, tenant)["bob@example.com"], host=tenant.domain)
    subscribe(server, tenant, "zoe@example.com", first_name="Zora", interests=["market"])
    subscribe(server, tenant, "cy@example.com", first_name="Cy", interests=["tips"])

    for query, was in zip(queries, told, strict=True):
        assert ask(server, broker, **query, asOf=moment).json == was, query
    assert ask(server, broker, f"/{zoe['id']}", asOf=moment).json == one
    assert found(server, broker, asOf="2001-01-01") == [] and len(found(server, broker, asOf="9999-01-01")) == 4
    assert ask(server, broker, asOf="lately").status == 422
    history = ask(server, broker, f"/{zoe['id']}/history")
    assert [(entry["type"], entry["actor"]["type"]) for entry in history.json] == [
        ("subscriber.subscribed", "visitor"),
        ("subscriber.consented", "visitor"),
    ]
    assert history.json[1]["changes"] == {
        "first_name": {"from": "Zoë", "to": "Zora"},
        "interests": {"from": ["tips"], "to": ["market"]},
    }
    early = ask(server, broker, f"/{zoe['id']}/history", asOf=moment).json
    assert early == history.json[:1]

    owner = as_staff(server, operator.staff(tenant.id, "brokerage_owner"))
    listed = owner.read(f"{PAGE}?asOf={moment}")
    assert "Zoë" in listed.said("td") and "cy@example.com" not in listed.said("td")
    for spelled in (moment.lower(), "9999-12-31", "2999-01-01T00:00:00,5+0200"):
        assert owner.read(f"{PAGE}?{urlencode({'asOf': spelled})}").said("p", class_="then")
    (there,) = [link for link in listed.links if link.startswith(f"{PAGE}/{zoe['id']}?asOf=")]
    shown = owner.read(there)
    assert "As it was on" in shown.said("p", class_="then")[0] and "Zoë" in shown.said("dd")
    assert shown.said("b", class_="what") == ["Subscribed"]
    assert [form for form in shown.forms if form.action.endswith("/unsubscribe")] == []
    assert owner.read(f"{PAGE}/{zoe['id']}").said("b", class_="what") == ["Subscribed again", "Subscribed"]

    # Another process erases her. What this one keeps of her in its memory is not asked.
    erased = operator.run(lambda store: erase(store, tenant, "zoe@example.com"))
    assert erased == 1 and found(server, broker, asOf=moment, q="zoe") == []
    assert (
        "[erased]" in found(server, broker, asOf=moment) and "Zo" not in ask(server, broker, asOf=moment).body.decode()
    )
    gone = ask(server, broker, f"/{zoe['id']}/history")
    assert (
        gone.json[-1]["changes"] == {"erased": {"from": None, "to": True}} and "zoe" not in gone.body.decode().lower()
    )
    assert ask(server, broker, f"/{zoe['id']}").status == 404


async def erase(store: EventStore, tenant: Tenant, email: str) -> int:
    """Erase a person; how many records that were."""
    asked = await erase_person(store, ErasePerson(tenant_id=tenant.id, email=email), ORIGIN)
    assert asked.id is not None
    return len(await carry_out(store, tenant.id, asked.id))


def test_the_pages(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = as_staff(server, operator.staff(tenant.id, "brokerage_owner", "Olivia Owner"))
    subscribe(server, tenant, "=zoe@example.com", first_name="Zoë <b>", interests=["new-listings"])
    subscribe(server, tenant, "bob@example.com")
    listed = owner.read(PAGE)
    (here,) = [link for link in listed.links if link.startswith(f"{PAGE}/") and "zoe" in owner.read(link).said("h1")[0]]
    assert "Zoë <b>" in listed.said("td") and PAGE in listed.links
    assert owner.read(f"{PAGE}?q=zoe&subscribed=true").said("tr")[1].startswith("=zoe@example.com")

    answer = owner.get(f"{PAGE}.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = {row["First name"]: row for row in csv.DictReader(io.StringIO(answer.body.decode().removeprefix("\ufeff")))}
    assert rows["Zoë <b>"]["Email"] == "'=zoe@example.com" and rows["Zoë <b>"]["Interests"] == "new-listings"
    link = rows[""]["Unsubscribe link"]
    assert link.startswith(f"https://{tenant.domain}{UNSUBSCRIBE}?token=")
    assert server.ask("POST", link.partition(tenant.domain)[2], host=tenant.domain).status == 200

    form = owner.read(here).form(f"{here}/unsubscribe")
    assert led_to(owner.send(form.action, form.fields)) == f"{here}?done=unsubscribed"
    read = owner.read(f"{here}?done=unsubscribed")
    assert read.said("p", role="status") == ["The subscriber gets no more newsletters."]
    assert (
        "Unsubscribed" in read.said("td") and "Olivia Owner" in read.said("td") and read.forms[-1].action != form.action
    )
    assert len(owner.get(f"{PAGE}.csv").body.splitlines()) == 1
    assert page(owner.get(f"{PAGE}?subscribed=x"), 400)
    agent = as_staff(server, operator.staff(tenant.id, "agent"))
    for path in (PAGE, here, f"{PAGE}.csv"):
        assert "Only a broker" in refused(agent.get(path), 403)
    assert PAGE not in agent.read("/admin").links


TEXTS = (
    "Zoë Ng zoe.ng@example.com",
    "Ann O'Neil ann@snake-river.example",
    "100% _real_ x@example.net",
    "小龍 dragon@example.org",
)


@pytest.mark.parametrize(
    "search", ["zoe", "ng", "oneil", "anm", "exmaple", "100%", "_real_", "x_", "小龍", "dragon ann", "\\", "snakeriver"]
)
def test_words_are_found_as_the_database_finds_them(operator: Operator, search: str) -> None:
    words = asked(search)
    assert words is not None
    for one in words:
        ((condition,),) = operator.rows("SELECT search_condition(%(words)s, 'x.search')", words=one)
        for text in TEXTS:
            *names, email = text.split()
            stored = found_by((), name=names, email=email)
            query = f"SELECT 1 FROM (SELECT %(stored)s::text AS search) x WHERE true {condition.replace('%', '%%')}"
            assert finder(one)(stored) == (operator.rows(query, stored=stored) == [(1,)]), (search, text)
