"""``/api/v1/admin/signing/certificate``: the certificate by which a brokerage seals documents. For owners."""

import base64
from functools import partial
from typing import Annotated

from pydantic import ConfigDict, Field, SecretBytes, SecretStr
from starlette.responses import Response

from aureum.commands.seal_certificates import (
    ImportCertificate,
    RenewCertificate,
    import_certificate,
    renew_certificate,
    seal_certificate,
    valid_until,
)
from aureum.domain.brokerage import Brokerage
from aureum.domain.errors import Invalid, NotFound
from aureum.domain.ids import PLATFORM, leads_time
from aureum.domain.seal_certificate import SealCertificate
from aureum.http.access.roles import check_manager
from aureum.http.api.routing.settings import OfBrokerage
from aureum.http.api.staff.scope import NO_BROKERAGE, in_brokerage
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.contract.resource import run_once, unless_known
from aureum.http.wire.characters import Characters
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape

PATH = "/api/v1/admin/signing/certificate"

LONGEST = 90_000
"""Of a file in base64."""

NONE_YET = "This brokerage has no certificate yet. One is made when the first document is sealed."
NOT_BASE64 = "file must be a PKCS#12 file (.p12, .pfx) in base64."


class CertificateImport(Body):
    """A key with its certificate."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"file": "MIIKdgIBAzCCCi8GCSqGSIb3…", "password": "secret"}}
    )

    file: Annotated[
        str,
        Characters(limit=LONGEST, lines=False),
        Field(
            description="The PKCS#12 file (.p12, .pfx) in base64. It holds the private key, its certificate, and those "
            "above it."
        ),
    ]
    password: Annotated[str, Characters(limit=1_000, lines=False), Field(description="The password of the file.")]


class CertificateResponse(Shape):
    """The certificate of the brokerage's seal. Its key is never shown."""

    subject: Annotated[str, Field(description="The name in the certificate.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="The fingerprint of the certificate.")]
    valid_until: Annotated[str, Field(description="When the certificate expires.")]
    imported: Annotated[bool, Field(description="`true` if an owner imported it, `false` if Aureum made it.")]
    since: Annotated[str, Field(description="When the brokerage began to use it.")]


def body(found: SealCertificate) -> bytes:
    """The answer."""
    return encoded(shown(found))


def shown(found: SealCertificate) -> dict[str, object]:
    """The certificate in use."""
    from aureum.pdf.certificates import sha256_of, subject_of

    issued = found.current
    return {
        "subject": subject_of(issued.certificate),
        "sha256": sha256_of(issued.certificate),
        "valid_until": leads_time(valid_until(issued.certificate)),
        "imported": issued.imported,
        "since": leads_time(issued.since),
    }


async def get_certificate(context: Context, of: OfBrokerage) -> Response:
    """Returns the certificate that the brokerage seals documents with. It is made when the first document is sealed.
    Until then the response is 404."""
    check_manager(context.caller.role)
    context = await in_brokerage(context, of.brokerage_id, "show a certificate")
    found = await seal_certificate(context.app.store, context.tenant_id)
    if found is None:
        raise NotFound(NONE_YET)
    return unless_known(context, body(found), found.version)


async def post_certificate(context: Context, of: OfBrokerage, change: CertificateImport) -> Response:
    """Imports a certificate, such as one that a trust service has issued, and seals with it from now on. Earlier ones
    are kept, because documents that they have sealed are verified with them."""
    check_manager(context.caller.role)
    context = await in_brokerage(context, of.brokerage_id, "import a certificate")
    try:
        file = base64.b64decode(change.file, validate=True)
    except ValueError as error:
        raise Invalid("file", NOT_BASE64) from error
    command = ImportCertificate(
        tenant_id=context.tenant_id, file=SecretBytes(file), password=SecretStr(change.password)
    )
    return await run_once(context, partial(import_certificate, context.app.store, command), body)


async def renew(context: Context, of: OfBrokerage) -> Response:
    """Makes a new key and certificate for the brokerage, and seals with it from now on. Earlier ones are kept."""
    check_manager(context.caller.role)
    context = await in_brokerage(context, of.brokerage_id, "renew a certificate")
    brokerage = (await context.app.store.load(PLATFORM, context.tenant_id)).aggregate()
    if not isinstance(brokerage, Brokerage):
        raise NotFound(NO_BROKERAGE)
    command = RenewCertificate(tenant_id=context.tenant_id, name=brokerage.name)
    return await run_once(context, partial(renew_certificate, context.app.store, command), body)


certificate = partial(
    Endpoint,
    path=PATH,
    access=STAFF,
    dialect="leads",
    query=OfBrokerage,
    answers=CertificateResponse,
    refusals=(400, 403, 404),
)

ENDPOINTS = (
    certificate(method="GET", run=get_certificate, summary="Get the certificate of the seal"),
    certificate(
        method="POST",
        run=post_certificate,
        summary="Import a certificate for the seal",
        body=CertificateImport,
    ),
    certificate(method="POST", path=f"{PATH}/renew", run=renew, summary="Make a new certificate for the seal"),
)
