"""A brokerage's connection to its DocuSign account: in whose name envelopes are sent, and the keys for it."""

from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID, uuid5

from aureum.domain.aggregate import ERASED, Aggregate, Created
from aureum.domain.errors import Invalid

NAME = "docusign connection"

CONNECT_KEYS_MOST = 100
"""DocuSign signs a call with each key that is active in its admin; its headers count that far."""

KEY_LONGEST = 500
KEY_SHORTEST = 16


def connection_of(tenant_id: UUID) -> UUID:
    """The id of the brokerage's connection: it has one."""
    return uuid5(tenant_id, NAME)


class DocusignConnection(Aggregate):
    """The aggregate. Its keys are encrypted at rest like a person's data, with a key of this stream.

    ``production``: the account is one of DocuSign's production servers, not of its demo servers. ``private_key``:
    an RSA key in PEM, empty where it stayed at another installation. ``connect_keys``: by which Connect signs calls.
    """

    integration_key: str
    user_id: str
    account_id: str
    production: bool
    private_key: str
    connect_keys: tuple[str, ...]
    connected: bool

    def __init__(self) -> None:
        """Connected.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a connection's events."""

    class Connected(Event, Created):
        """The brokerage was connected for the first time."""

        TOPIC: ClassVar[str] = "docusign.connected"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("private_key", "connect_keys"))
        SECRET: ClassVar[frozenset[str]] = frozenset(("private_key", "connect_keys"))

        integration_key: str
        user_id: str
        account_id: str
        production: bool
        private_key: str
        connect_keys: str

        def apply(self, aggregate: "DocusignConnection") -> None:
            assign(aggregate, self)

    class Reconnected(Event):
        """The brokerage was connected again, or got other keys."""

        TOPIC: ClassVar[str] = "docusign.reconnected"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("private_key", "connect_keys"))
        SECRET: ClassVar[frozenset[str]] = frozenset(("private_key", "connect_keys"))

        integration_key: str
        user_id: str
        account_id: str
        production: bool
        private_key: str
        connect_keys: str

        def apply(self, aggregate: "DocusignConnection") -> None:
            assign(aggregate, self)

    class Disconnected(Event):
        """Nothing is sent to DocuSign any more, and none of its calls is taken."""

        TOPIC: ClassVar[str] = "docusign.disconnected"

        def apply(self, aggregate: "DocusignConnection") -> None:
            aggregate.private_key = ""
            aggregate.connect_keys = ()
            aggregate.connected = False

    @property
    def details(self) -> "Details":
        """What is in use."""
        return Details(
            self.integration_key, self.user_id, self.account_id, self.production, self.private_key, self.connect_keys
        )

    @classmethod
    def connect(cls, tenant_id: UUID, at: datetime, details: "Details") -> "DocusignConnection":
        """The first connection of a brokerage. Raises Invalid."""
        return cls._create(cls.Connected, id=connection_of(tenant_id), timestamp=at, **recorded(checked(details)))

    def reconnect(self, at: datetime, details: "Details") -> None:
        """Connect with these from now on; those that are in use already record nothing. Raises Invalid."""
        wanted = checked(details)
        if not self.connected or wanted != self.details:
            self.trigger_event(self.Reconnected, timestamp=at, **recorded(wanted))

    def disconnect(self, at: datetime) -> None:
        """Disconnecting twice is the same success."""
        if self.connected:
            self.trigger_event(self.Disconnected, timestamp=at)


class Details(NamedTuple):
    """All that a connection is made of. Whether ``private_key`` is one has been judged already."""

    integration_key: str
    user_id: str
    account_id: str
    production: bool
    private_key: str
    connect_keys: tuple[str, ...]


def checked(details: Details) -> Details:
    """The same in its one form. Raises Invalid."""
    return details._replace(
        integration_key=guid("integration_key", details.integration_key),
        user_id=guid("user_id", details.user_id),
        account_id=guid("account_id", details.account_id),
        connect_keys=usable_keys(details.connect_keys),
    )


def recorded(details: Details) -> dict[str, Any]:
    """As an event has them: the keys of Connect with a line for each."""
    return {**details._asdict(), "connect_keys": "\n".join(details.connect_keys)}


def assign(aggregate: DocusignConnection, event: DocusignConnection.Connected | DocusignConnection.Reconnected) -> None:
    """What both events that connect do. Keys that stayed at another installation are null in the event, and those whose
    own key is gone read as erased: without them there is no connection."""
    aggregate.integration_key = event.integration_key
    aggregate.user_id = event.user_id
    aggregate.account_id = event.account_id
    aggregate.production = event.production
    aggregate.connected = event.private_key not in (None, "", ERASED)
    aggregate.private_key = event.private_key if aggregate.connected else ""
    aggregate.connect_keys = tuple(event.connect_keys.splitlines()) if aggregate.connected else ()


def guid(field: str, text: str) -> str:
    """*text* as DocuSign writes its ids, in lower case. Raises Invalid."""
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise Invalid(
            field,
            f"{field} must be an id as DocuSign's page 'Apps and Keys' shows it, like "
            "6f1e29d1-7a3b-4a06-9f6e-2d0c7c1b8a55.",
        ) from None


def usable_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of Connect, each once. Raises Invalid."""
    unique = tuple(dict.fromkeys(key.strip() for key in keys if key.strip()))
    if len(unique) > CONNECT_KEYS_MOST:
        raise Invalid("connect_keys", f"connect_keys must be at most {CONNECT_KEYS_MOST}.")
    for key in unique:
        if not (KEY_SHORTEST <= len(key) <= KEY_LONGEST and key.isascii() and key.isprintable() and " " not in key):
            raise Invalid(
                "connect_keys", "connect_keys must be as DocuSign's page 'Connect Keys' shows them, one on each line."
            )
    return unique
