"""The form by which a signer adopts a signature and fills in the fields, read and judged. Pure.

Fields and documents go by their numbers in the form, so that the page holds no ids. What is wrong is told beside the
field, as a text of the catalogue with its values.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import LONGEST_VALUE, Document, Field, Recipient
from aureum.domain.errors import Invalid
from aureum.domain.texts import one_line
from aureum.http.portal.catalogue import later
from aureum.pdf.signature_pictures import EMPTY, NOT_ONE, TOO_LARGE, drawn
from aureum.signing.evidence import initials

LONGEST_NAME = 100
"""Of a typed signature: more does not fit into a field."""

PICTURE = "data:image/png;base64,"

NAME_MISSING = later("Type your name.")
NAME_TOO_LONG = later("Your name can have at most %(most)s characters here. Shorten it, or draw your signature.")
NAME_LETTERS = later(
    "We cannot print the letters %(letters)s in a typed signature. Draw your signature instead, or type your name in "
    "other letters."
)
LETTERS = later("We cannot print the letters %(letters)s. Use other letters here.")
TICK_SIGNATURE = later("Tick this box to place your signature here.")
TICK = later("Tick this box.")
FILL_IN = later("Fill in this field.")
TOO_LONG = later("Use at most %(most)s characters here.")

DRAWING = {
    EMPTY: later("Draw your signature in the box first, or type your name instead."),
    NOT_ONE: later("This drawing cannot be read. Draw your signature again, or type your name instead."),
    TOO_LARGE: later("This drawing is too large. Draw your signature with fewer strokes, or type your name instead."),
}
"""What is wrong with a drawing, in the catalogue's words."""

Lacking = Callable[[str], str]
"""The letters of a text that cannot be printed."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with the field *name* of the form: a *text* of the catalogue, and its values."""

    name: str
    text: str
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A field of the document in the form: its *name* there, and the document that it stands in."""

    name: str
    field: Field
    document: Document


@dataclass(frozen=True)
class Signing:
    """What the form said. ``picture`` is the drawn signature as it is kept; ``shown`` the hash of each document that
    the page was made of."""

    method: str
    typed: str
    drawn: str
    entered: Mapping[str, str]
    shown: Mapping[UUID, str]
    picture: bytes | None
    problems: Sequence[Problem]

    def values(self, entries: Sequence[Entry]) -> dict[UUID, str]:
        """What is recorded of each field."""
        return {one.field.id: self.entered[one.name] for one in entries if self.entered[one.name]}


def entries_of(envelope: Envelope, recipient: Recipient) -> list[Entry]:
    """The recipient's fields in the order of the documents: page by page, from top to bottom, and those at anchors
    behind them, in the order in which they were placed."""
    places = {document_id: place for place, document_id in enumerate(envelope.documents)}
    own = [one for one in envelope.fields if one.recipient_id == recipient.id]
    own.sort(key=lambda one: (places[one.document_id], one.page or 1_000, one.y or 0.0, one.x or 0.0))
    return [Entry(f"field-{number}", one, envelope.documents[one.document_id]) for number, one in enumerate(own, 1)]


def blank(entries: Sequence[Entry], recipient: Recipient, today: date) -> Signing:
    """The form before the signer has typed anything."""
    made = {"name": recipient.name, "date": today.isoformat()}
    entered = {one.name: made.get(one.field.kind, "") for one in entries}
    return Signing("typed", recipient.name[:LONGEST_NAME], "", entered, {}, None, ())


def signing_of(
    sent: Mapping[str, str],
    documents: Iterable[Document],
    entries: Sequence[Entry],
    signer: str,
    today: date,
    lacking: Lacking,
) -> Signing:
    """The form as it was *sent*. *signer* is the name that the sender knows."""
    problems: list[Problem] = []
    method = "drawn" if sent.get("method") == "drawn" else "typed"
    typed = one_line(sent.get("typed", "")).strip()
    picture = None
    if method == "typed":
        problems += name_problems(typed, lacking)
    else:
        try:
            picture = drawn(picture_bytes(sent.get("drawn", "")))
        except Invalid as error:
            problems.append(Problem("drawn", DRAWING[str(error)]))
    name = typed if method == "typed" else signer
    entered = {}
    for one in entries:
        given = one_line(sent.get(one.name, "")).strip()
        entered[one.name] = value_of(one, given, name, today)
        problems += entry_problems(one, entered[one.name], lacking)
    shown = {one.id: sent.get(f"shown-{number}", "") for number, one in enumerate(documents, 1)}
    return Signing(method, typed, sent.get("drawn", ""), entered, shown, picture, problems)


def name_problems(typed: str, lacking: Lacking) -> list[Problem]:
    """What is wrong with a name as a typed signature."""
    if not typed:
        return [Problem("typed", NAME_MISSING)]
    if len(typed) > LONGEST_NAME:
        return [Problem("typed", NAME_TOO_LONG, {"most": LONGEST_NAME})]
    letters = lacking(typed)
    return [Problem("typed", NAME_LETTERS, {"letters": letters})] if letters else []


def value_of(one: Entry, given: str, name: str, today: date) -> str:
    """What is recorded for a field that was filled in with *given*. Boxes are ticked, and so are the places where the
    signature or the initials of *name* are to stand."""
    if one.field.kind == "date":
        return today.isoformat()
    if one.field.kind == "checkbox":
        return "true" if given else "false"
    if one.field.kind == "signature":
        return name if given else ""
    if one.field.kind == "initials":
        return initials(name) if given else ""
    return given


def entry_problems(one: Entry, value: str, lacking: Lacking) -> list[Problem]:
    """What is wrong with a field."""
    kind = one.field.kind
    if one.field.required and value in ("", "false"):
        text = TICK_SIGNATURE if kind in ("signature", "initials") else TICK if kind == "checkbox" else FILL_IN
        return [Problem(one.name, text)]
    if len(value) > LONGEST_VALUE:
        return [Problem(one.name, TOO_LONG, {"most": LONGEST_VALUE})]
    letters = lacking(value) if kind in ("text", "name") else ""
    return [Problem(one.name, LETTERS, {"letters": letters})] if letters else []


def picture_bytes(sent: str) -> bytes:
    """The PNG that the page's module has put into the form. Raises Invalid."""
    if not sent:
        raise Invalid("drawn", EMPTY)
    if not sent.startswith(PICTURE):
        raise Invalid("drawn", NOT_ONE)
    try:
        return base64.b64decode(sent.removeprefix(PICTURE), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("drawn", NOT_ONE) from error
