"""What to send to the endpoints of a whole brokerage: webhooks, mails, the newsletter, imports, its logo and log."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aureum.domain.ids import from_wire, to_wire
from aureum.http.api.brokerages.logo import PIXEL
from aureum.store import security_log
from aureum.store.event_store import EventStore
from tests.http.every.call import NUMBERS, Call
from tests.http.every.declared import declared
from tests.mail.queued import queue_mails

if TYPE_CHECKING:
    from tests.http.every.sample import Sample

LINK = """
INSERT INTO unsubscribe_tokens (tenant_id, token_hash, subscriber_id)
SELECT tenant_id, %(hash)s, subscriber_id FROM subscriber_list
 WHERE tenant_id = %(tenant)s AND doc::jsonb ->> 'email' = %(email)s
RETURNING 1
"""
TRIED = """
INSERT INTO webhook_attempts (tenant_id, endpoint_id, position, attempt, started_at, duration_ms, status, answer,
                              outcome, lease_owner)
VALUES (%(tenant)s, %(endpoint)s, %(position)s, 1, now(), 7, 200, '', 'delivered', gen_random_uuid())
"""
IMPORTS = "/api/v1/admin/imports"
COMPLETED = """
UPDATE imports SET state = 'completed', ended_at = now() WHERE tenant_id = %(tenant)s AND import_id = %(id)s RETURNING 1
"""
END_IMPORTS = """
UPDATE imports SET state = CASE state WHEN 'checking' THEN 'checked' ELSE 'undone' END
 WHERE tenant_id = %(tenant)s AND state IN ('checking', 'undoing') RETURNING 1
"""
FAIL_MAIL = """
UPDATE mails SET state = 'failed', attempt = 1, error = 'recipient_refused', ended_at = now()
 WHERE tenant_id = %(tenant)s AND position = %(position)s
RETURNING mail_id
"""


def with_logo(sample: Sample) -> dict[str, Any]:
    """A brokerage that has a logo."""
    path = f"/api/v1/admin/brokerages/{sample.number}/logo"
    call = Call("PUT", path, {}, {"image": PIXEL}, sample.owner.bearer)
    assert call.send(sample.server).status == 200
    return {}


def webhook(sample: Sample) -> dict[str, Any]:
    """A new webhook with a delivery, as the worker would have logged it, and a replay."""
    post = declared("POST", "/api/webhooks")
    assert post is not None
    made: dict[str, Any] = sample.succeed(post).json
    replayed = replay_of(sample, made["id"])
    about = {"tenant": sample.tenant.id, "endpoint": from_wire(made["id"]), "position": next(NUMBERS)}
    sample.operator.rows(TRIED, **about)
    return made | {"delivery": f"{made['id']}_{about['position']}", "replay": replayed["id"]}


def replay_of(sample: Sample, webhook_id: str) -> dict[str, Any]:
    """A replay of everything."""
    post = declared("POST", "/api/webhooks/{id}/replay")
    assert post is not None
    call = Call("POST", post.path.replace("{id}", webhook_id), {}, {"since": 0}, sample.tenant.bearer)
    made: dict[str, Any] = sample.succeed(post, call).json
    return made


def of_new_webhook(action: str, body: dict[str, Any]) -> Callable[[Sample], dict[str, Any]]:
    """What can be done only so often, and not to a webhook that is disabled: to a new one each time."""
    return lambda sample: {"path": f"/api/webhooks/{sample.make('/api/webhooks')}/{action}", "body": body}


def subscriber(sample: Sample) -> dict[str, Any]:
    """A subscriber of the newsletter."""
    form = {"email": f"reader{next(NUMBERS)}.{sample.mark}@example.com", "first_name": f"Reader {sample.mark}"}
    assert sample.server.ask("POST", "/api/newsletter/subscribe", form, host=sample.tenant.domain).status == 200
    query = f"?q={form['email']}"
    answer = sample.server.ask("GET", f"/api/v1/admin/newsletter{query}", headers=sample.owner.bearer)
    return {"id": answer.json["items"][0]["id"]}


def with_link(sample: Sample) -> dict[str, Any]:
    """A subscriber of the newsletter, and the link that ends it."""
    subscribe, token = declared("POST", "/api/newsletter/subscribe"), secrets.token_urlsafe(16)
    assert subscribe is not None
    call = sample.call(subscribe)
    sample.succeed(subscribe, call)
    about = {"tenant": sample.tenant.id, "email": call.body["email"], "hash": sha256(token.encode()).digest()}
    assert sample.operator.rows(LINK, **about)
    return {"query": {"token": token}}


def failed_mail(sample: Sample) -> dict[str, Any]:
    """A mail that the server refused, as the worker would have left it."""
    number = next(NUMBERS)

    async def queued(store: EventStore) -> None:
        await queue_mails(store, sample.tenant.id, [f"gone{number}.{sample.mark}@example.com"], first=number)

    sample.operator.run(queued)
    ((mail_id,),) = sample.operator.rows(FAIL_MAIL, tenant=sample.tenant.id, position=number)
    return {"id": to_wire(mail_id)}


def with_mail(path: str) -> Callable[[Sample], dict[str, Any]]:
    """A lead or showing that a mail is about."""

    def recipe(sample: Sample) -> dict[str, Any]:
        made = sample.make(path)

        async def queued(store: EventStore) -> None:
            about = from_wire(made)
            address = f"ana.{sample.mark}@example.com"
            await queue_mails(store, sample.tenant.id, [address], first=next(NUMBERS), subject_id=about)

        sample.operator.run(queued)
        return {"path": f"{path}/{made}/mails"}

    return recipe


def importing(sample: Sample) -> dict[str, Any]:
    """A file that is stored, and not imported yet, in a brokerage where no worker ends what was begun before."""
    sample.operator.rows(END_IMPORTS, tenant=sample.tenant.id)
    return {
        "query": {"resource": "contacts", "hold": "true"},
        "body": f"Name,Email\nNora {sample.mark},nora{next(NUMBERS)}@example.com\n".encode(),
        "headers": {"Content-Type": "text/csv"},
    }


def imported(sample: Sample) -> dict[str, Any]:
    """An import that has ended, as a worker would have left it."""
    made = sample.make(IMPORTS)
    sample.operator.rows(COMPLETED, tenant=sample.tenant.id, id=from_wire(made))
    return {"path": f"{IMPORTS}/{made}/undo"}


def noted(sample: Sample) -> dict[str, Any]:
    """Something in the security log."""
    entry = security_log.Noted("export", tenant_id=sample.tenant.id, about=f"leads {sample.mark} {next(NUMBERS)}")
    sample.operator.run(lambda store: security_log.write(store, {entry: security_log.Times()}))
    return {"id": to_wire(sample.tenant.id)}
