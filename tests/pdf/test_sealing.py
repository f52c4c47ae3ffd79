"""Seals: the original stays a prefix, stamps stand where the page shows them, and other programs agree."""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pytest
from asn1crypto import cms  # type: ignore[import-untyped]  # it has no types
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs12,
)
from cryptography.x509 import load_der_x509_certificate
from PIL import Image

from aureum.pdf import process
from aureum.pdf.certificates import NotUsable, certificate, common_name, from_pkcs12, usage
from aureum.pdf.fonts import missing_letters, signature_font
from aureum.pdf.overlaying import left_open
from aureum.pdf.sealing import CannotSeal, Signer, seal
from aureum.pdf.stamping import Stamp
from aureum.pdf.verifying import Trusted, verify
from tests.pdf.making import PAGE, PLAIN, document, hybrid, packed, raw, stream
from tests.pdf.sealed import AT, HARBOR, judges, key_of, page, pdfsig, qpdf, signer, trusted


def stamp(kind: str = "signature", number: int = 1, text: str = "Łukasz Müller") -> Stamp:
    return Stamp(kind, number, 100, 200, 180, 45, text, caption="Signed 2026-11-30")  # type: ignore[arg-type]  # kinds


def png(size: tuple[int, int] = (300, 100)) -> bytes:
    file = BytesIO()
    Image.new("RGBA", size, (0, 0, 0, 255)).save(file, "PNG")
    return file.getvalue()


HELVETICA = b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"

