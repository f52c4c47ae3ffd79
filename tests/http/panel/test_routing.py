"""The routing page: owners change settings, groups and rules a part at a time; brokers read it."""

from typing import Any

from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff
from tests.http.panel.reading import Form
from tests.http.serving import Server

HERE = "/admin/routing"
API = "/api/v1/admin/routing"


def test_an_owner_sets_up_routing(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner, ana = operator.staff(tenant.id, "brokerage_owner"), operator.staff(tenant.id, "agent", "Ana Agent")
    reader = as_staff(server, owner)

    def settings() -> dict[str, Any]:
        found: dict[str, Any] = server.ask("GET", API, headers=owner.bearer).json
        return found

    def forms(action: str) -> list[Form]:
        return [form for form in reader.read(HERE).forms if form.action == f"{HERE}{action}"]

    def said(form: Form, **typed: Any) -> list[str]:
        return reader.follow(reader.send(form.action, form.filled(**typed))).said("p", role="status")

    typed = {"fallback": "pond", "answer_within_minutes": "30", "masked_words": "Bronco, St. Luke's"}
    assert said(forms("")[0], mode="subject_based", **typed) == ["The settings were saved."]
    assert settings()["masked_words"] == ["Bronco", "St. Luke's"]
    assert said(forms("/groups")[-1], name="north", members=[str(ana.number)]) == ["The groups were saved."]
    assert settings()["groups"] == {"north": [ana.number]}

    new = forms("/rules")[-1]
    assert said(new, subject_has="sell, what is it worth", to="group north", claim_minutes="15") == [
        "The rules were saved."
    ]
    new = forms("/rules")[-1]
    said(new, area="Boise", price_from="1,000,000", to=f"agent {ana.number}")
    first, second, last = settings()["rules"]
    assert (first["when"]["subject_has"], first["to"], first["claim_minutes"]) == (
        ["sell", "what is it worth"],
        {"group": "north"},
        15,
    )
    assert (second["when"]["area"], second["when"]["price_from"]) == (["Boise"], 1_000_000)
    assert second["to"] == {"agent": ana.number} and last["when"] is None

    rules = forms("/rules")
    reader.send(rules[1].action, [*rules[1].fields, ("do", "up")])
    assert [rule["to"] for rule in settings()["rules"][:2]] == [{"agent": ana.number}, {"group": "north"}]
    # Untouched, a rule is what it was; a group's new name stands in its rules.
    was = settings()
    rules = forms("/rules")
    reader.send(rules[1].action, [*rules[1].fields, ("do", "save")])
    assert settings() == was
    group = forms("/groups")[0]
    reader.send(group.action, [*group.filled(name="far north"), ("do", "save")])
    assert settings()["rules"][1]["to"] == {"group": "far north"} and list(settings()["groups"]) == ["far north"]

    group = forms("/groups")[0]
    refused = reader.send(group.action, [*group.fields, ("do", "remove")])
    assert refused.status == 400 and b"which groups does not have" in refused.body
    for _ in range(2):
        rules = forms("/rules")
        reader.send(rules[0].action, [*rules[0].fields, ("do", "remove")])
    assert len(settings()["rules"]) == 1
    group = forms("/groups")[0]
    reader.send(group.action, [*group.fields, ("do", "remove")])
    assert settings()["groups"] == {}
    # The last rule cannot be removed, and what another user has changed meanwhile is not overwritten.
    rules = forms("/rules")
    refused = reader.send(rules[0].action, [*rules[0].fields, ("do", "remove")])
    assert refused.status == 400 and b"The last of rules must have no when" in refused.body
    assert server.ask("PUT", API, {}, owner.bearer).status == 200
    stale = reader.send(rules[0].action, [*rules[0].fields, ("do", "save")])
    assert stale.status == 400 and b"save your changes, because this was changed after you opened it" in stale.body


def test_brokers_read_it_and_agents_do_not(server: Server, operator: Operator, tenant: Tenant) -> None:
    broker, agent = (as_staff(server, operator.staff(tenant.id, role)) for role in ("broker", "agent"))
    reading = broker.read(HERE)
    assert reading.said("h1") == ["Routing"] and "Save" not in reading.said("button")
    form = next(form for form in reading.forms if form.action == HERE)
    assert broker.send(form.action, form.fields).status in (400, 403)
    assert agent.get(HERE).status == 403


def test_numbers_that_are_none(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner")
    reader = as_staff(server, owner)
    before = server.ask("GET", API, headers=owner.bearer).json
    for number in ("9" * 400, "x", "-1", "١٢"):
        new_group = [form for form in reader.read(HERE).forms if form.action == f"{HERE}/groups"][-1]
        answer = reader.send(new_group.action, new_group.filled(name="north", members=[number]))
        assert answer.status == 400, number
        new_rule = [form for form in reader.read(HERE).forms if form.action == f"{HERE}/rules"][-1]
        answer = reader.send(new_rule.action, new_rule.filled(subject_has="sell", to=f"agent {number}"))
        assert answer.status == 400, number
    assert server.ask("GET", API, headers=owner.bearer).json == before
