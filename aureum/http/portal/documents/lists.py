"""The client's envelopes: those to sign, those that wait for others, and those that are done."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from starlette.responses import Response

from aureum.domain import ids
from aureum.domain.people import email_key
from aureum.http.portal.catalogue import later
from aureum.http.portal.documents.standing import TO_SIGN, WAITING, Standing, standing_by
from aureum.http.portal.page import PortalPage
from aureum.http.portal.visit import PortalVisit

MOST = 100
"""The newest of a client."""

MOST_ON_HOME = 5

OF_CLIENT = """
SELECT r.recipient_id, r.state, e.doc
  FROM envelope_recipients r
  JOIN envelope_list e ON e.tenant_id = r.tenant_id AND e.envelope_id = r.envelope_id
   AND e.read_version = (SELECT h.envelope_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 WHERE r.tenant_id = %(tenant)s AND r.address = %(address)s
   AND (%(visible_to)s::uuid IS NULL OR e.assigned_to = %(visible_to)s OR e.created_by = %(visible_to)s
        OR e.shared)
 ORDER BY r.envelope_id DESC LIMIT %(limit)s
"""

STATES: Mapping[Standing, str] = {
    "open": later("To sign"),
    "read": later("To sign"),
    "sign": later("To sign"),
    "elsewhere": later("To sign"),
    "signed": later("Waiting for others"),
    "sealing": later("Being completed"),
    "turn": later("Not your turn yet"),
    "copy": later("Waiting for others"),
    "completed": later("Complete"),
    "declined": later("Declined"),
    "voided": later("Withdrawn"),
    "expired": later("Expired"),
}
"""What a client reads of how an envelope stands."""


class SignedFile(NamedTuple):
    """A document as it was sealed: its name, where the client gets it, and the hash of its bytes."""

    name: str
    path: str
    sha256: str


class ClientEnvelope(NamedTuple):
    """All that the list shows of an envelope, and the files of one that is complete."""

    path: str
    subject: str
    standing: Standing
    state: str
    sent_at: datetime
    deadline: datetime
    files: tuple[SignedFile, ...] = ()

    @property
    def to_sign(self) -> bool:
        """Whether the client has something to do."""
        return self.standing in TO_SIGN


async def envelopes_of(visit: PortalVisit) -> list[ClientEnvelope]:
    """The client's, newest first. Raises Unavailable."""
    client = visit.client
    about = {"tenant": client.tenant_id, "address": email_key(client.address), "limit": MOST}
    about["visible_to"] = visit.visible_to
    rows = await visit.app.database.tenant_rows(client.tenant_id, OF_CLIENT, about)
    at = ids.now()
    return [shown(visit, ids.to_wire(recipient_id), state, orjson.loads(doc), at) for recipient_id, state, doc in rows]


def shown(visit: PortalVisit, recipient: str, state: str, doc: Mapping[str, Any], at: datetime) -> ClientEnvelope:
    """An envelope as the list has it."""
    role = next(one["role"] for one in doc["recipients"] if one["id"] == recipient)
    deadline = datetime.fromisoformat(doc["deadline"])
    found = standing_by(doc["state"], doc["provider"], role, state, late=at >= deadline)
    path = f"/portal/documents/{doc['id']}"
    return ClientEnvelope(
        path,
        doc["subject"],
        found,
        visit.gettext(STATES[found]),
        datetime.fromisoformat(doc["sentAt"]),
        deadline,
        tuple(files_of(path, doc)) if found == "completed" else (),
    )


def files_of(path: str, doc: Mapping[str, Any]) -> Iterator[SignedFile]:
    """The sealed documents of a completed envelope, whose page is at *path*."""
    for number, one in enumerate(doc["documents"], 1):
        yield SignedFile(one["name"], f"{path}/{number}/sealed.pdf", one["sealedSha256"])


async def to_sign(visit: PortalVisit) -> Mapping[str, Any] | None:
    """Those that the first page shows."""
    found = [one for one in await envelopes_of(visit) if one.to_sign]
    return {"documents": found[:MOST_ON_HOME]} if found else None


async def show_documents(visit: PortalVisit) -> Response:
    """All of them, in three groups."""
    found = await envelopes_of(visit)
    groups = [
        (visit.gettext("To sign"), [one for one in found if one.to_sign]),
        (visit.gettext("Waiting for others"), [one for one in found if one.standing in WAITING]),
        (
            visit.gettext("Done"),
            [one for one in found if not one.to_sign and one.standing not in WAITING],
        ),
    ]
    return visit.render("documents/list.html", groups=groups)


PAGES = (PortalPage("GET", "/portal/documents", show_documents, signers=True, preview=True),)
