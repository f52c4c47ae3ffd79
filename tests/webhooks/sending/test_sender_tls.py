"""Sending over TLS: the name in the URL is what the certificate must be for, although an address was connected to."""

import asyncio
import datetime
import ssl
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from aureum.webhooks.sending.addresses import Network
from aureum.webhooks.sending.resolver import GuardedResolver
from aureum.webhooks.sending.results import Failure
from aureum.webhooks.sending.sender import Sender
from tests.webhooks.conftest import Run
from tests.webhooks.receiver import Receiver, receiving, text

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"),)
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


class Certificate:
    """A self-signed certificate for *name*: what a server shows, and what a client that trusts it needs."""

    def __init__(self, folder: Path, name: str, *, ends: datetime.datetime = NOW + DAY) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 3 * DAY)
            .not_valid_after(ends)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        self.certificate = certificate.public_bytes(pem)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(
            self.certificate + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        self.asked: list[str | None] = []

    def server(self) -> ssl.SSLContext:
        """Notes in ``asked`` which name each client asks for (SNI)."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.file)

        def note(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
            self.asked.append(name)

        context.sni_callback = note
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.certificate.decode())


def sender(tls: ssl.SSLContext | None) -> Sender:
    """Every name leads to loopback."""
    return Sender(LOOPBACK, timeout=5, tls=tls, resolver=GuardedResolver(LOOPBACK, lookup=lambda host: ["127.0.0.1"]))


async def failure(receiver: Receiver, tls: ssl.SSLContext | None, name: str = "hook.example") -> Failure | None:
    async with sender(tls) as sending:
        return (await sending.send(f"https://{name}:{receiver.port}/", {}, b"{}")).error


def test_the_name_is_asked_for_and_verified(run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        certificate = Certificate(tmp_path, "hook.example")
        async with receiving(text("200 OK"), tls=certificate.server()) as receiver:
            async with sender(certificate.client()) as sending:
                for _ in range(2):
                    result = await sending.send(f"https://hook.example:{receiver.port}/x", {}, b"{}")
                    assert (result.status, result.error) == (200, None)
            assert certificate.asked == ["hook.example"] and receiver.connections == 1, "the connection is kept"
            assert await failure(receiver, certificate.client(), "other.example") == Failure.TLS
            assert len(receiver.requests) == 2

    run(scenario())


def test_an_unknown_authority_is_refused(run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with receiving(text("200 OK"), tls=Certificate(tmp_path, "hook.example").server()) as receiver:
            assert await failure(receiver, None) == Failure.TLS
            assert not receiver.requests

    run(scenario())


def test_an_expired_certificate_is_refused(run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        certificate = Certificate(tmp_path, "hook.example", ends=NOW - DAY)
        async with receiving(text("200 OK"), tls=certificate.server()) as receiver:
            assert await failure(receiver, certificate.client()) == Failure.TLS
            assert not receiver.requests

    run(scenario())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_tls_older_than_1_2_is_refused(run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        certificate = Certificate(tmp_path, "hook.example")
        old = certificate.server()
        old.minimum_version, old.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        async with receiving(text("200 OK"), tls=old) as receiver:
            assert await failure(receiver, certificate.client()) in (Failure.TLS, Failure.RESET)
            assert not receiver.requests

    run(scenario())


def test_a_server_without_tls_is_never_sent_anything_in_clear(run: Run) -> None:
    async def scenario() -> None:
        heard: list[bytes] = []

        async def answer_in_clear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(65536))
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(answer_in_clear, "127.0.0.1", 0)
        async with server, sender(None) as sending:
            port = server.sockets[0].getsockname()[1]
            result = await sending.send(f"https://hook.example:{port}/", {}, b"{secret}")
        assert (result.status, result.error) == (None, Failure.TLS)
        (hello,) = heard
        assert hello.startswith(b"\x16\x03") and b"secret" not in hello, "a TLS handshake, and nothing else"

    run(scenario())
