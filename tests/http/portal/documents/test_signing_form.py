"""The form of a signer, read: what is wrong is said beside the field, and what is right becomes values."""

import base64
import io
from collections.abc import Sequence
from datetime import date
from uuid import uuid4

import pytest
from PIL import Image, ImageDraw

from aureum.domain.envelope_parts import LONGEST_VALUE, Document, Field
from aureum.http.portal.documents import signing_form as form
from aureum.http.portal.documents.signing_form import Entry, Signing, signing_of
from aureum.pdf.signature_pictures import EMPTY, NOT_ONE, TOO_LARGE

TODAY = date(2026, 11, 30)
DOCUMENT = Document(uuid4(), "Offer.pdf", "a" * 64, 1, 3)
OTHER = Document(uuid4(), "Addendum.pdf", "b" * 64, 1, 1)


def entries(*kinds: str, required: bool = True) -> list[Entry]:
    """Fields of these *kinds* in the form."""
    fields = [Field(uuid4(), uuid4(), DOCUMENT.id, kind, required, page=1) for kind in kinds]
    return [Entry(f"field-{number}", one, DOCUMENT) for number, one in enumerate(fields, 1)]


def without(letters: str) -> form.Lacking:
    """A font that lacks these *letters*."""
    return lambda text: "".join(one for one in dict.fromkeys(text) if one in letters)


def read(sent: dict[str, str], own: Sequence[Entry] = (), lacking: str = "") -> Signing:
    return signing_of(sent, [DOCUMENT, OTHER], own, "Nora K. Lindqvist", TODAY, without(lacking))


def said(signing: Signing) -> dict[str, str]:
    return {one.name: one.text for one in signing.problems}


def drawing() -> str:
    image = Image.new("RGBA", (900, 300), (0, 0, 0, 0))
    ImageDraw.Draw(image).line([(100, 200), (400, 50), (700, 220)], fill="black", width=5)
    file = io.BytesIO()
    image.save(file, "PNG")
    return form.PICTURE + base64.b64encode(file.getvalue()).decode()


def test_what_was_filled_in_becomes_values() -> None:
    own = entries("signature", "initials", "date", "name", "text", "checkbox", "checkbox")
    sent = {
        "method": "typed",
        "typed": " Nora\tLindqvist ",
        "shown-1": DOCUMENT.sha256,
        "shown-2": OTHER.sha256,
        **dict.fromkeys(("field-1", "field-2", "field-6", "field-7"), "yes"),
        "field-3": "1999-01-01",
        "field-4": "Nora Lindqvist",
        "field-5": " Boise,\r\nIdaho ",
        "field-99": "of another form",
    }
    signing = read(sent, own)
    assert signing.problems == [] and (signing.method, signing.typed, signing.picture) == (
        "typed",
        "Nora Lindqvist",
        None,
    )
    assert signing.shown == {DOCUMENT.id: DOCUMENT.sha256, OTHER.id: OTHER.sha256}
    values = ["Nora Lindqvist", "NL", "2026-11-30", "Nora Lindqvist", "Boise, Idaho", "true", "true"]
    assert signing.values(own) == {one.field.id: value for one, value in zip(own, values, strict=True)}


def test_what_is_missing_is_said_beside_its_field() -> None:
    own = entries("signature", "initials", "date", "name", "text", "checkbox")
    signing = read({"typed": "  "}, own)
    assert said(signing) == {
        "typed": form.NAME_MISSING,
        "field-1": form.TICK_SIGNATURE,
        "field-2": form.TICK_SIGNATURE,
        "field-4": form.FILL_IN,
        "field-5": form.FILL_IN,
        "field-6": form.TICK,
    }
    assert signing.shown == {DOCUMENT.id: "", OTHER.id: ""}


def test_what_need_not_be_filled_in_may_be_left() -> None:
    own = entries("signature", "initials", "name", "text", "checkbox", required=False)
    signing = read({"typed": "Nora"}, own)
    assert signing.problems == [] and list(signing.values(own).values()) == ["false"]


def test_a_letter_that_cannot_be_printed_leads_to_drawing() -> None:
    own = entries("signature", "name", "text")
    sent = {"typed": "李小龍 李", "field-1": "yes", "field-2": "李", "field-3": "Łódź"}
    signing = read(sent, own, "李小龍")
    assert said(signing) == {"typed": form.NAME_LETTERS, "field-2": form.LETTERS}
    assert [one.values["letters"] for one in signing.problems] == ["李小龍", "李"]
    drawn = read(sent | {"method": "drawn", "drawn": drawing()}, own[:1], "李小龍")
    assert drawn.problems == [] and drawn.picture is not None and drawn.picture.startswith(b"\x89PNG")
    assert list(drawn.values(own[:1]).values()) == ["Nora K. Lindqvist"], "what the sender calls the signer"


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ("", EMPTY),
        (form.PICTURE, NOT_ONE),
        (form.PICTURE + "no base64!", NOT_ONE),
        (form.PICTURE + "ÄÖÜ\ud800", NOT_ONE),
        ("data:image/svg+xml;base64,PHN2Zy8+", NOT_ONE),
        (form.PICTURE + base64.b64encode(bytes(70_000)).decode(), TOO_LARGE),
    ],
    ids=["nothing", "empty", "no base64", "other letters", "svg", "large"],
)
def test_a_drawing_that_is_none_is_refused(sent: str, problem: str) -> None:
    signing = read({"method": "drawn", "drawn": sent})
    assert said(signing) == {"drawn": form.DRAWING[problem]}


def test_what_is_too_long_is_refused() -> None:
    own = entries("text")
    signing = read({"typed": "n" * (form.LONGEST_NAME + 1), "field-1": "t" * (LONGEST_VALUE + 1)}, own)
    assert said(signing) == {"typed": form.NAME_TOO_LONG, "field-1": form.TOO_LONG}
