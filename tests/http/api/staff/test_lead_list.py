"""``GET /api/v1/admin/leads``: numbered pages, filters, who sees which brokerages' leads, ETags."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.commands.brokerages import disable_brokerage, enable_brokerage
from aureum.domain import ids
from aureum.domain.texts import one_line
from aureum.http.api.staff.lead_fields import AdminLeadResponse
from aureum.http.contract.numbered_pages import NumberedPage
from aureum.projections import search
from tests.conftest import fresh_database
from tests.examples import examples
from tests.http.api.staff.entering import NOBODY, PATH, entered
from tests.http.api.staff.test_leads import number_of
from tests.http.operator import ORIGIN, Operator, Staff, Tenant
from tests.http.serving import Answer, Server, served

NO_BROKERAGE = (404, "Brokerage not found or disabled")


def asked(server: Server, who: Staff, headers: dict[str, str] | None = None, /, **query: Any) -> Answer:
    """A page."""
    return server.ask("GET", f"{PATH}?{urlencode(query)}", headers=who.bearer | (headers or {}))


def listed(server: Server, who: Staff, **query: Any) -> list[int]:
    """The numbers of the leads of a page, which holds all of them."""
    answer = asked(server, who, **query)
    assert answer.status == 200, answer.body
    found = [lead["id"] for lead in answer.json["items"]]
    assert answer.json["total"] == len(found)
    return found


def test_newest_first_and_like_each_lead_alone(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    broker, ana = operator.staff(tenant.id, "broker"), operator.staff(tenant.id, "agent")
    assert server.form(tenant).status == 200
    server.lead(tenant, assignedToId=ana.id)
    entered(server, broker, notes="Called.")

    page = asked(proxied, broker).json

    NumberedPage[AdminLeadResponse].model_validate(page, strict=True)
    assert {name: value for name, value in page.items() if name != "items"} == {
        "total": 3,
        "page": 1,
        "page_size": 20,
        "total_pages": 1,
    }
    assert [lead["source"] for lead in page["items"]] == ["manual", "api", "website"]
    assert page["items"][1]["assigned_agent_id"] == ana.number
    for lead in page["items"]:
        alone = server.ask("GET", f"{PATH}/{lead['id']}", headers=broker.bearer).json
        # Alone, a lead also tells who else could have got it.
        told = alone["routing"] and {name: alone["routing"][name] for name in lead["routing"]}
        assert alone | {"routing": told} == lead


def test_pages_have_numbers(server: Server, operator: Operator, tenant: Tenant) -> None:
    broker = operator.staff(tenant.id, "broker")
    made = [entered(server, broker)["id"] for _ in range(5)]

    pages = [asked(server, broker, page=number, page_size=2).json for number in (1, 2, 3, 4)]

    assert [[lead["id"] for lead in page["items"]] for page in pages] == [made[:2:-1], made[2:0:-1], made[:1], []]
    assert {(page["total"], page["total_pages"], page["page_size"]) for page in pages} == {(5, 3, 2)}
    assert [page["page"] for page in pages] == [1, 2, 3, 4]
    assert len(listed(server, broker, page_size=100)) == 5
    empty = asked(server, operator.staff(operator.brokerage().id, "broker")).json
    assert empty == {"items": [], "total": 0, "page": 1, "page_size": 20, "total_pages": 0}


def test_filters(server: Server, operator: Operator, tenant: Tenant) -> None:
    broker, ana = operator.staff(tenant.id, "broker"), operator.staff(tenant.id, "agent")
    form = server.form(tenant).json["lead_id"]
    assert server.lead(tenant, status="lost", source="Fair & Co+")
    manual = entered(server, broker, status="offer")["id"]
    (fair,) = listed(server, broker, source="Fair & Co+")

    assert listed(server, broker, status="offer") == [manual]
    assert listed(server, broker, status="lost") == [fair]
    assert listed(server, broker, source="website") == [form]
    assert listed(server, broker, source="Website") == []
    assert listed(server, broker, source_domain="admin-manual") == [manual]
    assert listed(server, broker, source_domain=tenant.domain) == [form]
    assert listed(server, broker, assigned_agent_id=ana.number) == [form]
    assert listed(server, broker, assigned_agent_id=ana.number, status="lost") == []
    for nobody in (broker.number, operator.staff(operator.brokerage().id, "agent").number, NOBODY, 0, -1):
        assert listed(server, broker, assigned_agent_id=nobody) == []
    assert len(listed(server, broker, unknown=1)) == 3


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("page", "0", "value_error.number.not_ge"),
        ("page", "9" * 18, "value_error.number.not_le"),
        ("page", "9" * 5_000, "type_error.integer"),
        ("page_size", "101", "value_error.number.not_le"),
        ("page_size", "1.0", "type_error.integer"),
        ("status", "sold", "value_error.const"),
        ("source", "x" * 101, "value_error.any_str.max_length"),
        ("source_domain", "\0", "value_error"),
        ("assigned_agent_id", "Ana", "type_error.integer"),
        ("assigned_agent_id", "9" * 18, "value_error.number.not_le"),
        ("q", "x" * 201, "value_error.any_str.max_length"),
        ("q", "\0", "value_error"),
    ],
)
def test_a_bad_parameter(server: Server, operator: Operator, name: str, value: str, kind: str) -> None:
    answer = asked(server, operator.staff(operator.shared.id, "broker"), **{name: value})

    assert answer.status == 422
    assert [(item["loc"], item["type"]) for item in answer.detail] == [(["query", name], kind)]


def test_words_are_searched(server: Server, operator: Operator, tenant: Tenant) -> None:
    broker = operator.staff(tenant.id, "broker")
    jane = entered(server, broker, phone="208-555-0123", subject="100% down_town", message="hidden")["id"]
    max_ = entered(server, broker, first_name="Max", last_name="Müller", email="max@example.com")["id"]

    for query, found in (
        ("JANE", [jane]),
        ("doe ane", [jane]),
        ("mÜLL max@", [max_]),
        ("example.com", [max_, jane]),
        ("555-01", [jane]),
        ("100%", [jane]),
        ("n_t", [jane]),
        ("walk-in", [max_]),
        ("  ", [max_, jane]),
        ("", [max_, jane]),
        ("jane max", []),
        ("hidden", []),
        ("%", [jane]),
        ("_", [jane]),
        ("\\", []),
        ("j%e", []),
        ("'; --", []),
    ):
        assert listed(server, broker, q=query) == found, query


WORDS = st.lists(st.text("aBé%_\\'", min_size=1, max_size=2), max_size=3)
"""Too short for a typo to be forgiven."""


@given(first=WORDS, sought=WORDS)
@settings(max_examples=examples(40), deadline=None)
def test_what_is_found_holds_every_word(
    server: Server, operator: Operator, first: list[str], sought: list[str]
) -> None:
    broker = operator.staff(operator.shared.id, "broker")
    lead = entered(server, broker, first_name=" ".join(["n", *first]), subject="S")
    text = search.fold(" ".join((lead["first_name"], lead["last_name"], lead["email"], lead["subject"])))

    found = [other["id"] for other in asked(server, broker, q=" ".join(sought), page_size=1).json["items"]]

    holds = all(search.fold(word) in text for word in sought)
    assert (found == [lead["id"]]) is holds


def test_an_agent_sees_what_is_assigned_to_or_created_by_them(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    broker, ana = operator.staff(tenant.id, "broker"), operator.staff(tenant.id, "agent")
    ben = operator.staff(tenant.id, "agent")
    of_ana = entered(server, broker, assigned_agent_id=ana.number)["id"]
    by_ana = entered(server, ana, assigned_agent_id=ben.number)["id"]
    of_nobody = entered(server, broker)["id"]

    assert listed(server, ana) == [by_ana, of_ana]
    assert listed(server, ben) == [by_ana]
    assert listed(server, ben, assigned_agent_id=ana.number) == []
    for role in ("broker", "brokerage_owner"):
        assert listed(server, operator.staff(tenant.id, role)) == [of_nobody, by_ana, of_ana]


def test_only_a_platform_admin_names_a_brokerage(server: Server, operator: Operator, tenant: Tenant) -> None:
    other = operator.brokerage()
    broker, colleague = operator.staff(tenant.id, "broker"), operator.staff(other.id, "broker")
    admin = operator.staff(tenant.id, "platform_admin")
    here, there = entered(server, broker)["id"], entered(server, colleague)["id"]

    for number in (number_of(operator, tenant), number_of(operator, other), NOBODY):
        assert listed(server, broker, brokerage_id=number) == [here]
    assert listed(server, admin, brokerage_id=number_of(operator, tenant)) == [here]
    assert listed(server, admin, brokerage_id=number_of(operator, other)) == [there]
    for number in (NOBODY, 0, -1):
        answer = asked(server, admin, brokerage_id=number)
        assert (answer.status, answer.detail) == NO_BROKERAGE
    operator.run(lambda store: disable_brokerage(store, other.id, ORIGIN))
    answer = asked(server, admin, brokerage_id=number_of(operator, other))
    assert (answer.status, answer.detail) == NO_BROKERAGE


def test_who_has_no_brokerage_has_no_list(server: Server, operator: Operator, tenant: Tenant) -> None:
    for role in ("agent", "broker", "brokerage_owner"):
        answer = asked(server, operator.staff(ids.PLATFORM, role), brokerage_id=number_of(operator, tenant))
        assert (answer.status, answer.detail) == (400, "No brokerage context — cannot list leads")


def test_a_list_that_is_known_already_is_not_sent_again(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    broker, ana = operator.staff(tenant.id, "broker"), operator.staff(tenant.id, "agent")
    admin = operator.staff(ids.PLATFORM, "platform_admin")
    number = number_of(operator, tenant)
    path = f"{PATH}/{entered(server, broker)['id']}"
    asks: tuple[tuple[Staff, dict[str, Any]], ...] = (
        (broker, {}),
        (broker, {"page_size": 1}),
        (broker, {"q": "jane"}),
        (ana, {}),
        (admin, {"brokerage_id": number}),
    )

    etags = [asked(server, who, **query).etag for who, query in asks]
    assert len({*etags}) == len(etags)
    for (who, query), etag in zip(asks, etags, strict=True):
        same = asked(proxied, who, {"If-None-Match": etag}, **query)
        assert (same.status, same.body, same.etag) == (304, b"", etag)
    server.ask("PATCH", path, {"notes": "changed"}, broker.bearer)
    for (who, query), etag in zip(asks, etags, strict=True):
        assert asked(proxied, who, {"If-None-Match": etag}, **query).status == 200


def test_a_platform_admin_sees_the_leads_of_all_live_brokerages(server_url: str, template: str) -> None:
    """On a database of its own: no other test enters leads, and what is counted is known."""
    with fresh_database(server_url, template) as url, served(url) as server, Operator.opened(url) as operator:
        admin = operator.staff(ids.PLATFORM, "platform_admin")
        tenants = [operator.brokerage() for _ in range(3)]
        brokers = [operator.staff(tenant.id, "broker") for tenant in tenants]
        ana = operator.staff(tenants[1].id, "agent")
        entered(server, brokers[0])
        entered(server, brokers[1], assigned_agent_id=ana.number)
        entered(server, brokers[2], first_name="Max")
        entered(server, brokers[0], status="lost")

        whole = asked(server, admin)

        numbers = [number_of(operator, tenant) for tenant in tenants]
        assert [lead["brokerage_id"] for lead in whole.json["items"]] == [numbers[n] for n in (0, 2, 1, 0)]
        assert whole.json["items"][2]["assigned_agent_id"] == ana.number
        for lead in whole.json["items"]:
            assert server.ask("GET", f"{PATH}/{lead['id']}", headers=admin.bearer).json == lead
        found = [lead["id"] for lead in whole.json["items"]]
        assert listed(server, operator.staff(tenants[0].id, "platform_admin")) == found
        assert listed(server, admin, assigned_agent_id=ana.number) == [found[2]]
        assert listed(server, admin, q="max") == [found[1]]
        second = asked(server, admin, page=2, page_size=3).json
        assert ([lead["id"] for lead in second["items"]], second["total"]) == ([found[3]], 4)

        def known() -> Answer:
            return asked(server, admin, {"If-None-Match": asked_before.etag})

        asked_before = asked(server, admin)
        assert known().status == 304
        operator.run(lambda store: disable_brokerage(store, tenants[2].id, ORIGIN))
        assert (known().status, listed(server, admin)) == (200, [found[0], found[2], found[3]])
        asked_before = asked(server, admin)
        operator.run(lambda store: enable_brokerage(store, tenants[2].id, ORIGIN))
        assert (known().status, listed(server, admin)) == (200, found)
        asked_before = asked(server, admin)
        path = f"{PATH}/{found[1]}"
        assert server.ask("PATCH", path, {"status": "lost"}, brokers[2].bearer).status == 200
        assert known().json["items"][1]["status"] == "lost"


def test_the_list_is_json_whatever_is_written(server: Server, operator: Operator, tenant: Tenant) -> None:
    broker = operator.staff(tenant.id, "broker")
    text = '"],[\\"}{\n\r\t\u2028\x7f\U0001f3e1 </script> %s {} ,'

    lead = entered(server, broker, message=text, first_name=text, notes=text)

    assert asked(server, broker).json["items"] == [lead]
    assert (lead["message"], lead["first_name"], lead["notes"]) == (text, one_line(text), text)
    assert server.ask("GET", f"{PATH}?q={quote(one_line(text))}", headers=broker.bearer).json["items"] == [lead]
