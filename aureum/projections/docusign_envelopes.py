"""What is to be done next about an envelope that is signed at DocuSign, and when; and which envelope DocuSign means.

A row is a hint, as those of ``timers`` are (docs/decisions/timers.md): what is due is decided from the log. The steps:

    create   sent here, and not known to DocuSign yet
    follow   DocuSign is asked where it stands if Connect has said nothing for so long
    fetch    all have signed: its documents are to be fetched
    end      ended here, and to be ended there
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from aureum.domain.aggregate import replay
from aureum.domain.envelope import Envelope

NAME = "docusign_envelopes"
EVENTS: type = Envelope.Event

SILENCE = timedelta(minutes=15)
"""DocuSign is asked about an envelope at most so often."""

APPEND = """
INSERT INTO docusign_envelopes AS d (tenant_id, envelope_id, provider_id, step, due_at, version)
SELECT tenants[r.item], r.envelope_id, r.provider_id, r.step, r.due_at, r.version
  FROM json_to_recordset(rows) AS r (
           item integer, envelope_id uuid, provider_id text, step text, due_at timestamptz, version integer)
 WHERE tenants[r.item] IS NOT NULL
ON CONFLICT (tenant_id, envelope_id) DO UPDATE SET
       provider_id = excluded.provider_id, step = excluded.step, due_at = excluded.due_at,
       version = excluded.version,
       failures = CASE WHEN d.step IS NOT DISTINCT FROM excluded.step THEN d.failures ELSE 0 END
"""
"""A try that failed is remembered as long as the step is the same: it may have got through."""

Row = dict[str, Any]


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for the stream of an envelope that was sent by DocuSign, none for others. That of a purged one is removed
    elsewhere, or still says that it is to be ended there."""
    if not isinstance(new[0], Envelope.Event):
        return []
    envelope: Envelope = replay([*before, *new])
    if envelope.provider != "docusign" or envelope.sent_at is None or envelope.erased:
        return []
    step, due_at = next_step(envelope, [*before, *new])
    return [
        {
            "envelope_id": envelope.id,
            "provider_id": envelope.provider_id,
            "step": step,
            "due_at": due_at,
            "version": envelope.version,
        }
    ]


def next_step(envelope: Envelope, events: Sequence[Any]) -> tuple[str | None, datetime | None]:
    """The step, and when it is due."""
    at = envelope.modified_on
    if envelope.state == "sent":
        return ("create", at) if envelope.provider_id is None else ("follow", at + SILENCE)
    if envelope.state == "completing":
        return "fetch", at
    if any(isinstance(one, (Envelope.Voided, Envelope.Expired)) and one.provider_event is None for one in events):
        return "end", at
    return None, None


OF_PROVIDER = """
SELECT d.envelope_id FROM docusign_envelopes d
 WHERE d.tenant_id = %(tenant)s AND d.provider_id = %(provider)s
"""
"""Which envelope DocuSign's id means."""

ASK_NOW = """
UPDATE docusign_envelopes SET due_at = now()
 WHERE tenant_id = %(tenant)s AND envelope_id = %(envelope)s AND step = 'follow'
   AND failures = 0 AND due_at BETWEEN now() AND now() + interval '14 minutes 30 seconds'
RETURNING 1
"""
"""A signer has come back from DocuSign, and Connect may be silent. Not within half a minute of the last question, and
not after a failure, which has pauses of its own."""

ANSWERED = """
SELECT 1 FROM docusign_envelopes
 WHERE tenant_id = %(tenant)s AND envelope_id = %(envelope)s
   AND (step IS DISTINCT FROM 'follow' OR failures = 0 AND due_at > now())
"""
"""The worker has asked since."""
