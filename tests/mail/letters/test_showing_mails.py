"""The calendar file in a mail: to the visitor, with nothing that a stranger typed, as calendar programs take it in."""

from email import message_from_bytes, policy
from typing import Any

from icalendar import Calendar

from aureum.domain.ids import now
from aureum.mail.letters.composing import rendered
from tests.mail.letters.letters import AT, BROKERAGE, MESSAGE_ID, SENDER
from tests.mail.letters.telling import do, office, store_new, summary, told
from tests.stores import new_tour, opened_store
from tests.webhooks.waiting import run

FILE = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Aureum//Tours//EN\r\nMETHOD:PUBLISH\r\nEND:VCALENDAR\r\n"
START: dict[str, Any] = {
    "local_start": "2027-01-18T09:30:00",
    "time_zone": "America/Boise",
    "starts_at": "2027-01-18T16:30:00.000Z",
}


def test_the_visitor_gets_the_file_and_answers_the_agent(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, olga, ana = await office(store)
            typed: dict[str, Any] = {
                "name": "Zoë http://evil.example",
                "message": "¿Puedo verla el sábado por la mañana?",
            }
            tour = new_tour(assigned_to=ana.id, **typed, **START)
            await store_new(store, tenant, tour)
            await told(store, tenant)
            await do(store, tenant, tour.id, lambda tour: tour.send_calendar(FILE, "1 Palm Dr, Kuna", now()), olga.id)
            (letter,) = await told(store, tenant)
            assert summary([letter]) == [("showing_calendar", "Zoë")]
            assert (letter.recipient.address, letter.recipient.subject_id) == ("jane@example.com", tour.id)
            assert (letter.reply_to, letter.language) == (ana.email, "es")
            when = "lunes, 18 de enero de 2027, a las 09:30"
            assert letter.fields == {"first_name": "Zoë", "place": "1 Palm Dr, Kuna", "when": when}

            mail = message_from_bytes(rendered(letter, BROKERAGE, MESSAGE_ID, SENDER, AT), policy=policy.default)
            assert mail["Subject"] == f"Su visita: {when}" and "evil" not in mail.as_string()
            plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
            assert plain is not None and html is not None
            assert "Su visita a 1 Palm Dr, Kuna es el lunes" in plain.get_content()
            (part,) = mail.iter_attachments()
            assert (part.get_content_type(), part.get_filename()) == ("text/calendar", "showing.ics")
            assert part["Content-Type"].params["method"] == "PUBLISH"
            assert part.get_payload(decode=True) == FILE.encode() and Calendar.from_ical(FILE)

            # Called off: the next one takes it out of the calendar.
            await do(store, tenant, tour.id, lambda tour: tour.change_status("cancelled", now()), olga.id)
            off = FILE.replace("PUBLISH", "CANCEL")
            await do(store, tenant, tour.id, lambda tour: tour.send_calendar(off, None, now()), olga.id)
            (letter,) = await told(store, tenant)
            assert summary([letter]) == [("showing_cancelled", "Zoë")]
            mail = message_from_bytes(rendered(letter, BROKERAGE, MESSAGE_ID, SENDER, AT), policy=policy.default)
            (part,) = mail.iter_attachments()
            assert part["Content-Type"].params["method"] == "CANCEL"

    run(scenario())
