"""Sealing: one revision with the stamps, the certificate page and one certifying seal after the bytes that were sent.

The original stays as it was, byte by byte, at the beginning of the file: its hash, which every signer has signed, can
be computed from the sealed file by anyone. The seal is a PAdES signature (B-B, or B-T with a time stamp) that covers
the whole file and permits no change to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from aureum.pdf.certificate_page import PAPER, CertificatePage, draw_certificate
from aureum.pdf.overlaying import put_on
from aureum.pdf.page_tree import sheets
from aureum.pdf.refusing import Refused
from aureum.pdf.stamping import Stamp, draw_stamps

if TYPE_CHECKING:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.timestamps import TimeStamper

FIELD = "AureumSeal"
REASON = "Completed: every signer has signed"


@dataclass(frozen=True)
class Signer:
    """A brokerage's key and certificate, all as DER: *key* as PKCS#8, *chain* the certificates above, the root last."""

    name: str
    certificate: bytes
    key: bytes
    chain: Sequence[bytes] = ()
    timestamper: TimeStamper | None = None


class CannotSeal(Exception):
    """This document cannot be sealed, now or later. The text says why, for an operator; it quotes no document."""


def seal(original: bytes, stamps: Sequence[Stamp], certificate_page: CertificatePage, signer: Signer) -> bytes:
    """The sealed file, which begins with *original*. To be called in a thread without an event loop, with documents
    that ``inspecting`` has let in. Raises CannotSeal, and what the time-stamping authority's client raises."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.general import SigningError

    try:
        reader = PdfFileReader(BytesIO(original), strict=False)
        writer = IncrementalPdfFileWriter.from_reader(reader)
        add_content(writer, stamps, certificate_page)
        sealed = signed(writer, signer)
    except (PdfError, SigningError, Refused) as error:
        raise CannotSeal(f"{type(error).__name__} while sealing") from error
    if not sealed.startswith(original):
        raise CannotSeal("the sealed file does not begin with the original")
    return sealed


def add_content(writer: IncrementalPdfFileWriter, stamps: Sequence[Stamp], page: CertificatePage) -> None:
    """The stamps over their pages, and the certificate page after the last one."""
    from pyhanko.pdf_utils.reader import PdfFileReader
    from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # it has no types

    found = sheets(writer.prev)
    stamped = sorted({stamp.page for stamp in stamps})
    if stamped and not 1 <= stamped[0] <= stamped[-1] <= len(found):
        raise CannotSeal("a field stands on a page that the document does not have")
    file = BytesIO()
    canvas = Canvas(file, pageCompression=1)
    for number in stamped:
        sheet = found[number - 1]
        canvas.setPageSize((sheet.width, sheet.height))
        draw_stamps(canvas, [stamp for stamp in stamps if stamp.page == number], sheet.height)
        canvas.showPage()
    draw_certificate(canvas, page)
    canvas.save()
    drawn = PdfFileReader(BytesIO(file.getvalue()))
    put_on(writer, drawn, {number: found[number - 1] for number in stamped}, PAPER)


def signed(writer: IncrementalPdfFileWriter, signer: Signer) -> bytes:
    """The file with a certifying signature."""
    from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

    name = unused_field(writer)
    about = PdfSignatureMetadata(
        field_name=name,
        md_algorithm="sha256",
        name=signer.name,
        reason=REASON,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        subfilter=SigSeedSubFilter.PADES,
    )
    pdf_signer = PdfSigner(
        about, signer=library_signer(signer), timestamper=signer.timestamper, new_field_spec=SigFieldSpec(name)
    )
    output = BytesIO()
    pdf_signer.sign_pdf(writer, output=output)
    return output.getvalue()


def unused_field(writer: IncrementalPdfFileWriter) -> str:
    """A name that no field of the document's own form has."""
    from pyhanko.sign.fields import enumerate_sig_fields

    form: Any = writer.root.get("/AcroForm", {})
    names = {str(field.get_object().get("/T")) for field in form.get("/Fields", ())}
    names |= {found[0] for found in enumerate_sig_fields(writer)}
    return next(name for name in (FIELD, *(f"{FIELD}{count}" for count in range(2, 1000))) if name not in names)


def library_signer(signer: Signer) -> Any:
    """What signs for the library. Its own signer loads the key each time, twice a seal, which takes longer than all the
    rest."""
    from asn1crypto import x509  # type: ignore[import-untyped]  # it has no types
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.serialization import load_der_private_key
    from pyhanko.sign.signers import Signer as LibrarySigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    key = load_der_private_key(signer.key, None, unsafe_skip_rsa_key_validation=True)

    class KeySigner(LibrarySigner):
        """Signs with *key*."""

        async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
            assert digest_algorithm == "sha256"
            if isinstance(key, rsa.RSAPrivateKey):
                return bytes(key.key_size // 8) if dry_run else key.sign(data, padding.PKCS1v15(), hashes.SHA256())
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            return key.sign(data, ec.ECDSA(hashes.SHA256()))

    store = SimpleCertificateStore()
    store.register_multiple(x509.Certificate.load(one) for one in signer.chain)
    return KeySigner(signing_cert=x509.Certificate.load(signer.certificate), cert_registry=store)