ORIGINALS: Mapping[str, bytes] = {
    "ordinary": document(3, "Sign: /sig:buyer1/"),
    "with two kinds of tables": hybrid(),
    "with a stream of objects": packed(b"<</A 1>>"),
    "without content": raw(PLAIN, changed={3: PAGE.replace(b"/Contents 4 0 R", b"")}),
    "with content in parts": raw(
        PLAIN, changed={3: PAGE.replace(b"4 0 R", b"[4 0 R 9 0 R]"), 4: stream(b"q"), 9: stream(b"1 0 0 1 9 9 cm")}
    ),
    "with resources of the tree": raw(
        PLAIN,
        changed={
            2: b"<</Type/Pages/Kids[3 0 R]/Count 1/Rotate 90" + HELVETICA + b">>",
            3: PAGE.replace(b"/Resources<<>>", b""),
            4: stream(b"BT /F 9 Tf 50 50 Td (mine) Tj ET"),
        },
    ),
    "with a form": raw(
        PLAIN,
        changed={1: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[9 0 R]>>>>", 9: b"<</FT/Tx/T(AureumSeal)/V(x)>>"},
    ),
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_the_original_is_a_prefix(name: str) -> None:
    original = ORIGINALS[name]
    sealed = seal(original, [stamp()], page(original), signer())
    assert sealed.startswith(original)
    verdict = verify(sealed, trusted())
    assert (verdict.unchanged, verdict.by, verdict.problems) == (True, "Harbor Realty", ())
    shown = pypdfium2.PdfDocument(sealed)
    assert len(shown) == len(pypdfium2.PdfDocument(original)) + 1
    assert "Müller" in shown[0].get_textpage().get_text_range()
    last = shown[len(shown) - 1].get_textpage().get_text_range()
    assert "Certificate of completion" in last
    assert hashlib.sha256(original).hexdigest() in last and "192.0.2.1" in last and "I may ask for paper." in last


@judges
@pytest.mark.parametrize("name", ORIGINALS)
def test_other_programs_find_it_right(name: str, tmp_path: Path) -> None:
    original = ORIGINALS[name]
    sealed = seal(original, [stamp(), replace(stamp(text="שלום כהן"), y=300)], page(original), signer())
    said = pdfsig(sealed, tmp_path)
    assert "Signature is Valid." in said and "Total document signed" in said and said.count("Signature #") == 1
    assert "ETSI.CAdES.detached" in said and "Harbor Realty" in said
    assert "No syntax or stream encoding errors found" in qpdf(sealed, tmp_path)


def ink(shown: "pypdfium2.PdfPage", box: tuple[float, float, float, float] | None = None) -> int:
    """How many dark points a page has, or a box of it, in points from its top left."""
    return sum(shown.render(scale=1).to_pil().convert("L").crop(box).histogram()[:128])


@pytest.mark.parametrize(
    "entries", [b"", b"/Rotate 90", b"/Rotate 180", b"/Rotate 270", b"/CropBox[60 50 500 700]/Rotate 90"]
)
def test_stamps_stand_where_the_page_shows_them(entries: bytes) -> None:
    # The content leaves the page turned, enlarged and clipped.
    messy = b"q 2 0 0 2 7 7 cm q 0 1 -1 0 50 50 cm 0 0 1 1 re W n (q) Tj"
    original = raw(PLAIN, changed={3: PAGE.replace(b"/Resources<<>>", b"/Resources<<>>" + entries), 4: stream(messy)})
    black = Stamp("signature", 1, 100, 150, 120, 40, picture=png())
    shown = pypdfium2.PdfDocument(seal(original, [black], page(original), signer()))[0]
    assert ink(shown, (101, 151, 219, 189)) == 118 * 38, "black all over"
    assert ink(shown) <= 124 * 44, "and nothing elsewhere"


def test_states_left_open_are_counted() -> None:
    assert left_open(b"q q Q q") == 2
    assert left_open(b"q (q \\) (q) q) Tj % q\n /q gs <71> q Q") == 1
    assert left_open(b"q BI /W 1 ID q q q EI Q") == 0
    assert left_open(b"Q Q q") == 1


def test_every_kind_of_stamp_shows() -> None:
    original = document(2)
    stamps = [
        stamp("signature", 1, "Владимир"),
        replace(stamp("text", 1, "李小龍 and გ"), y=300, caption=""),
        replace(stamp("date", 1, "2026-11-30"), y=350),
        replace(stamp("checkbox", 2, "yes"), x=400, width=20, height=20),
        replace(stamp("checkbox", 2, ""), x=300, width=20, height=20),
    ]
    shown = pypdfium2.PdfDocument(seal(original, stamps, page(original), signer()))
    text = shown[0].get_textpage().get_text_range()
    assert "Владимир" in text and " and " in text and "[U+10D2]" in text and "2026-11-30" in text
    assert ink(shown[0], (100, 300, 134, 345)) > 50, "outlines are no text"
    # Of two boxes, the one that was checked has a mark.
    assert ink(shown[1], (400, 200, 420, 220)) > 10 and ink(shown[1], (300, 200, 320, 220)) == 0
    with pytest.raises(CannotSeal, match="a page that the document does not have"):
        seal(original, [stamp(number=3)], page(original), signer())
    with pytest.raises(CannotSeal):
        seal(b"%PDF-1.7 nothing", [], page(original), signer())


def test_a_long_certificate_goes_on_the_next_page() -> None:
    original = document(1)
    long = page(original, name="W" * 300, acts=120)
    shown = pypdfium2.PdfDocument(seal(original, [], long, signer()))
    assert len(shown) > 4
    for number in range(1, len(shown)):
        assert f"certificate page {number}" in shown[number].get_textpage().get_text_range()


@pytest.mark.parametrize(
    ("text", "missing", "font"),
    [
        ("Łukasz Żółw-O’Neill, Jr.", "", "AureumHand"),
        ("Владимир Ж.", "", "AureumHand"),
        ("Ngô Đình Diề", "", "AureumItalic"),
        ("Ελένη", "", "AureumItalic"),
        ("e\u0301lan", "", "AureumHand"),
        ("李小龍 Lee 李", "", "AureumText"),
        ("שלום כהן, 12", "", "AureumText"),
        ("می\u200cخواهم", "", "AureumText"),
        ("Ann გიგა", "გია", "AureumText"),
        ("Ann 🏠\u202e", "🏠\u202e", "AureumText"),
    ],
)
def test_letters_that_no_font_has_are_found_before(text: str, missing: str, font: str) -> None:
    assert (missing_letters(text), signature_font(text)) == (missing, font)


def p12(key: object, certificate: bytes, password: bytes = b"secret") -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"seal",
        key,  # type: ignore[arg-type]  # one of several kinds of keys
        load_der_x509_certificate(certificate),
        [load_der_x509_certificate(one) for one in key_of(HARBOR).chain],
        BestAvailableEncryption(password),
    )


def test_an_imported_certificate_seals() -> None:
    made = key_of(HARBOR)
    file = p12(load_der_private_key(made.key, None), made.certificate)
    imported = from_pkcs12(file, "secret", AT)
    assert imported == made
    original = document(1)
    sealed = seal(original, [], page(original), Signer("X", imported.certificate, imported.key, imported.chain))
    assert verify(sealed, [Trusted(imported.certificate, imported.chain)]).unchanged
    refused = [
        (file, "wrong", AT, "password"),
        (b"nothing", "secret", AT, "PKCS#12"),
        (bytes(100_000), "secret", AT, "PKCS#12"),
        (file, "\ud800", AT, "PKCS#12"),
        (file, "secret", AT - timedelta(days=9), "expired, or is not valid yet"),
        (file, "secret", AT + timedelta(days=4000), "expired"),
        (p12(None, made.certificate), "secret", AT, "no private key"),
    ]
    for data, password, at, why in refused:
        with pytest.raises(NotUsable, match=why):
            from_pkcs12(data, password, at)


def with_a_zero_at_the_end(sealed: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The sealed file, signed until the last byte of the signature is zero, as one in 256 is by chance."""
    found = re.search(rb"/Contents ?<([0-9A-F]+)>", sealed)
    assert found is not None
    content = cms.ContentInfo.load(bytes.fromhex(found[1].decode()), strict=False)
    (signed,) = content["content"]["signer_infos"]
    attributes = signed["signed_attrs"].untag().dump()
    while (signature := key.sign(attributes, ec.ECDSA(hashes.SHA256())))[-1] != 0:
        pass
    signed["signature"] = signature
    written = content.dump(force=True)
    assert written[-1] == 0
    before, after = sealed[: found.start(1)], sealed[found.end(1) :]
    return before + bytes(written.hex().upper(), "ascii").ljust(len(found[1]), b"0") + after


@judges
def test_a_signature_that_ends_with_a_zero_is_whole(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = common_name(HARBOR, HARBOR)
    leaf = certificate(name, name, key.public_key(), AT, 9).add_extension(usage(certificates=False), critical=True)
    own = leaf.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    original = document(1)
    sealed = with_a_zero_at_the_end(seal(original, [], page(original), Signer(HARBOR, own, private, ())), key)
    assert "Signature is Valid" in pdfsig(sealed, tmp_path)
    assert verify(sealed, [Trusted(own, ())]).unchanged


def test_a_file_that_takes_for_ever_to_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made = key_of(HARBOR)
    file = p12(load_der_private_key(made.key, None), made.certificate)
    assert asyncio.run(process.certificate_in(file, "secret", AT)) == made
    with pytest.raises(NotUsable, match="password"):
        asyncio.run(process.certificate_in(file, "\ud800", AT))
    # How often the password is hashed is said by the file itself.
    hostile = asn1_pkcs12.Pfx.load(file)
    hostile["mac_data"]["iterations"] = 2**31 - 1
    monkeypatch.setattr(process, "CERTIFICATE_SECONDS", 1.0)
    with pytest.raises(NotUsable, match="takes too long"):
        asyncio.run(process.certificate_in(hostile.dump(force=True), "secret", AT))
