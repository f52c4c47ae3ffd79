"""The pond in the panel: agents see what waits, and claim it with a button; the first one has it."""

from typing import Any

import pytest

from aureum.domain.ids import PLATFORM
from tests.http.api.routing.sending import change, put, sent
from tests.http.operator import Operator, Staff, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page, refused
from tests.http.panel.reading import Form
from tests.http.serving import Server

HERE = "/admin/pond"
POND = "/api/v1/admin/pond"


@pytest.fixture
def boss(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")


def claims(reader: Reader) -> list[Form]:
    return [form for form in reader.read(HERE).forms if form.action.startswith(HERE)]


def waiting(server: Server, who: Staff) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = server.ask("GET", POND, headers=who.bearer).json["items"]
    return items


def test_the_first_agent_who_claims_a_lead_has_it(
    server: Server, operator: Operator, tenant: Tenant, boss: Staff
) -> None:
    ana, ben = (operator.staff(tenant.id, "agent", name) for name in ("Ana Agent", "Ben Agent"))
    put(server, boss, mode="primary_only", fallback="pond")
    number = sent(server, tenant, firstName="Zoë", lastName="<b>", subject="A & B")
    other = sent(server, tenant)
    first, second = as_staff(server, ana), as_staff(server, ben)
    assert "2 leads wait for an agent to claim them." in str(first.read("/admin").said("p"))
    assert HERE in first.read("/admin").links
    reading = first.read(HERE)
    assert "Zoë <b>" in str(reading.said("td")) and "Subject" in str(reading.said("th"))
    assert [form.action for form in claims(first)] == [f"{HERE}/{other}/claim", f"{HERE}/{number}/claim"]
    mine, theirs = claims(first)[1], claims(second)[1]

    lead = first.follow(first.send(mine.action, mine.fields))

    assert lead.said("h1") == ["Zoë <b>"]
    assert lead.said("p", role="status") == ["You claimed this lead. It is assigned to you."]
    # Twice is once; another agent learns what has happened, and what still waits.
    assert led_to(first.send(mine.action, mine.fields)).startswith("/admin/leads/")
    late = page(second.send(theirs.action, theirs.fields), 400)
    assert late.said("p", role="alert") == ["Another agent has this lead already."]
    assert [form.action for form in late.forms if form.action.startswith(HERE)] == [f"{HERE}/{other}/claim"]
    assert "1 lead waits for an agent to claim it." in str(second.read("/admin").said("p"))
    # An owner may claim as well.
    owner = as_staff(server, boss)
    (form,) = claims(owner)
    owner.follow(owner.send(form.action, form.fields))
    assert waiting(server, boss) == []
    assert "No leads are waiting." in str(owner.read(HERE).said("p"))
    assert "No leads are waiting in the pond." in str(owner.read("/admin").said("p"))
    assert refused(second.send(f"{HERE}/{10**12}/claim", form.fields), 404) == "There is no such lead."


def test_a_group_is_offered_a_lead_first(server: Server, operator: Operator, tenant: Tenant, boss: Staff) -> None:
    ana, ben = (operator.staff(tenant.id, "agent", name) for name in ("Ana Agent", "Ben Agent"))
    rules = [{"to": {"group": "sellers"}, "claim_minutes": 15}]
    put(server, boss, mode="subject_based", rules=rules, groups={"sellers": [ana.number]})
    number = sent(server, tenant)
    (offered,) = waiting(server, ben)
    offer = offered["offer"]
    assert (offer["group"], offer["agents"], offered["id"]) == ("sellers", [ana.number], number)
    assert offer["until"] > offered["created_at"]
    # An agent outside of the group sees it without a button.
    outside, inside = as_staff(server, ben), as_staff(server, ana)
    assert "sellers, until" in str(outside.read(HERE).said("td")) and claims(outside) == []
    refusal = page(outside.send(f"{HERE}/{number}/claim", [("once", "o")]), 400).said("p", role="alert")
    assert refusal[0].startswith("The agents of the group sellers may claim this lead first, until")
    (form,) = claims(inside)
    inside.follow(inside.send(form.action, form.fields))
    assert claims(inside) == []
    # Everyone may claim what everyone is offered.
    put(server, boss, mode="subject_based", rules=[{"to": {"group": "everyone"}, "claim_minutes": 15}])
    sent(server, tenant)
    assert len(claims(outside)) == len(claims(inside)) == 1


def test_a_lead_of_the_pond_is_offered_to_everyone(
    server: Server, tenant: Tenant, operator: Operator, boss: Staff
) -> None:
    ana = operator.staff(tenant.id, "agent", "Ana Agent")
    put(server, boss, mode="primary_only", fallback="pond")
    numbers = [sent(server, tenant) for _ in range(21)]
    assert {one["offer"] for one in waiting(server, ana)} == {None}
    reader = as_staff(server, ana)
    assert len(claims(reader)) == 20
    (older,) = [link for link in reader.read(HERE).links if "page=" in link]
    assert [form.action for form in reader.read(older).forms if form.action.startswith(HERE)] == [
        f"{HERE}/{numbers[0]}/claim"
    ]
    # An agent who could get no lead finds no button, and why.
    away = {"takes_leads": True, "away_from": "2020-01-01"}
    for profile, why in (({"takes_leads": False}, "take none"), (away, "away")):
        change(server, boss, ana, **profile)
        assert claims(reader) == [] and why in str(reader.read(HERE).said("p"))
        assert why in page(reader.send(f"{HERE}/{numbers[0]}/claim", [("once", why)]), 400).said("p", role="alert")[0]


def test_a_platform_admin_sees_the_pond_and_claims_nothing(
    server: Server, operator: Operator, tenant: Tenant, boss: Staff
) -> None:
    sent(server, tenant)
    admin = as_staff(server, operator.staff(PLATFORM, "platform_admin"), tenant.domain)
    assert "John Smith" in str(admin.read(HERE).said("td")) and claims(admin) == []
    nowhere = as_staff(server, operator.staff(PLATFORM, "platform_admin"))
    assert refused(nowhere.get(HERE), 400) == "Choose a brokerage at the top of the page first."
