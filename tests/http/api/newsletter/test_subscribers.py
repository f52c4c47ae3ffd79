"""``/api/v1/admin/newsletter`` and its pages: who is subscribed and on which consents, for brokers and owners."""

import csv
import io
from typing import Any
from urllib.parse import urlencode

import pytest

from aureum.domain.ids import from_wire
from aureum.projections.search import asked, finder, found_by
from tests.http.api.newsletter.newsletters import ERASE, UNSUBSCRIBE, links, subscribe
from tests.http.operator import Operator, Staff, Tenant
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
    for method, where in (("GET", ""), ("GET", path), ("POST", f"{path}/unsubscribe")):
        assert ask(server, agent, where, method).status == 403
        assert server.by_key(tenant, method, HERE + where).status == 401
        if where:
            assert ask(server, stranger, where, method).status == 404
    assert found(server, stranger) == []


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
