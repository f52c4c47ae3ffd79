"""What a client types into forms: texts of several lines, as they are kept."""

import hashlib

from aureum.http.access.callers import request_id
from aureum.http.portal.visit import PortalVisit
from aureum.http.wire.errors import HttpError
from aureum.http.wire.page_forms import NO_FORM
from aureum.store.event_store import Idempotency
from aureum.store.metadata import VISITOR, Origin


def text_of(visit: PortalVisit, name: str) -> str:
    """The text of a field, without blanks around it and with the line ends of texts. Raises HttpError 400 for a NUL
    character, which no page sends."""
    text = visit.form[name]
    if "\0" in text:
        raise HttpError("form_unreadable", NO_FORM)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def origin_of(visit: PortalVisit) -> Origin:
    """Whom the events of this visit name: a visitor, like all who are not staff."""
    return Origin(VISITOR, request_id=request_id(visit.request))


def once_of(visit: PortalVisit, *said: str) -> Idempotency | None:
    """A form that is sent twice happens once: by its field ``once``, and what it *said*."""
    if not visit.form["once"]:
        return None
    parts = ("portal", visit.client.address, visit.request.url.path, visit.form["once"], *said)
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()
    return Idempotency(digest, digest, lambda _: b"")
