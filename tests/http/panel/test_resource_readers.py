"""Who reads and changes which resources: agents what is theirs, platform admins at a brokerage's address, any plan."""

import pytest

from aureum.domain.ids import PLATFORM
from aureum.http.panel.acting import CHOOSE
from tests.http.api.tours.tour_requests import HOUSE
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page, refused
from tests.http.panel.resources import RESOURCES, entered, events, own_form, reader_of, saved, without_undo
from tests.http.panel.test_resource_values import made, shown
from tests.http.serving import JANE, Server

NAMED = {"leads": "firstName", "tasks": "title", "showings": "name"}
WORK = {"leads": JANE, "tasks": {"title": "Call"}, "showings": JANE}
"""The lists in which agents see only their own."""


@pytest.mark.parametrize("kind", WORK)
def test_an_agent_has_what_is_his_or_hers(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader, kind: str
) -> None:
    staff = operator.staff(tenant.id, "agent", "Ana Agent")
    agent, path = as_staff(server, staff), f"/admin/{kind}"
    nobodys = made(server, tenant, kind, **WORK[kind])
    given = made(server, tenant, kind, **WORK[kind], assignedToId=staff.id)
    (resource,) = [one for one in RESOURCES if one.path == path]
    agents_field = "assigned_agent_id" if kind == "leads" else "assignedToId"
    entered_by_her = entered(agent, resource, **{agents_field: ""})

    links = agent.read(path).links

    assert {given, entered_by_her} <= set(links) and nobodys not in links
    saved(agent, given, **{"status": own_form(agent, given)["status"], NAMED[kind]: "Ana's"})
    saved(agent, entered_by_her)
    head = operator.head(tenant)
    for action in ("", *(f"/{action.name}" for action in resource.actions)):
        assert "no such" in refused(agent.send(nobodys + action, own_form(owner, nobodys).fields), 404)
    assert "no such" in refused(agent.get(nobodys), 404) and operator.head(tenant) == head
    # What she gives away is not hers any more; that it was done is not an error.
    answer = agent.send(given, own_form(agent, given).filled(assignedToId=""))
    assert without_undo(led_to(answer)) == f"{path}?done=changed"
    assert agent.follow(answer).said("p", role="status") == [f"The {resource.one} was saved."]
    assert shown(server, tenant, given)["assignedToId"] is None and given not in agent.read(path).links


def test_on_every_plan(server: Server, operator: Operator) -> None:
    starter = operator.brokerage("Starter")
    staff = operator.staff(starter.id, "brokerage_owner")
    owner = as_staff(server, staff)
    for resource in RESOURCES:
        reader = reader_of(resource, server, operator, starter)
        path = entered(reader, resource)
        assert path in reader.read(f"{resource.path}?view=list").links and saved(reader, path).said("p", role="status")
    lead = next(link for link in owner.read("/admin/leads").links if link.startswith("/admin/leads/c"))
    assert led_to(owner.send(f"{lead}/convert", {"anyway": "yes"})) == f"{lead}?done=convert"
    for path in ("/admin", "/admin/settings", "/admin/settings/api-keys"):
        assert owner.read(path).said("h1")
    saved(owner, "/admin/settings", name="Snake River")
    assert "Elite plan" in refused(owner.get("/admin/webhooks"), 403)
    # The mark that lets pages pass is none that a client could send.
    for headers in ({}, {"aureum.panel": "true", "aureum-panel": "True"}):
        for answer in (
            server.ask("GET", "/api/leads", headers=staff.bearer | headers),
            owner.ask("GET", "/api/leads", headers=headers),
        ):
            assert answer.status == 403 and answer.json["requiredPlan"] == "Grow"


@pytest.mark.parametrize("plan", ["Starter", "Elite"])
def test_a_platform_admin_at_a_brokerages_address(server: Server, operator: Operator, plan: str) -> None:
    tenant = operator.brokerage(plan)
    admin = as_staff(server, operator.staff(PLATFORM, "platform_admin", "Ada"), tenant.domain)
    elsewhere = as_staff(server, operator.staff(PLATFORM, "platform_admin", "Ada"))
    colleague = as_staff(server, operator.staff(tenant.id, "broker"))
    for resource in RESOURCES:
        path = entered(admin, resource)
        assert path in admin.read(f"{resource.path}?view=list").links
        saved(admin, path, **{resource.change[0].name: own_form(admin, path)[resource.change[0].name]})
        if resource.path not in ("/admin/users", "/admin/brokerages"):
            assert colleague.read(path).said("h1")
            assert refused(elsewhere.get(path), 400) == CHOOSE
            # The form for a lead has the choice itself.
            new = elsewhere.get(f"{resource.path}/new")
            assert resource.path == "/admin/leads" or refused(new, 400) == CHOOSE
    assert saved(admin, "/admin/settings", name="Another").said("strong") == ["Another"]
    assert refused(elsewhere.get("/admin/settings"), 400) == CHOOSE
    assert refused(elsewhere.send("/admin/settings", {"name": "X"}), 400) == CHOOSE


def test_a_brokerage_is_disabled(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    admin = as_staff(server, operator.staff(PLATFORM, "platform_admin", "Ada"))
    ((number,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(tenant)s", tenant=tenant.id)
    path = f"/admin/brokerages/{number}"
    saved(admin, path, disabled="yes", domains="")
    assert led_to(owner.get("/admin/leads")).startswith("/admin/login")
    form = own_form(admin, path)
    assert form["disabled"] == "yes" and form["domains"] == ""
    back = admin.send(path, [(name, value) for name, value in form.fields if name != "disabled"])
    assert without_undo(led_to(back)) == f"{path}?done=changed"


def test_settings(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    path = "/admin/settings"
    colleague = as_staff(server, operator.staff(tenant.id, "brokerage_owner"))
    lead = made(server, tenant, "leads", **JANE)
    mine, before = own_form(owner, path), events(operator)
    assert (mine["time_zone"], mine["country"]) == ("America/Boise", "US")
    assert "Elite" in str(owner.read("/admin/settings/plan").said("main"))
    assert tenant.domain in str(owner.read("/admin/settings/domains").said("main"))
    assert saved(owner, path).said("p", role="status") == ["The brokerage was saved."]
    assert events(operator) == before

    saved(colleague, path, time_zone="Asia/Kathmandu")

    assert events(operator) == before + 1 and "+0545" in " ".join(owner.read(lead).said("dd"))
    late = page(owner.send(path, mine.filled(name="<b>Late")), 400)
    assert late.problem.startswith("We couldn't save your changes") and late.form(path)["name"] == "<b>Late"
    saved(owner, path, name="Later")
    for field, wrong in (("name", ""), ("country", "XX"), ("time_zone", "Boise")):
        again = page(owner.send(path, own_form(owner, path).filled(**{field: wrong})), 400)
        assert field.replace("_", " ") in again.problem.replace("_", " ") and again.form(path)[field] == wrong
    assert events(operator) == before + 2
    assert owner.read("/admin").said("strong") == ["Later"]


def test_properties_are_everybodys(server: Server, operator: Operator, tenant: Tenant) -> None:
    house = made(server, tenant, "properties", **HOUSE)
    agent = as_staff(server, operator.staff(tenant.id, "agent"))
    assert house in agent.read("/admin/properties").links and saved(agent, house, title="Villa").said("h1") == ["Villa"]
