"""A user's calendar feed: only when and where by itself, dead as soon as it should be, and in no log."""

from typing import Any

from icalendar import Calendar

from aureum.http.api.tours.calendar_feed import LIMIT, NO_FEED
from tests.http.api.tours.test_showings import entered
from tests.http.api.tours.tour_requests import listed_property
from tests.http.operator import Operator, Staff, Tenant
from tests.http.panel.reader import as_staff, page
from tests.http.serving import Answer, Server

OWN = "/api/me/calendar-feed"
EVENTS = """
SELECT type FROM events WHERE tenant_id = %(tenant)s AND starts_with(type, 'calendar_feed.') ORDER BY position
"""
DISABLE = "UPDATE users SET disabled = %(to)s WHERE tenant_id = %(tenant)s AND number = %(number)s RETURNING 1"


def opened(server: Server, who: Staff, **body: Any) -> str:
    """The path of a new feed."""
    answer = server.ask("POST", OWN, body, who.bearer)
    assert answer.status == 201, answer.body
    path: str = answer.json["path"]
    return path


def read(server: Server, path: str, host: str = "127.0.0.1", **headers: str) -> Answer:
    return server.ask("GET", path, headers=headers, host=host)


def events(answer: Answer) -> list[Any]:
    """What a calendar takes in."""
    assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8"), answer.body
    return list(Calendar.from_ical(answer.body).walk("VEVENT"))


def test_a_feed_shows_when_and_where_and_nothing_else(server: Server, tenant: Tenant, operator: Operator) -> None:
    ana, abe = (operator.staff(tenant.id, "agent", name) for name in ("Ana", "Abe"))
    house = listed_property(server, tenant)
    start = {"startsAt": "2026-12-15T10:00:00", "email": "jane@example.com", "phone": "208-555-0123"}
    mine = entered(server, tenant, **start, propertyId=house, assignedToId=ana.id, message="Both of us")
    entered(server, tenant, **start, name="Of Abe", assignedToId=abe.id)
    entered(server, tenant, **start, status="cancelled", assignedToId=ana.id)
    entered(server, tenant, name="No time", assignedToId=ana.id)
    path = opened(server, ana)

    answer = read(server, path)
    (event,) = events(answer)

    assert str(event["LOCATION"]) == "123 Palm Dr, Beverly Hills"
    assert (str(event["SUMMARY"]), event["DTSTART"].dt.isoformat()) == ("Showing", "2026-12-15T17:00:00+00:00")
    assert not any(word in answer.body for word in (b"Jane", b"jane@", b"208", b"Both of us", ana.email.encode()))
    assert (len(path), path[:10], path[-4:]) == (36, "/calendar/", ".ics")
    known = {"If-None-Match": answer.etag or ""}
    assert read(server, path, **known).status == 304
    assert read(server, path, tenant.domain).body == answer.body
    file = server.by_key(tenant, "GET", f"/api/showings/{mine['id']}.ics")
    assert str(event["UID"]).encode() in file.body, "a calendar that has the file already knows it"
    server.by_key(tenant, "PATCH", f"/api/showings/{mine['id']}", {"startsAt": "2026-12-16T10:00:00"})
    (moved,) = events(read(server, path, **known))
    assert (moved["DTSTART"].dt.day, moved["SEQUENCE"]) == (16, 1)

    (event,) = events(read(server, opened(server, ana, details=True)))
    assert str(event["SUMMARY"]) == "Showing: Jane Doe"
    assert str(event["DESCRIPTION"]) == "208-555-0123\njane@example.com"


def test_an_address_dies_with_the_next_one_with_its_user_and_when_it_is_revoked(
    server: Server, tenant: Tenant, operator: Operator
) -> None:
    ana = operator.staff(tenant.id, "agent", "Ana")
    assert server.ask("GET", OWN, headers=ana.bearer).json == {"active": False, "details": False, "createdAt": None}
    first = opened(server, ana)
    second = opened(server, ana)
    assert [read(server, path).status for path in (first, second)] == [404, 200]
    kept = server.ask("GET", OWN, headers=ana.bearer).json
    assert kept["active"] and "path" not in kept
    for disabled, status in ((True, 404), (False, 200)):
        assert operator.rows(DISABLE, tenant=tenant.id, number=ana.number, to=disabled)
        assert read(server, second).status == status
    other = operator.brokerage()
    foreign = read(server, second, other.domain)
    assert (foreign.status, foreign.error) == (404, NO_FEED)
    for _ in range(2):
        assert server.ask("DELETE", OWN, headers=ana.bearer).status == 204
    assert read(server, second).status == 404
    opened(server, ana)
    told = [kind for (kind,) in operator.rows(EVENTS, tenant=tenant.id)]
    assert told == ["calendar_feed." + what for what in ("opened", "renewed", "revoked", "renewed")]


def test_an_address_stands_in_no_log_nor_in_the_database(server: Server, tenant: Tenant, operator: Operator) -> None:
    path = opened(server, operator.staff(tenant.id, "agent", "Ana"))
    token = path.removeprefix("/calendar/").removesuffix(".ics")
    for asked in (path, f"{path}?x=1", path.removesuffix(".ics"), f"{path}/more", path.upper()):
        read(server, asked)
    read(server, path, "nowhere.example.com")

    assert token not in server.log.read_text()
    assert '"route":"/calendar/{id}.ics"' in server.log.read_text().replace(" ", "")
    metrics = server.ask("GET", "/metrics").body.decode()
    assert token not in metrics and "/calendar/{id}.ics" in metrics
    ((found,),) = operator.rows("SELECT count(*) FROM events WHERE position(%(of)s in data::text) > 0", of=token)
    assert found == 0


def test_reads_are_limited(server: Server, tenant: Tenant, operator: Operator) -> None:
    path = opened(server, operator.staff(tenant.id, "agent", "Ana"))

    statuses = [read(server, path).status for _ in range(LIMIT + 2)]

    assert statuses[:LIMIT] == [200] * LIMIT and statuses[-1] == 429


def test_the_page_shows_the_address_once(server: Server, tenant: Tenant, operator: Operator) -> None:
    ana = as_staff(server, operator.staff(tenant.id, "agent", "Ana"))
    form = ana.read("/admin/showings/feed").form("/admin/showings/feed")

    made = page(ana.send(form.action, form.filled()), 200)

    (secret,) = made.said("code")
    path = secret[secret.index("/calendar/") :]
    assert events(read(server, path)) == []
    assert ana.read("/admin/showings/feed").said("code") == []
    answer = ana.send("/admin/showings/feed/revoke")
    assert "The address was revoked." in " ".join(ana.follow(answer).said("p"))
    assert read(server, path).status == 404
