"""The owner sees what a user did between two moments, and what of it would go back, and then undoes it."""

from urllib.parse import urlencode

from aureum.domain.ids import to_wire
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, page
from tests.http.panel.reading import Form, Reading
from tests.http.serving import Server

HERE = "/admin/settings/undo"


def form_of(reading: Reading, method: str) -> Form:
    (found,) = [one for one in reading.forms if (one.action, one.method) == (HERE, method)]
    return found


def test_the_owner_sees_what_would_go_back_and_undoes_it(
    server: Server, owner: Reader, operator: Operator, tenant: Tenant
) -> None:
    ann = operator.staff(tenant.id, "broker", "Ann <b>")
    lead, other = (server.lead(tenant, name=f"{name} Doe", email=f"{name}@example.com") for name in ("Jane", "Otto"))
    for one in (lead, other):
        assert server.ask("PATCH", f"/api/leads/{one['id']}", {"status": "lost"}, ann.bearer).status == 200
    assert server.by_key(tenant, "PATCH", f"/api/leads/{other['id']}", {"status": "offer"}).status == 200

    assert HERE in owner.read("/admin/users").links
    link = f"{HERE}?user={ann.number}"
    assert link in owner.read(f"/admin/users/{ann.number}").links
    key = f"{HERE}?key={to_wire(tenant.key_id)}"
    assert key in owner.read("/admin/settings/api-keys").links
    assert form_of(owner.read(key), "get")["of"] == f"key-{to_wire(tenant.key_id)}"
    broker = as_staff(server, operator.staff(tenant.id, "broker"))
    assert broker.get(HERE).status == 403

    asking = form_of(owner.read(link), "get")
    assert asking["of"] == f"user-{ann.number}"
    before = operator.head(tenant)
    nothing = owner.read(f"{HERE}?{urlencode(asking.filled(to='2020-01-01T00:00'))}")
    assert [one.method for one in nothing.forms if one.action == HERE] == ["get"]
    rehearsed = owner.read(f"{HERE}?{urlencode(asking.fields)}")
    said = rehearsed.said("td")
    assert operator.head(tenant) == before
    assert said == [
        *("Jane Doe lead", "status", "nothing", ""),
        *("Otto Doe lead", "nothing", "status", "It has changed since."),
    ]
    assert f"/admin/leads/{lead['id']}" in rehearsed.links
    wrong = page(owner.get(f"{HERE}?of=user-{ann.number}&from=noon&to="), 400)
    assert "from" in wrong.problem

    undoing = form_of(rehearsed, "post")
    for _ in range(2):
        # Sent twice by an impatient browser, it is done once, and the answer is the same.
        done = page(owner.send(undoing.action, undoing.fields), 200)
        assert done.said("p", role="status") == ["Undone: changes of 1 record."]
    assert {one["id"]: one["status"] for one in server.leads(tenant)} == {lead["id"]: "new", other["id"]: "offer"}
    again = owner.read(f"{HERE}?{urlencode(asking.fields)}")
    assert [one.method for one in again.forms if one.action == HERE] == ["get"]
    assert "Jane Doe lead" not in again.said("td")
