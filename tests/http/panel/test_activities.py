"""The timeline in the panel: logged with one form, corrected and removed on another page; and why a lead is lost."""

import pytest

from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page, refused
from tests.http.panel.resources import own_form, saved
from tests.http.serving import Server

CLASS = {"leads": "entry", "contacts": "activity"}
"""A lead has one timeline of all; a contact has its activities apart from its history."""

CRUEL = "\"'><script>alert(1)</script>&amp;\n second line"


@pytest.mark.parametrize("kind", ["leads", "contacts"])
def test_logged_corrected_and_removed(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader, kind: str
) -> None:
    body = {"firstName": "Jo", "lastName": "Doe", "phone": "208-555-0123"}
    here = f"/admin/{kind}/{server.by_key(tenant, 'POST', f'/api/{kind}', body).json['id']}"
    form = owner.read(here).form(f"{here}/activities")
    typed = form.filled(what="Called: left a message", text=CRUEL, at="2026-01-31T12:00", minutes="2")

    logged = owner.follow(owner.send(form.action, typed))
    assert owner.send(form.action, typed).status == 303, "sent twice it is one"

    assert logged.said("p", role="status") == ["It was logged."]
    (activity,) = server.by_key(tenant, "GET", f"{here.replace('admin', 'api')}/activities").json
    assert {name: activity[name] for name in ("direction", "outcome", "duration", "at")} == {
        "direction": "outbound",
        "outcome": "left_message",
        "duration": 120,
        "at": "2026-01-31T19:00:00.000Z",
    }
    (shown,) = [one for one in logged.said("li", class_=CLASS[kind]) if one.startswith("Called")]
    assert shown.startswith("Called: left a message, 2 min · 31 Jan 2026, 12:00 MST · Olivia Owner · Correct")
    assert "<script>alert(1)</script>&amp;" in shown

    one = f"/admin/activities/{activity['id']}"
    own = owner.read(one).form(one)
    corrected = owner.follow(owner.send(one, own.filled(text="", outcome="answered")))
    assert corrected.said("p", role="status") == ["The correction was saved."]
    told = corrected.said("li", class_=CLASS[kind])
    assert any(one.startswith("Called: answered, 2 min ·") for one in told) or kind == "leads"
    stale = page(owner.send(one, own.filled(text="Old")), 400)
    assert stale.said("p", role="alert") and stale.form(one)["text"] == "Old"
    (button,) = [form for form in owner.read(one).forms if form.action == f"{one}/remove"]
    removed = owner.follow(owner.send(button.action, button.fields))
    assert removed.said("p", role="status") == ["It was removed from the timeline."]
    told = removed.said("li", class_="entry")
    assert told[0].startswith("Removed: Called: answered, 2 min ·") and "Olivia Owner" in told[0]
    assert told[1].startswith("Corrected: Called: answered, 2 min ·")
    assert any(one.startswith("Called: left a message") for one in told) and " · Correct" not in " ".join(told)


def test_what_is_refused_stays_in_the_form(server: Server, tenant: Tenant, owner: Reader) -> None:
    here = f"/admin/leads/{server.lead(tenant)['id']}"
    for typed, said in (
        ({"what": "Note", "text": ""}, "text of a note must not be blank."),
        ({"what": "Visit", "minutes": "5", "text": "Kept"}, "duration is only for calls."),
        ({"what": "They called", "minutes": "5,5", "text": "Kept"}, "duration must be a whole number."),
        ({"what": "Visit", "at": "2999-01-01T00:00", "text": "Kept"}, "at must be between"),
        ({"what": "Dance", "text": "Kept"}, "type must be one of"),
    ):
        again = page(owner.send(f"{here}/activities", typed), 400)
        assert str(again.said("p", role="alert")[0]).startswith(said), again.said("p", role="alert")
        assert again.form(f"{here}/activities")["text"] == typed["text"]
    assert server.by_key(tenant, "GET", f"{here.replace('admin', 'api')}/activities").json == []


def test_an_agent_corrects_the_own(server: Server, operator: Operator, tenant: Tenant) -> None:
    ana = operator.staff(tenant.id, "agent", "Ana Agent")
    lead = server.lead(tenant, assignedToId=ana.id)["id"]
    by_key = server.by_key(tenant, "POST", f"/api/leads/{lead}/activities", {"type": "visit"}).json
    own = server.ask("POST", f"/api/leads/{lead}/activities", {"type": "visit"}, ana.bearer).json
    agent = as_staff(server, ana)

    links = [link for link in agent.read(f"/admin/leads/{lead}").links if "/activities/" in link]

    assert links == [f"/admin/activities/{own['id']}"]
    one = f"/admin/activities/{by_key['id']}"
    assert "Only the user who logged" in refused(agent.send(f"{one}/remove", {"once": "1"}), 403)
    other = as_staff(server, operator.staff(tenant.id, "agent"))
    assert refused(other.get(f"/admin/activities/{own['id']}"), 404) == "There is no such activity."


def test_a_lead_that_is_lost_asks_why(server: Server, tenant: Tenant, owner: Reader) -> None:
    lead = server.lead(tenant)["id"]
    here = f"/admin/leads/{lead}"

    saved(owner, here, status="lost")
    assert "Choose why" in str(owner.read(here).said("p", class_="warning"))
    saved(owner, here, lostReason="price", lostNote="Too dear.")

    assert owner.read(here).said("p", class_="warning") == []
    assert (own_form(owner, here)["lostReason"], own_form(owner, here)["lostNote"]) == ("price", "Too dear.")
    assert "Lost because Price" in str(owner.read(here).said("li", class_="entry"))
    saved(owner, here, status="contacted")
    shown = server.by_key(tenant, "GET", f"/api/leads/{lead}").json
    assert (shown["status"], shown["lostReason"], shown["lostNote"]) == ("contacted", None, None)


def test_the_timeline_has_pages(server: Server, tenant: Tenant, owner: Reader) -> None:
    lead = server.lead(tenant)["id"]
    for number in range(26):
        server.by_key(tenant, "POST", f"/api/leads/{lead}/activities", {"type": "note", "text": f"note {number}"})
    first = owner.read(f"/admin/leads/{lead}")
    assert len(first.said("li", class_="entry")) == 25 and "note 0" not in str(first.said("li", class_="entry"))
    (older,) = [link for link in first.links if "page=2" in link]
    rest = owner.read(older.partition("#")[0]).said("li", class_="entry")
    assert "note 0" in rest[0] and rest[1].startswith("New lead") and len(rest) == 2
    logged = led_to(owner.send(f"/admin/leads/{lead}/activities", {"what": "Visit"}))
    assert logged == f"/admin/leads/{lead}?done=logged&undo=28#timeline"
