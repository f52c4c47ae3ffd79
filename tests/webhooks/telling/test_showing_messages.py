"""What endpoints are told of a tour: it is a showing to them, however it was requested and whatever changed."""

from datetime import datetime, timedelta

import orjson

from aureum.domain import ids
from tests.domain.test_tour import ANA, AT, FIXED, new_tour
from tests.webhooks.telling.test_messages import Log

LATER: datetime = AT + timedelta(hours=1)


def test_a_tour_that_was_requested_is_a_showing_created() -> None:
    tour = new_tour()

    (message,) = Log(7).append(tour.collect_events()).messages(tour.id)

    assert (message.position, message.event) == (7, "showing.created")
    body = orjson.loads(message.body)
    assert list(body) == ["event", "timestamp", "data", "id", "sequence"]
    assert body["data"]["id"] == ids.to_wire(tour.id)
    assert (body["data"]["listingId"], body["data"]["status"]) == ("202412345", "pending")


def test_one_save_of_everything_is_one_update_with_all_that_changed() -> None:
    tour = new_tour()
    log = Log().append(tour.collect_events())
    tour.change_details({"email": "j.doe@example.com"}, LATER)
    tour.assign(ANA, LATER)
    tour.reschedule(FIXED | {"preferred_time": None}, LATER)
    tour.change_status("confirmed", LATER)

    _, message = log.append(tour.collect_events()).messages(tour.id)

    assert (message.position, message.event) == (5, "showing.updated")
    assert orjson.loads(message.body)["changes"] == {
        "email": {"from": "jane@example.com", "to": "j.doe@example.com"},
        "preferredTime": {"from": "10:00 AM", "to": None},
        "startsAt": {"from": None, "to": "2025-03-09T16:00:00.000Z"},
        "timeZone": {"from": None, "to": "America/Boise"},
        "assignedToId": {"from": None, "to": ids.to_wire(ANA)},
        "status": {"from": "pending", "to": "confirmed"},
    }


def test_each_kind_of_change_alone_is_an_update() -> None:
    tour = new_tour()
    log = Log().append(tour.collect_events())
    tour.change_details({"name": "Jane Roe"}, LATER)
    log.append(tour.collect_events())
    tour.assign(ANA, LATER)
    log.append(tour.collect_events())
    tour.reschedule(FIXED, LATER)
    log.append(tour.collect_events())
    tour.change_status("cancelled", LATER)
    log.append(tour.collect_events())

    _, *updates = log.messages(tour.id)

    assert [message.event for message in updates] == ["showing.updated"] * 4
    changes = [list(orjson.loads(message.body)["changes"]) for message in updates]
    assert changes == [["name"], ["assignedToId"], ["startsAt", "timeZone"], ["status"]]
