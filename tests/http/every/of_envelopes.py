"""What to send to the endpoints of envelopes, templates and seals."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from aureum.domain.ids import aureum_time, now
from tests.http import sending
from tests.http.every.call import NUMBERS
from tests.http.every.declared import declared
from tests.pdf.making import document

if TYPE_CHECKING:
    from tests.http.every.sample import Sample


def pkcs12_file() -> dict[str, str]:
    """Another key, with its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Snake River Realty")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    file = pkcs12.serialize_key_and_certificates(None, key, certificate, None, BestAvailableEncryption(b"secret"))
    return {"file": b64encode(file).decode(), "password": "secret"}


def with_certificate(sample: Sample) -> dict[str, Any]:
    """A brokerage that has sealed a document, or has imported a certificate."""
    put = declared("POST", "/api/v1/admin/signing/certificate")
    assert put is not None
    sample.succeed(put, sample.call(put))
    return {}


def to_send(sample: Sample) -> dict[str, Any]:
    """A draft that can be sent."""
    people = [sending.person(1, name=f"Jane {sample.mark}", email=f"jane.{sample.mark}@example.com")]
    return sending.ready(sample.server, sample.operator, sample.tenant, *people, subject=f"Offer {sample.mark}")


def of_envelope(action: str, body: dict[str, Any] | None = None) -> Callable[[Sample], dict[str, Any]]:
    """What is done with an envelope that was sent, or with its recipient."""

    def recipe(sample: Sample) -> dict[str, Any]:
        path = f"/api/envelopes/{(made := to_send(sample))['id']}"
        if action != "send":
            sending.asked(sample.server, sample.tenant, "POST", f"{path}/send")
        recipient = made["recipients"][0]["id"]
        return {"path": f"{path}/{action.replace('{recipientId}', recipient)}", "body": body}

    return recipe


def extended(sample: Sample) -> dict[str, Any]:
    """A later deadline of an envelope."""
    return of_envelope("extend", {"deadline": aureum_time(now() + timedelta(days=60))})(sample)


def uploading(sample: Sample) -> dict[str, Any]:
    """A PDF for a draft."""
    person = sending.person(1, name=f"Jane {sample.mark}", email=f"jane.{sample.mark}@example.com")
    made = sending.draft(sample.server, sample.tenant, person, subject=f"Offer {sample.mark}")
    return {
        "path": f"/api/envelopes/{made['id']}/documents",
        "query": {"name": f"Offer {sample.mark}.pdf"},
        "body": document(1, f"Offer {sample.mark} {next(NUMBERS)}"),
        "headers": {"Content-Type": "application/pdf"},
    }


def uploaded(sample: Sample) -> dict[str, Any]:
    """A document of a draft."""
    sent = uploading(sample)
    answer = sample.server.by_key(sample.tenant, "POST", sent["path"], sent["body"], sent["headers"])
    assert answer.status == 201, answer.body
    return {"path": f"{sent['path']}/{answer.json['id']}"}


def filling(sample: Sample) -> dict[str, Any]:
    """A PDF for a template."""
    return uploading(sample) | {"path": f"/api/envelope-templates/{sample.make('/api/envelope-templates')}/documents"}


def filled(sample: Sample) -> dict[str, Any]:
    """A document of a template."""
    sent = filling(sample)
    answer = sample.server.by_key(sample.tenant, "POST", sent["path"], sent["body"], sent["headers"])
    assert answer.status == 201, answer.body
    return {"path": f"{sent['path']}/{answer.json['id']}"}
