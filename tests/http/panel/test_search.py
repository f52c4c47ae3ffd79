"""The page of the search: what was found leads to its page, and commands and pages are found by their names."""

from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff
from tests.http.serving import JANE, Server


def test_what_is_found_leads_to_its_page(server: Server, tenant: Tenant, owner: Reader) -> None:
    lead = server.by_key(tenant, "POST", "/api/leads", JANE).json
    reading = owner.read("/admin/search?q=jane+d")
    assert f"/admin/leads/{lead['id']}" in reading.links and reading.form("/admin/search")["q"] == "jane d"
    assert owner.read(f"/admin/leads/{lead['id']}").said("h1") == [lead["name"]]
    assert "Nothing found for “xyzzy”." in owner.read("/admin/search?q=xyzzy").said("p")
    assert b"<xyzzy" not in owner.get("/admin/search?q=<xyzzy>").body


def test_commands_and_pages(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    agent = as_staff(server, operator.staff(tenant.id, "agent"))
    assert owner.read("/admin/search?q=new+lead").said("a", href="/admin/leads/new") == ["New lead"]
    assert owner.read("/admin/search").said("h2") == ["Commands", "Pages"] == agent.read("/admin/search").said("h2")
    assert "/admin/users/new" in owner.read("/admin/search?q=user").links
    assert "/admin/users/new" not in agent.read("/admin/search?q=user").links
