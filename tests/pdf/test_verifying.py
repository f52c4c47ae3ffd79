"""Verdicts about sealed files. pdfsig calls two kinds of tampering valid; here no changed byte is ever "unchanged"."""

import asyncio
import re
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import keys, x509  # type: ignore[import-untyped]  # it has no types
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PageObject, copy_into_new_writer
from pyhanko.sign import signers
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from aureum.pdf.sealing import Signer, seal
from aureum.pdf.stamping import Stamp
from aureum.pdf.verifying import PROBLEMS, ProblemCode, verify
from tests.pdf.making import document
from tests.pdf.sealed import HARBOR, judges, key_of, page, pdfsig, signer, trusted

ORIGINAL = document(2, "The price is 100,000 dollars.")


@cache
def sealed(name: str = HARBOR) -> bytes:
    return seal(ORIGINAL, [Stamp("signature", 1, 100, 200, 180, 45, "Ann")], page(ORIGINAL), signer(name))


def updated(change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """The sealed file with an incremental update."""
    writer = IncrementalPdfFileWriter(BytesIO(sealed()), strict=False)
    change(writer)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def text_over(writer: IncrementalPdfFileWriter) -> None:
    drawing = writer.add_object(generic.StreamObject(stream_data=b"BT /F1 12 Tf 72 600 Td (1 dollar) Tj ET"))
    writer.add_stream_to_page(0, drawing)


def note(writer: IncrementalPdfFileWriter) -> None:
    entries = {
        pdf_name("/Type"): pdf_name("/Annot"),
        pdf_name("/Subtype"): pdf_name("/FreeText"),
        pdf_name("/Contents"): generic.pdf_string("1 dollar"),
        pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(side) for side in (72, 600, 200, 620)]),
    }
    reference = writer.find_page_for_modification(1)[0]
    writer.register_annotation(reference, writer.add_object(generic.DictionaryObject(entries)))


def another_page(writer: IncrementalPdfFileWriter) -> None:
    box = generic.ArrayObject([generic.NumberObject(side) for side in (0, 0, 612, 792)])
    writer.insert_page(PageObject(writer.add_object(generic.StreamObject(stream_data=b"")), box))


def other_content(writer: IncrementalPdfFileWriter) -> None:
    """The same reference, and other content behind it."""
    content = writer.find_page_for_modification(1)[0].get_object().raw_get("/Contents")
    writer.objects[(content.generation, content.idnum)] = generic.StreamObject(stream_data=b"BT ET")


def title(writer: IncrementalPdfFileWriter) -> None:
    about = generic.DictionaryObject({pdf_name("/Title"): generic.pdf_string("Another title")})
    writer.set_info(writer.add_object(about))


def another_signature() -> bytes:
    """A stranger's certificate signs all of the sealed file."""
    made = key_of("A Stranger")
    other = signers.SimpleSigner(
        x509.Certificate.load(made.certificate), keys.PrivateKeyInfo.load(made.key), SimpleCertificateStore()
    )
    output = BytesIO()
    steps = PdfCMSEmbedder().write_cms("Other", IncrementalPdfFileWriter(BytesIO(sealed()), strict=False))
    next(steps)
    steps.send(SigObjSetup(sig_placeholder=SignatureObject(bytes_reserved=16384)))
    digest = steps.send(SigIOSetup(md_algorithm="sha256", output=output))[0].document_digest
    steps.send(asyncio.run(other.async_sign(digest, "sha256")))
    return output.getvalue()


def rewritten() -> bytes:
    output = BytesIO()
    copy_into_new_writer(PdfFileReader(BytesIO(sealed()), strict=False)).write(output)
    return output.getvalue()


def spelt(change: Callable[[bytes], bytes]) -> bytes:
    """The sealed file with the same signature, spelt otherwise."""
    found = re.search(rb"/Contents ?<([0-9A-F]+)>", sealed())
    assert found is not None
    return sealed()[: found.start(1)] + change(found[1]) + sealed()[found.end(1) :]


def flipped(place: int) -> bytes:
    data = bytearray(sealed())
    data[place] ^= 1
    return bytes(data)


