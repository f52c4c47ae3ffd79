"""What is stamped for what a signer has filled in."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from aureum.domain.envelope_parts import Document, Field, Recipient, Signature
from aureum.signing.evidence import stamps_at

AT = datetime(2026, 11, 30, 15, 4, tzinfo=UTC)
DOCUMENT = Document(uuid4(), "Offer.pdf", "a" * 64, 1, 1)
PICTURE = uuid4()
SIGNER = Recipient(
    uuid4(),
    "signer",
    "Nora Lindqvist",
    "nora@example.com",
    None,
    1,
    state="signed",
    signed_at=AT,
    signature=Signature("typed", typed="Nora L."),
)
DRAWN = replace(SIGNER, signature=Signature("drawn", image_id=PICTURE, image_sha256="b" * 64))


def stamped(signer: Recipient, kind: str, value: str | None, *, required: bool = True) -> list[tuple[str, bool]]:
    """The text of each stamp, and whether it is a picture."""
    field = Field(uuid4(), signer.id, DOCUMENT.id, kind, required, page=1, x=1, y=1, width=99, height=30)
    signer = replace(signer, values={} if value is None else {field.id.hex: value})
    found = stamps_at(field, signer, DOCUMENT, (), {PICTURE: b"a picture"})
    return [(one.text, one.picture is not None) for one in found]


@pytest.mark.parametrize(
    ("kind", "value", "typed", "drawn"),
    [
        ("signature", "Nora L.", ("Nora L.", False), ("Nora L.", True)),
        ("signature", None, ("Nora L.", False), ("Nora Lindqvist", True)),
        ("initials", "NL", ("NL", False), ("NL", False)),
        ("initials", "გ", ("გ", False), ("გ", True)),
        ("checkbox", "true", ("x", False), ("x", False)),
        ("checkbox", "false", ("", False), ("", False)),
        ("date", "2026-11-30", ("2026-11-30", False), ("2026-11-30", False)),
        ("text", "Boise", ("Boise", False), ("Boise", False)),
    ],
)
def test_what_was_filled_in_is_stamped(
    kind: str, value: str | None, typed: tuple[str, bool], drawn: tuple[str, bool]
) -> None:
    assert stamped(SIGNER, kind, value) == [typed]
    assert stamped(DRAWN, kind, value) == [drawn]


@pytest.mark.parametrize("kind", ["signature", "initials"])
def test_a_place_that_the_signer_left_out_stays_empty(kind: str) -> None:
    assert stamped(SIGNER, kind, None, required=False) == []
    assert stamped(SIGNER, kind, "Nora L.", required=False) == [("Nora L.", False)]
