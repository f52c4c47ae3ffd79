"""The form for a new lead: who may be the same person is shown first, and a platform admin chooses the brokerage."""

from datetime import timedelta

from aureum.domain import ids
from aureum.domain.ids import PLATFORM
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page
from tests.http.serving import Server

NEW = "/admin/leads/new"
TYPED = {
    "first_name": "Jane",
    "last_name": "Doe",
    "email": "jane@example.com",
    "phone": "208-555-0123",
    "subject": "Walk-in: interested in downtown condos",
    "message": "Came into the office.",
    "notes": "Followed up by phone same day.",
    "status": "contacted",
}


def test_people_who_may_be_the_same_are_shown_first(
    server: Server, tenant: Tenant, operator: Operator, owner: Reader
) -> None:
    contact = {"firstName": "Jane", "lastName": "Doe", "email": "JANE@example.com"}
    known = server.by_key(tenant, "POST", "/api/contacts", contact).json["id"]
    # Older than a minute: what is younger may be the same form sent twice.
    earlier = ids.now() - timedelta(minutes=5)
    lead_id = ids.new_id(earlier)
    operator.fill(tenant, 1, at=earlier, lead_id=lead_id)
    before = operator.head(tenant)

    form = owner.read(NEW).form(NEW)
    shown = page(owner.send(NEW, form.filled(**TYPED)), 200)

    assert shown.said("p", role="status")[0].startswith("These people may be the same person.")
    assert {f"/admin/contacts/{known}", f"/admin/leads/{ids.to_wire(lead_id)}"} <= set(shown.links)
    assert operator.head(tenant) == before
    again = shown.form(NEW)
    assert {name: again[name] for name in TYPED} == TYPED
    made = led_to(owner.send(NEW, again.fields)).removesuffix("?done=created").rpartition("/")[2]
    lead = server.by_key(tenant, "GET", f"/api/leads/{made}").json
    assert (lead["name"], lead["subject"], lead["source"], lead["status"]) == (
        "Jane Doe", TYPED["subject"], "manual", "contacted"
    )  # fmt: skip


def test_a_platform_admin_chooses_the_brokerage_and_then_its_agent(server: Server, operator: Operator) -> None:
    here, there = operator.brokerage(), operator.brokerage()
    agent = operator.staff(there.id, "agent", "Andy Away")
    operator.staff(here.id, "agent", "Hanna Here")
    # At a host that is no brokerage's.
    admin = as_staff(server, operator.staff(PLATFORM, "platform_admin", "Ada"))
    numbers = {
        slug: str(number) for slug, number in operator.rows("SELECT slug, number FROM brokerages WHERE NOT disabled")
    }
    form = admin.read(NEW).form(NEW)
    chosen = [*form.filled(**TYPED, brokerage_id=numbers[there.slug]), ("again", "yes")]
    shown = page(admin.send(NEW, chosen), 200)
    assert "Andy Away" in shown.said("option") and "Hanna Here" not in shown.said("option")
    again = shown.form(NEW)
    assert {name: again[name] for name in TYPED} == TYPED and again["brokerage_id"] == numbers[there.slug]
    led_to(admin.send(NEW, again.filled(assigned_agent_id=agent.id)))
    (lead,) = server.by_key(there, "GET", "/api/leads").json
    assert (lead["assignedToId"], lead["subject"]) == (agent.id, TYPED["subject"])
    assert server.by_key(here, "GET", "/api/leads").json == []
