"""``/portal/verify``: anyone learns whether the brokerage has sealed a file, and what was changed since."""

from functools import partial
from io import BytesIO

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from aureum.pdf.refusing import MOST_SEALED
from aureum.pdf.verifying import Trusted, verify
from aureum.signing.completing import attend, take
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import page
from tests.http.portal.client import Client
from tests.http.serving import Answer
from tests.pdf.test_verifying import note, text_over
from tests.signing.deals import envelope_of, sealed_file, signed_deal

CERTIFICATE = "/.well-known/aureum-signing.pem"
FORM = "multipart/form-data; boundary=b"


def uploaded(visitor: Client, data: bytes | None, language: str = "en") -> Answer:
    """The form, sent with this file."""
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%s\r\n' % (data or b"")
    body = (b"" if data is None else file) + b"--b--\r\n"
    headers = {"Content-Type": FORM, "Accept-Language": language}
    return visitor.server.ask("POST", "/portal/verify", body, headers, host=visitor.host)


async def one_sealed(store: EventStore, tenant: Tenant) -> bytes:
    """A document of the brokerage, sealed by the worker."""
    deal = await signed_deal(store, tenant.id)
    while (await envelope_of(store, deal)).state == "completing":
        due = await take(store.database)
        assert due is not None
        await attend(store, KeptBlobs(store.database), None, due)
    ((document_id, one),) = (await envelope_of(store, deal)).sealed.items()
    return await sealed_file(store, deal, document_id, one)


def changed(sealed: bytes, *changes: object) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(sealed), strict=False)
    for change in changes:
        change(writer)  # type: ignore[operator]  # one of those of the verdicts' tests
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def said(answer: Answer) -> tuple[str, str]:
    """The verdict, and all of the page."""
    return page(answer, 200).said("h2")[0], answer.body.decode()


def test_the_verdict(visitor: Client, operator: Operator, tenant: Tenant) -> None:
    assert visitor.read("/portal/verify").said("h1") == ["Check a signed document"]
    assert visitor.get(CERTIFICATE).status == 404, "nothing was ever sealed"
    sealed = operator.run(partial(one_sealed, tenant=tenant))
    verdict, text = said(uploaded(visitor, sealed))
    assert verdict == "This document is genuine and unchanged"
    assert "Snake River Realty" in text and "exactly the file that we keep" in text
    verdict, text = said(uploaded(visitor, changed(sealed, text_over, note)))
    assert verdict == "This document was changed after it was sealed"
    assert "What these pages show was changed: 1." in text and "changed on these pages: 2." in text
    assert "Without the changes it is the file that we keep." in text
    verdict, text = said(uploaded(visitor, changed(sealed, note), "es"))
    assert verdict == "Este documento se modificó después de sellarlo" and "2." in text
    for data in (b"hello", sealed[:500] + b"\0" + sealed[501:]):
        assert said(uploaded(visitor, data))[0] == "This document cannot be confirmed"
    # The published certificate alone is enough to verify.
    published = load_pem_x509_certificates(visitor.get(CERTIFICATE).body)
    own, root = published
    trusted = [Trusted(own.public_bytes(Encoding.DER), (root.public_bytes(Encoding.DER),))]
    assert verify(sealed, trusted).unchanged
    own.verify_directly_issued_by(root)


def test_what_is_sent_wrong_is_said_in_the_form(visitor: Client) -> None:
    for data, problem in ((None, "Choose a PDF file first."), (b"", "Choose a PDF file first.")):
        assert problem in uploaded(visitor, data).body.decode()
    large = uploaded(visitor, b"%PDF-" + bytes(MOST_SEALED))
    assert large.status == 422 and "too large" in large.body.decode()
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx'
    cut = visitor.server.ask("POST", "/portal/verify", body, {"Content-Type": FORM}, host=visitor.host)
    assert cut.status == 422
    assert visitor.send("/portal/verify", {"file": "x"}).status == 415


def test_it_is_limited_as_forms_are(visitor: Client, operator: Operator) -> None:
    operator.rows("DELETE FROM rate_limits RETURNING 1")
    statuses = [uploaded(visitor, None).status for _ in range(62)]
    operator.rows("DELETE FROM rate_limits RETURNING 1")
    # Thirty a minute; another minute may begin meanwhile.
    assert set(statuses) == {422, 429} and statuses[:30] == [422] * 30
