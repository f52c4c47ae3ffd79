"""The page Mail: what is queued, sent, failed and why, the text of one, and sending it again."""

from aureum.http.panel.mail_words import line_of
from tests.http.every.of_brokerages import failed_mail
from tests.http.every.sample import Sample
from tests.http.operator import Operator
from tests.http.panel.reader import as_staff, page, refused
from tests.http.serving import Server

HERE = "/admin/mail"


def test_a_mail_that_failed_is_read_and_sent_again(server: Server, operator: Operator) -> None:
    tenant = operator.brokerage()
    sample = Sample(server, operator, tenant)
    mail_id = failed_mail(sample)["id"]
    broker = as_staff(server, operator.staff(tenant.id, "broker"))
    reading = page(broker.get(HERE), 200)
    assert f"{HERE}/{mail_id}" in reading.links
    assert "The mail server refuses this address for good." in str(reading.said("td"))
    assert page(broker.get(f"{HERE}?status=sent"), 200).said("td") == []
    assert page(broker.get(f"{HERE}?status=failed&kind=lead_assigned"), 200).said("td") != []
    one = page(broker.get(f"{HERE}/{mail_id}"), 200)
    assert one.said("pre") == ["A text."]
    answer = broker.send(f"{HERE}/{mail_id}/resend", b"")
    assert (answer.status, answer.headers["location"]) == (303, f"{HERE}/{mail_id}")
    again = page(broker.get(f"{HERE}/{mail_id}"), 200)
    assert "queued Refresh" in again.said("dd") and "Send again" not in str(again.said("button"))


def test_what_agents_and_others_see_of_it(server: Server, operator: Operator) -> None:
    tenant, other = operator.brokerage(), operator.brokerage()
    mail_id = failed_mail(Sample(server, operator, tenant))["id"]
    agent = as_staff(server, operator.staff(tenant.id, "agent"))
    assert "Only a broker" in refused(agent.get(HERE), 403)
    assert HERE not in page(agent.get("/admin"), 200).links
    stranger = as_staff(server, operator.staff(other.id, "brokerage_owner"))
    assert refused(stranger.get(f"{HERE}/{mail_id}"), 404) == "There is no such mail."
    assert refused(stranger.send(f"{HERE}/{mail_id}/resend", b""), 404) == "There is no such mail."


def test_what_became_of_a_mail_about_a_lead() -> None:
    mail = {
        "id": "c1",
        "kind": "lead_assigned",
        "name": "Ana",
        "to": "ana@example.com",
        "createdAt": "2026-11-30T10:00:00.000Z",
        "endedAt": None,
        "reason": None,
    }
    for files, status, said in (
        (False, "sent", "sent"),
        (True, "sent", "written to a file, because no mail server is set"),
        (True, "queued", "not sent yet"),
        (True, "failed", "not delivered"),
    ):
        line = line_of(mail | {"status": status}, pages=True, files=files)
        assert (line.what, line.state, line.page) == ("Mail to Ana: New lead", said, "/admin/mail/c1")
