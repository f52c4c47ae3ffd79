"""An API key: what an integrator's program shows instead of a password. Only its hash and its beginning are kept."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created
from aureum.domain.errors import Invalid
from aureum.domain.ids import aureum_time
from aureum.domain.texts import one_line

RATE_LIMIT = 100
"""Requests a minute, from the Aureum API document."""


class ApiKey(Aggregate):
    """The aggregate. ``rate_limit`` counts requests a minute; ``prefix`` tells keys apart in lists. ``expires_at`` is
    when the key ends by itself, as the API writes times."""

    name: str
    prefix: str
    key_hash: str
    rate_limit: int
    expires_at: str | None
    revoked: bool

    def __init__(self) -> None:
        """Issued.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a key's events."""

    class Issued(Event, Created):
        """A key was made and shown once."""

        TOPIC: ClassVar[str] = "api_key.issued"
        class_version: ClassVar[int] = 2
        SECRET: ClassVar[frozenset[str]] = frozenset(("key_hash",))

        name: str
        prefix: str
        key_hash: str
        rate_limit: int
        expires_at: str | None

        @staticmethod
        def upcast_v1_v2(data: dict[str, Any]) -> None:
            data["expires_at"] = None

        def apply(self, aggregate: "ApiKey") -> None:
            aggregate.name = self.name
            aggregate.prefix = self.prefix
            aggregate.key_hash = self.key_hash
            aggregate.rate_limit = self.rate_limit
            aggregate.expires_at = self.expires_at
            aggregate.revoked = False

    class Revoked(Event):
        """The key opens nothing any more."""

        TOPIC: ClassVar[str] = "api_key.revoked"

        def apply(self, aggregate: "ApiKey") -> None:
            aggregate.revoked = True

    @classmethod
    def issue(
        cls,
        key_id: UUID,
        at: datetime,
        *,
        name: str,
        prefix: str,
        key_hash: str,
        rate_limit: int,
        expires_at: datetime | None = None,
    ) -> "ApiKey":
        """A new key; *key_hash* is the SHA-256 of the key in hex. Raises Invalid."""
        if not name.strip():
            raise Invalid("name", "name must not be blank.")
        if not 1 <= rate_limit <= 1_000_000:
            raise Invalid("rateLimit", "rate limit must be from 1 to 1000000 requests per minute.")
        if expires_at is not None and expires_at <= at:
            raise Invalid("expires_at", "expires_at must be in the future.")
        return cls._create(
            cls.Issued,
            id=key_id,
            timestamp=at,
            name=one_line(name.strip()),
            prefix=prefix,
            key_hash=key_hash,
            rate_limit=rate_limit,
            expires_at=None if expires_at is None else aureum_time(expires_at),
        )

    def revoke(self, at: datetime) -> None:
        """Revoking twice is the same success."""
        if not self.revoked:
            self.trigger_event(self.Revoked, timestamp=at)
