"""A brokerage's certificate for its seal: made here, or taken from a PKCS#12 file.

One that is made here comes from a root of the brokerage's own. It says to a reader no more than that all seals of this
brokerage come from one source, until the reader trusts that root. The root's key is thrown away once it has signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

DAYS = 10 * 365
"""A sealed document is kept for seven years by default, and readers judge its certificate on the day they look."""

KEY_BITS = 3072
LEAST_BITS, MOST_BITS = 2048, 8192
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""RFC 9336. Older programs know only the purpose of mail."""

MOST_BYTES = 64 * 1024
"""Of a PKCS#12 file."""

NOT_ONE = "This is not a PKCS#12 file (.p12, .pfx), or the password is wrong."
TAKES_TOO_LONG = (
    "Reading this file takes too long. Export the certificate again with an ordinary encryption, such as the one that "
    "your program offers first."
)
NO_KEY = "This file has no private key. Export the certificate together with its private key."
WRONG_KEY = "The key must be RSA of 2048 to 8192 bits, or a NIST curve (P-256, P-384, P-521)."
NOT_NOW = "This certificate has expired, or is not valid yet."
NOT_FOR_SIGNING = "This certificate is not for digital signatures. Use one for signing documents."
OTHER_KEY = "The private key in this file belongs to another certificate."


class NotUsable(Exception):
    """This file cannot be taken; the text is for the owner who uploaded it."""


@dataclass(frozen=True)
class KeyAndCertificate:
    """All as DER: *key* as PKCS#8; *chain* the certificates above, the root last."""

    key: bytes
    certificate: bytes
    chain: tuple[bytes, ...]

    @property
    def sha256(self) -> str:
        """The certificate's fingerprint."""
        return x509.load_der_x509_certificate(self.certificate).fingerprint(hashes.SHA256()).hex()

    @property
    def subject(self) -> str:
        """Whom the certificate names."""
        return subject_of(self.certificate)

    @property
    def valid_until(self) -> datetime:
        """When the certificate expires."""
        return x509.load_der_x509_certificate(self.certificate).not_valid_after_utc


def make(name: str, now: datetime) -> KeyAndCertificate:
    """A new key for the brokerage with that *name*, certified by a new root."""
    shown = name.strip()[:60] or "Brokerage"
    # Making a second RSA key would take as long again, and readers know both kinds.
    root_key = ec.generate_private_key(ec.SECP384R1())
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    root_name = common_name(f"{shown} root"[:64], shown)
    root = (
        certificate(root_name, root_name, root_key.public_key(), now, DAYS + 1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(certificates=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        certificate(common_name(shown, shown), root_name, key.public_key(), now, DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return KeyAndCertificate(private, leaf.public_bytes(Encoding.DER), (root.public_bytes(Encoding.DER),))


def certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    """What both certificates have in common. They are valid from the day before: clocks differ."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def common_name(name: str, organization: str) -> x509.Name:
    """A name as certificates have it; each part takes at most 64 letters."""
    return x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)]
    )


def usage(*, certificates: bool) -> x509.KeyUsage:
    """For certificates, or for documents."""
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=not certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def from_pkcs12(data: bytes, password: str, now: datetime) -> KeyAndCertificate:
    """What an owner has imported. To be called in a process with limits (``process``): the file may take any time.
    Raises NotUsable."""
    if len(data) > MOST_BYTES:
        raise NotUsable(NOT_ONE)
    try:
        loaded = pkcs12.load_pkcs12(data, password.encode() or None)
    except (ValueError, TypeError, UnicodeEncodeError):
        raise NotUsable(NOT_ONE) from None
    if loaded.key is None or loaded.cert is None:
        raise NotUsable(NO_KEY)
    key, own = loaded.key, loaded.cert.certificate
    strong = isinstance(key, rsa.RSAPrivateKey) and LEAST_BITS <= key.key_size <= MOST_BITS
    if not strong and not (isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name.startswith("secp")):
        raise NotUsable(WRONG_KEY)
    if key.public_key() != own.public_key():
        raise NotUsable(OTHER_KEY)
    if not own.not_valid_before_utc <= now < own.not_valid_after_utc:
        raise NotUsable(NOT_NOW)
    if not may_sign(own):
        raise NotUsable(NOT_FOR_SIGNING)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    above = chain_of(own, [one.certificate for one in loaded.additional_certs])
    return KeyAndCertificate(private, own.public_bytes(Encoding.DER), above)


def may_sign(own: x509.Certificate) -> bool:
    """Whether the certificate allows signatures. One that says nothing does."""
    try:
        allowed = own.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return allowed.digital_signature or allowed.content_commitment


def chain_of(own: x509.Certificate, others: list[x509.Certificate]) -> tuple[bytes, ...]:
    """Of *others* those above *own*, upwards."""
    above: list[bytes] = []
    current = own
    while current.issuer != current.subject:
        issuer = next((one for one in others if one.subject == current.issuer), None)
        if issuer is None or len(above) == len(others):
            break
        above.append(issuer.public_bytes(Encoding.DER))
        current = issuer
    return tuple(above)


def subject_of(der: bytes) -> str:
    """The name in a certificate that people know: the common name, else all of it."""
    subject = x509.load_der_x509_certificate(der).subject
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else subject.rfc4514_string()


def sha256_of(der: bytes) -> str:
    """A certificate's fingerprint."""
    return x509.load_der_x509_certificate(der).fingerprint(hashes.SHA256()).hex()


def pem(ders: list[bytes]) -> bytes:
    """Certificates as they are published."""
    return b"".join(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in ders)


def belongs(key: bytes, certificate_der: bytes) -> bool:
    """Whether a key is a certificate's."""
    return load_der_private_key(key, None).public_key() == x509.load_der_x509_certificate(certificate_der).public_key()