TAMPERED: Mapping[str, tuple[Callable[[], bytes], ProblemCode | set[ProblemCode]]] = {
    "a byte of the original": (lambda: flipped(len(ORIGINAL) // 2), {"broken", "unreadable"}),
    "a byte of the stamps": (lambda: flipped(len(ORIGINAL) + 1000), {"broken", "unreadable"}),
    "text over a page": (lambda: updated(text_over), "changed"),
    "a note": (lambda: updated(note), "changed"),
    "another page": (lambda: updated(another_page), "changed"),
    "other content": (lambda: updated(other_content), "changed"),
    "another title": (lambda: updated(title), "changed"),
    "an empty update": (lambda: updated(lambda writer: writer.update_root()), "changed"),
    "a byte at the end": (lambda: sealed() + b"\n", {"changed", "unreadable"}),
    "a stranger's signature": (another_signature, "changed"),
    "a stranger's seal": (lambda: sealed("A Stranger"), "other_seal"),
    "written anew": (rewritten, {"not_sealed", "broken", "unreadable"}),
    "the end cut off": (lambda: sealed()[:-100], {"broken", "unreadable"}),
    "a seal in small letters": (lambda: spelt(bytes.lower), "not_whole"),
    "a seal with data behind it": (lambda: spelt(lambda written: written[:-4] + b"CAFE"), {"not_whole", "unreadable"}),
    "the original": (lambda: ORIGINAL, "not_sealed"),
    "no PDF": (lambda: b"hello", "not_a_pdf"),
    "nothing": (lambda: b"", "not_a_pdf"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering_is_found(name: str) -> None:
    make, expected = TAMPERED[name]
    verdict = verify(make(), trusted())
    assert not verdict.unchanged
    assert len(verdict.problems) == 1
    assert verdict.problems[0] in (expected if isinstance(expected, set) else {expected})
    assert verdict.texts[0] == PROBLEMS[verdict.problems[0]]
    assert verdict.intact == (verdict.problems[0] in ("changed", "not_whole"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (text_over, "What these pages show was changed: 1."),
        (other_content, "What these pages show was changed: 2."),
        (note, "Notes or form fields were added or changed on these pages: 2."),
        (another_page, "The file had 3 pages when it was sealed, and has 4 now."),
        (title, "Only data that no page shows was changed."),
    ],
)
def test_what_was_changed_is_said(change: Callable[[IncrementalPdfFileWriter], None], said: str) -> None:
    verdict = verify(updated(change), trusted())
    assert said in verdict.texts and len(verdict.changes) == 2
    # What was sealed can still be compared with what the brokerage has kept.
    assert verdict.sealed_sha256 == verify(sealed(), trusted()).sha256


def test_unchanged() -> None:
    verdict = verify(sealed(), trusted("A Stranger", "Harbor Realty"))
    assert (verdict.sealed, verdict.intact, verdict.unchanged) == (True, True, True)
    assert (verdict.by, verdict.texts) == ("Harbor Realty", ())
    assert verdict.certificate_sha256 == key_of(HARBOR).sha256
    assert verdict.sealed_sha256 == verdict.sha256
    assert verdict.at is not None and not verdict.time_stamped
    assert verify(sealed(), []).problems == ("other_seal",)


@judges
@pytest.mark.parametrize("change", [text_over, note])
def test_pdfsig_calls_this_valid(change: Callable[[IncrementalPdfFileWriter], None], tmp_path: Path) -> None:
    """So a reader who trusts it alone is deceived, and needs our verdict."""
    said = pdfsig(updated(change), tmp_path)
    assert "Signature is Valid" in said and "Not total document signed" in said
    assert "Digest Mismatch" in pdfsig(flipped(len(ORIGINAL) // 2), tmp_path)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_changed_byte_is_unchanged(data: st.DataObject) -> None:
    whole = sealed()
    found = re.search(rb"/Contents ?<([0-9A-F]+?)0*>", whole)
    assert found is not None
    # Most of them in the seal itself, which is what it does not cover.
    place = data.draw(st.one_of(st.integers(0, len(whole) - 1), st.integers(found.start(1), found.end(1))))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.sampled_from([1, 0x20]) | st.integers(1, 255))
    assert not verify(bytes(changed), trusted()).unchanged


@settings(max_examples=12, deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_nothing_can_be_added(more: bytes) -> None:
    for changed in (sealed() + more, sealed() + more + b"\nstartxref\n0\n%%EOF\n", more + sealed()):
        assert not verify(changed, trusted()).unchanged


def test_a_time_stamp() -> None:
    authority = key_of("A Time Stamping Authority")
    stamper = DummyTimeStamper(x509.Certificate.load(authority.certificate), keys.PrivateKeyInfo.load(authority.key))
    made = key_of(HARBOR)
    whole = seal(ORIGINAL, [], page(ORIGINAL), Signer("H", made.certificate, made.key, made.chain, stamper))
    verdict = verify(whole, trusted())
    assert verdict.unchanged and verdict.time_stamped and verdict.at is not None
    assert not verify(whole + b" ", trusted()).unchanged
