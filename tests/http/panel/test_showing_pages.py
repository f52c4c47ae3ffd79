"""The calendar of showings and a showing's page: what they show, and what their forms do."""

from typing import Any

import pytest

from tests.http.api.tours.test_showings import entered
from tests.http.api.tours.tour_requests import listed_property
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page
from tests.http.serving import Server

WEEK = "week=2027-W03"


def step(owner: Reader, showing: dict[str, Any], do: str, back: str = WEEK, **typed: str) -> Any:
    """What the form of a showing in the calendar leads to."""
    found = owner.read(f"/admin/showings?{back}")
    form = found.form(f"/admin/showings/{showing['id']}/step")
    return owner.send(form.action, [*form.filled(**typed), ("do", do)])


def now(server: Server, tenant: Tenant, showing: dict[str, Any]) -> Any:
    return server.by_key(tenant, "GET", f"/api/showings/{showing['id']}").json


def test_a_week_has_its_showings_at_their_hours(owner: Reader, server: Server, tenant: Tenant) -> None:
    house = listed_property(server, tenant, timeZone="America/New_York")
    entered(server, tenant, name="Jane <b>Doe</b>", startsAt="2027-01-18T09:30", status="confirmed")
    entered(server, tenant, name="East", startsAt="2027-01-18T12:15", propertyId=house, phone="+1 208-555-0123 x4")
    entered(server, tenant, name="Will Wait", preferredTime="in the morning")
    entered(server, tenant, name="Next Week", startsAt="2027-01-25T00:00")

    body = owner.get(f"/admin/showings?{WEEK}").body.decode()

    assert "Jane &lt;b&gt;Doe&lt;/b&gt;" in body and "Next Week" not in body
    # On the clock of the brokerage, two hours behind that of the property.
    assert "10:15" in body[body.index('data-start="2027-01-18T10:00"') : body.index('data-start="2027-01-18T11:00"')]
    assert 'href="tel:+12085550123"' in body and "in the morning" in body[: body.index('id="calendar"')]
    assert "Next Week" in owner.get("/admin/showings?day=2027-01-25").body.decode()


def test_the_steps_of_a_showing_on_the_spot(owner: Reader, server: Server, tenant: Tenant) -> None:
    showing = entered(server, tenant, name="Will Wait")

    answer = step(owner, showing, "schedule", startsAt="2027-01-19T14:15")
    assert led_to(answer).startswith(f"/admin/showings?{WEEK}&done=schedule&undo=showings/{showing['id']}/")
    assert "The showing was confirmed." in owner.follow(answer).said("p")
    first = now(server, tenant, showing)
    assert (first["status"], first["startsAt"]) == ("confirmed", "2027-01-19T21:15:00.000Z")

    step(owner, showing, "move", startsAt="2027-01-20T08:00")
    assert now(server, tenant, showing)["startsAt"] == "2027-01-20T15:00:00.000Z"
    missed = step(owner, showing, "no_show")
    assert led_to(missed).startswith(f"/admin/showings?{WEEK}&done=no_show&undo=")
    over = now(server, tenant, showing)
    assert (over["status"], over["noShow"]) == ("cancelled", True)
    history = owner.read(f"/admin/showings/{showing['id']}")
    assert any("The visitor did not come" in text for text in history.said("b"))
    # The calendar of that week offers to undo it, and leads back there.
    undo = owner.follow(missed).form("/admin/undo")
    undone = owner.send(undo.action, undo.filled())
    assert led_to(undone) == f"/admin/showings?{WEEK}&done=undone"
    assert "The change was undone." in owner.follow(undone).said("p")
    again = now(server, tenant, showing)
    assert again["status"] == "confirmed" and "noShow" not in again


def test_a_form_that_comes_too_late_keeps_what_was_typed(owner: Reader, server: Server, tenant: Tenant) -> None:
    showing = entered(server, tenant, startsAt="2027-01-18T09:30")
    form = owner.read(f"/admin/showings?{WEEK}").form(f"/admin/showings/{showing['id']}/step")
    server.by_key(tenant, "PATCH", f"/api/showings/{showing['id']}", {"startsAt": "2027-01-18T12:00"})

    answer = owner.send(form.action, [*form.filled(startsAt="2027-01-20T11:00"), ("do", "move")])

    again = page(answer, 400)
    assert again.problem and "changed after you opened it" in again.problem
    assert again.form(f"/admin/showings/{showing['id']}")["startsAt"] == "2027-01-20T11:00:00"
    assert now(server, tenant, showing)["startsAt"] == "2027-01-18T19:00:00.000Z"
    for do, start in (("nonsense", ""), ("move", "soon"), ("move", "2027-03-14T02:30")):
        sent = owner.send(form.action, [*form.filled(startsAt=start), ("do", do)])
        assert sent.status in (303, 400)


@pytest.mark.parametrize("back", ["//evil.example.com", "week=2027-W03#x", "a b", "x" * 300])
def test_a_form_leads_back_to_the_calendar_only(owner: Reader, server: Server, tenant: Tenant, back: str) -> None:
    showing = entered(server, tenant)

    answer = owner.send(f"/admin/showings/{showing['id']}/step", {"do": "confirmed", "etag": "*", "back": back})

    assert led_to(answer).startswith("/admin/showings?done=confirmed&undo=")


def test_a_showings_page_names_who_and_where(owner: Reader, server: Server, tenant: Tenant, operator: Operator) -> None:
    house = listed_property(server, tenant)
    showing = entered(server, tenant, startsAt="2027-01-18T09:30", propertyId=house)
    path = f"/admin/showings/{showing['id']}"

    shown = owner.read(path)

    assert {f"/admin/properties/{house}", f"{path}/calendar.ics"} <= set(shown.links)
    send = next(form for form in shown.forms if form.action == f"{path}/step" and "startsAt" not in form.names)
    sent = owner.follow(owner.send(send.action, [*send.filled(), ("do", "send")]))
    assert "The calendar file is on its way to the visitor." in sent.said("p")
    assert any("Sent the visitor the calendar file" in text for text in sent.said("b"))
    file = owner.get(f"{path}/calendar.ics")
    assert file.status == 200 and b"DTSTART;TZID=America/Boise:20270118T093000" in file.body
    agent = as_staff(server, operator.staff(tenant.id, "agent", "Ana"))
    assert agent.get(path).status == 404 and agent.get(f"{path}/calendar.ics").status == 404
