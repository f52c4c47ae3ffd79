"""A mail in the Leads API."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Annotated, Any, Literal

from pydantic import Field

from aureum.domain.ids import leads_time, to_wire
from aureum.http.wire.shapes import LeadsTimestamp, Shape, Wire
from aureum.mail.letters.kinds import KINDS
from aureum.mail.queue.mail_log import LoggedMail
from aureum.mail.sending.outcome import explained

Status = Literal["queued", "sent", "failed"]
STATUS = "`queued`: it waits for an attempt, or one is in progress. `failed`: no attempt follows."


SECRET = re.compile(r"(?<=token=)[A-Za-z0-9_-]+|(?<=/portal/sign-in/)[A-Za-z0-9_-]+|^ *[0-9]{6}(?=\r?$)", re.MULTILINE)
"""The token of a link that opens something by itself, and a code."""

HIDDEN = "…"


class MailResponse(Shape):
    """A mail."""

    id: Wire
    kind: Annotated[str, Field(description="The kind of mail, for example `lead_assigned` or `confirmation`.")]
    status: Annotated[Status, Field(description=STATUS)]
    to: Annotated[str | None, Field(description="The address. `null` if the person was erased.")]
    name: Annotated[str | None, Field(description="The recipient's name. `null` if the person was erased.")]
    subject: Annotated[str | None, Field(description="The subject line. `null` if the person was erased.")]
    attempts: Annotated[int, Field(description="The number of attempts so far.")]
    error: Annotated[
        str | None,
        Field(
            description="Why the last attempt failed: `connect`, `tls`, `starttls_missing`, `login_refused`, "
            "`login_missing`, `server_refused`, `sender_refused`, `file`, `timeout`, `disconnected`, `deferred`, "
            "`refused`, `recipient_deferred`, `recipient_refused`, `address`, `bounced_before`, `expired`, "
            "`not_made`, `no_link`."
        ),
    ]
    reason: Annotated[str | None, Field(description="The error in words, with what to do.")]
    answer: Annotated[str | None, Field(description="What the mail server answered last.")]
    created_at: Annotated[LeadsTimestamp, Field(description="When the event that caused the mail was stored.")]
    next_attempt_at: Annotated[LeadsTimestamp | None, Field(description="When the next attempt is due.")]
    ended_at: Annotated[LeadsTimestamp | None, Field(description="When it was accepted, or failed.")]


class WholeMailResponse(MailResponse):
    """A mail with its text."""

    message_id: Annotated[str | None, Field(description="The `Message-ID`, the same in every attempt.")]
    sender: Annotated[str | None, Field(description="The `From` header.")]
    reply_to: Annotated[str | None, Field(description="The `Reply-To` header.")]
    text: Annotated[
        str | None,
        Field(
            description="The plain text. `null` if the person was erased. Tokens of links at which a password can be "
            "chosen or a client can sign in, and codes, are left out."
        ),
    ]


def document(mail: LoggedMail) -> dict[str, Any]:
    """A mail as the list shows it."""
    return {
        "id": to_wire(mail.mail_id),
        "kind": mail.kind,
        "status": mail.status,
        "to": mail.about and mail.about.address,
        "name": mail.about and mail.about.name,
        "subject": mail.about and mail.about.subject,
        "attempts": mail.attempts,
        "error": mail.error,
        "reason": None if mail.error is None else explained(mail.error),
        "answer": mail.answer,
        "created_at": leads_time(mail.recorded_at),
        "next_attempt_at": mail.due_at and leads_time(mail.due_at),
        "ended_at": mail.ended_at and leads_time(mail.ended_at),
    }


def whole_document(mail: LoggedMail) -> dict[str, Any]:
    """A mail with its text."""
    message = None if mail.message is None else message_from_bytes(mail.message, policy=policy.default)
    headers = {
        name: None if message is None else str(message[header] or "")
        for name, header in (("message_id", "Message-ID"), ("sender", "From"), ("reply_to", "Reply-To"))
    }
    return document(mail) | headers | {"text": None if message is None else shown_text(mail.kind, message)}


def shown_text(kind: str, message: EmailMessage) -> str | None:
    """The plain text of a mail of this *kind*, as people other than its recipient may see it."""
    plain = message.get_body(("plain",))
    text = None if plain is None else str(plain.get_content())
    if text is not None and kind in KINDS and KINDS[kind].secret:
        return SECRET.sub(HIDDEN, text)
    return text
