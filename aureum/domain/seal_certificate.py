"""The key and the certificate by which a brokerage seals documents: the ones in use, and all certificates before."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple
from uuid import UUID, uuid5

from aureum.domain.aggregate import ERASED, Aggregate, Created

NAME = "seal certificate"


def seal_certificate_of(tenant_id: UUID) -> UUID:
    """The id of the brokerage's stream: it has one."""
    return uuid5(tenant_id, NAME)


class Issued(NamedTuple):
    """A certificate with those above it, the root last, as DER. ``imported``: an owner has brought it."""

    certificate: bytes
    chain: tuple[bytes, ...]
    imported: bool
    since: datetime


class SealCertificate(Aggregate):
    """The aggregate. The key is encrypted at rest like a person's data, with a key of this stream. It never leaves the
    installation; ``key`` is empty where it stayed at another one."""

    key: bytes
    issued: tuple[Issued, ...]

    def __init__(self) -> None:
        """Made.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of the events. ``certificate`` and ``chain`` are DER in base64, ``key`` is PKCS#8 in base64."""

    class Made(Event, Created):
        """The brokerage has its first certificate."""

        TOPIC: ClassVar[str] = "seal_certificate.made"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("key",))
        SECRET: ClassVar[frozenset[str]] = frozenset(("key",))

        key: str
        certificate: str
        chain: list[str]
        imported: bool

        def apply(self, aggregate: "SealCertificate") -> None:
            aggregate.issued = ()
            take(aggregate, self)

    class Replaced(Event):
        """The brokerage seals with another key and certificate from now on."""

        TOPIC: ClassVar[str] = "seal_certificate.replaced"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("key",))
        SECRET: ClassVar[frozenset[str]] = frozenset(("key",))

        key: str
        certificate: str
        chain: list[str]
        imported: bool

        def apply(self, aggregate: "SealCertificate") -> None:
            take(aggregate, self)

    @property
    def current(self) -> Issued:
        """The certificate in use."""
        return self.issued[-1]

    @classmethod
    def make(
        cls, tenant_id: UUID, at: datetime, key: bytes, certificate: bytes, chain: Sequence[bytes], *, imported: bool
    ) -> "SealCertificate":
        """The first one of a brokerage."""
        return cls._create(
            cls.Made,
            id=seal_certificate_of(tenant_id),
            timestamp=at,
            key=text(key),
            certificate=text(certificate),
            chain=[text(one) for one in chain],
            imported=imported,
        )

    def replace(self, at: datetime, key: bytes, certificate: bytes, chain: Sequence[bytes], *, imported: bool) -> None:
        """Use another one; the one in use already records nothing, unless its key had stayed elsewhere."""
        if certificate == self.current.certificate and self.key:
            return
        self.trigger_event(
            self.Replaced,
            timestamp=at,
            key=text(key),
            certificate=text(certificate),
            chain=[text(one) for one in chain],
            imported=imported,
        )


def text(data: bytes) -> str:
    """Bytes as events have them."""
    return b64encode(data).decode()


def take(aggregate: SealCertificate, event: SealCertificate.Made | SealCertificate.Replaced) -> None:
    """What both events do. A key that stayed at another installation is null in the event, and one whose own key is
    gone reads as erased."""
    aggregate.key = b"" if event.key in (None, "", ERASED) else b64decode(event.key)
    issued = Issued(
        b64decode(event.certificate), tuple(b64decode(one) for one in event.chain), event.imported, event.timestamp
    )
    aggregate.issued = (*aggregate.issued, issued)
