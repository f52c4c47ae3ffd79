"""``/api/v1/admin/mail``: what is shown of mails, and when one can be sent again."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from aureum.domain.ids import from_wire
from aureum.store.event_store import EventStore
from tests.http.every.of_brokerages import failed_mail
from tests.http.every.sample import Sample
from tests.http.operator import Operator, Staff
from tests.http.serving import Answer, Server
from tests.mail.queued import queue_mails
from tests.stores import capture

HERE = "/api/v1/admin/mail"
SET = "UPDATE mails SET state = %(state)s, message = %(message)s WHERE mail_id = %(mail)s RETURNING 1"
ERASE = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(subject)s RETURNING 1"
STATE = "SELECT state, attempt, base, error FROM mails WHERE mail_id = %(mail)s"


@pytest.fixture
def sample(server: Server, operator: Operator) -> Iterator[Sample]:
    yield Sample(server, operator, operator.brokerage())


def ask(sample: Sample, method: str, path: str, who: Staff | None = None) -> Answer:
    return sample.server.ask(method, path, headers=(who or sample.owner).bearer)


def test_a_failed_mail_is_queued_again_with_a_new_schedule(sample: Sample) -> None:
    mail = failed_mail(sample)["id"]
    (shown,) = ask(sample, "GET", f"{HERE}?status=failed").json["items"]
    assert (shown["id"], shown["status"], shown["error"]) == (mail, "failed", "recipient_refused")
    assert shown["to"].endswith("@example.com") and "for good" in shown["reason"]
    again = ask(sample, "POST", f"{HERE}/{mail}/resend")
    assert (again.status, again.json["status"], again.json["error"]) == (202, "queued", None)
    assert sample.operator.rows(STATE, mail=from_wire(mail)) == [("due", 1, 1, None)]
    # Asked twice, it waits once.
    assert ask(sample, "POST", f"{HERE}/{mail}/resend").status == 202
    assert ask(sample, "GET", f"{HERE}?status=failed").json["total"] == 0
    assert ask(sample, "GET", f"{HERE}?status=queued&kind=lead_assigned").json["total"] == 1
    assert ask(sample, "GET", f"{HERE}?kind=digest").json["total"] == 0


@pytest.mark.parametrize(
    ("state", "message", "refusal"),
    [
        ("sent", b"", "This mail was sent. Only mails that failed can be sent again."),
        ("failed", None, "This mail cannot be sent: no mail can be sent to its address."),
    ],
)
def test_what_cannot_be_sent_again(sample: Sample, state: str, message: bytes | None, refusal: str) -> None:
    mail = failed_mail(sample)["id"]
    if message is None:
        sample.operator.rows(SET, state=state, message=None, mail=from_wire(mail))
    else:
        keep = "UPDATE mails SET state = %(state)s WHERE mail_id = %(mail)s RETURNING 1"
        sample.operator.rows(keep, state=state, mail=from_wire(mail))
    answer = ask(sample, "POST", f"{HERE}/{mail}/resend")
    assert (answer.status, answer.json["detail"]) == (409, refusal)


def test_an_erased_person_is_gone_from_it_at_once(sample: Sample) -> None:
    tenant = sample.tenant.id

    async def queued(store: EventStore) -> UUID:
        lead = await capture(store, tenant)
        await queue_mails(store, tenant, ["jane@example.com"], first=1_000, subject_id=lead.id)
        return lead.id

    subject = sample.operator.run(queued)
    (before,) = ask(sample, "GET", HERE).json["items"]
    assert before["to"] == "jane@example.com"
    sample.operator.rows(ERASE, tenant=tenant, subject=subject)
    whole: dict[str, Any] = ask(sample, "GET", f"{HERE}/{before['id']}").json
    assert (whole["to"], whole["subject"], whole["text"], whole["message_id"]) == (None,) * 4
    assert "jane" not in ask(sample, "GET", HERE).body.decode()


def test_platform_admins_name_the_brokerage(sample: Sample) -> None:
    mail, admin = failed_mail(sample)["id"], sample.platform_admin
    assert ask(sample, "GET", f"{HERE}?brokerage_id={sample.number}", admin).json["total"] == 1
    assert ask(sample, "GET", f"{HERE}/{mail}?brokerage_id={sample.number}", admin).json["text"] == "A text.\n"
    assert ask(sample, "GET", f"{HERE}/{mail}", admin).status == 400


def test_the_mails_about_a_person_are_listed_for_those_who_may_see_the_lead(sample: Sample) -> None:
    agent = sample.agent
    lead = sample.server.lead(sample.tenant, assignedToId=agent.id)
    path = f"/api/leads/{lead['id']}/mails"
    lead_id = from_wire(lead["id"])

    async def queued(store: EventStore) -> None:
        await queue_mails(store, sample.tenant.id, ["ana@example.com"], first=900, subject_id=lead_id)

    sample.operator.run(queued)
    failed_mail(sample)  # about another
    (shown,) = sample.server.by_key(sample.tenant, "GET", path).json
    assert (shown["kind"], shown["status"], shown["to"]) == ("lead_assigned", "queued", "ana@example.com")
    assert ask(sample, "GET", path, agent).json == [shown]
    assert ask(sample, "GET", path, sample.operator.staff(sample.tenant.id, "agent")).status == 404
    sample.operator.rows(ERASE, tenant=sample.tenant.id, subject=lead_id)
    (erased,) = sample.server.by_key(sample.tenant, "GET", path).json
    assert (erased["to"], erased["name"]) == (None, None)
