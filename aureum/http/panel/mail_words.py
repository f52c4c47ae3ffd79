"""The mails about a lead or a showing in words, as its page shows them: what was sent to whom, and if it arrived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aureum.http.panel.visit import Visit

TITLES = {
    "lead_assigned": "New lead",
    "tour_assigned": "New showing",
    "lead_in_pond": "Lead without an agent",
    "tour_in_pond": "Showing without an agent",
    "lead_offered": "Lead to claim",
    "answer_late": "Lead that was not answered in time",
    "confirmation": "Confirmation of the form",
    "showing_calendar": "Calendar file",
    "showing_cancelled": "Cancelled showing",
    "client_message": "Message to a client",
    "client_listing": "Listing for a client",
    "message_received": "Message from a client",
    "portal_sign_in": "Sign-in to the client portal",
    "portal_address": "Code for a new address",
    "address_changed": "Notice that the address was changed",
    "envelope_invite": "Request to sign",
    "envelope_reminder": "Reminder to sign",
    "envelope_completed": "Documents signed by all",
    "envelope_declined": "Documents declined",
    "envelope_voided": "Documents withdrawn",
    "envelope_expired": "Documents not signed in time",
    "envelope_purge": "Documents to be deleted",
}
"""What a mail of each kind about a person says."""

STATES = {"sent": "sent", "queued": "not sent yet", "failed": "not delivered"}
TO_A_FILE = "written to a file, because no mail server is set"


@dataclass(frozen=True)
class MailLine:
    """A mail: ``what`` was sent to whom, when, its status, and why it did not arrive. ``page`` shows its text to those
    who may read it."""

    what: str
    at: str
    status: str
    reason: str | None
    page: str | None
    files: bool = False

    @property
    def state(self) -> str:
        """The status in words; with ``files`` what is sent goes nowhere else."""
        return TO_A_FILE if self.files and self.status == "sent" else STATES.get(self.status, self.status)


async def mails_about(visit: Visit, api: str, id: str) -> Sequence[MailLine]:
    """The mails about the resource with this *id*, newest first. *api* is the path of its mails in the API."""
    found = (await visit.ask("GET", api, id=id)).body
    files = visit.request.app.state.aureum.settings.smtp_url is None
    return [line_of(mail, pages=visit.role != "agent", files=files) for mail in found]


def line_of(mail: Mapping[str, Any], *, pages: bool, files: bool) -> MailLine:
    """One mail. *pages*: whether its page may be opened; *files*: whether mails are written to files."""
    title, to = TITLES.get(mail["kind"], mail["kind"].replace("_", " ").capitalize()), mail["name"] or mail["to"]
    what = f"Mail to {to}: {title}" if to else f"Mail: {title}"
    page = f"/admin/mail/{mail['id']}" if pages else None
    return MailLine(what, mail["endedAt"] or mail["createdAt"], mail["status"], mail["reason"], page, files)
