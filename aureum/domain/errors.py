"""What a command may be refused with. The message of an error defaults to its class docstring.

    DomainError
    ├── Invalid          a value breaks a rule; names the field
    ├── NotFound         no such thing in this brokerage
    ├── NotAllowed       it exists and is visible, but not for this caller to do
    ├── AlreadyTaken     a name that must be unique is in use
    │   ├── NameTaken    ... of streams of one kind; the command that asked knows what it means
    │   ├── SlugTaken    ... a slug that was made from a title: the next one may be free
    │   └── KeyReused    ... an Idempotency-Key, for another request
    ├── WrongState       this step does not follow from where the thing stands
    ├── Conflict         another writer changed the stream first
    ├── DayFull          some of those among whom an append was to choose have been chosen as often as may be
    ├── SiteChanged      the brokerage or its staff changed since it was looked up
    ├── TooMany          a client has sent as many forms as one may
    ├── ChangedSince     what is to be undone has changed since
    ├── StaleVersion     the caller changes a version that is no longer the present one
    └── Busy             the system cannot do it now, but soon
        └── Unavailable  ... because the database does not answer

What each of them means over HTTP stands in two tables: its code in ``aureum.http.wire.errors.DOMAIN``, the code's
status in ``aureum.http.wire.error_codes.CODES``.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID


class DomainError(Exception):
    """The command was refused."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class Invalid(DomainError):
    """A value breaks a rule. *message* is a whole sentence that names the field and says what is allowed."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NotFound(DomainError):
    """Not found"""


class NotAllowed(DomainError):
    """You are not allowed to do this."""


class AlreadyTaken(DomainError):
    """This name is already taken. Choose another one."""


class NameTaken(AlreadyTaken):
    """This name is already taken. Choose another one."""


class SlugTaken(AlreadyTaken):
    """Another request has just taken this slug. Try again."""


class KeyReused(AlreadyTaken):
    """This Idempotency-Key was used for another request. Send a new key with a new request."""


class WrongState(DomainError):
    """The current state does not allow this."""


class Conflict(DomainError):
    """Someone else changed this at the same moment. Read it again, then repeat your change."""


class SiteChanged(DomainError):
    """The brokerage has just changed. Try again."""


class DayFull(DomainError):
    """Agents have had as many leads today as their daily caps allow. Try again."""

    def __init__(self, names: Iterable[UUID]) -> None:
        """*names*: who they are."""
        super().__init__()
        self.names = frozenset(names)


class TooMany(DomainError):
    """Too many requests."""

    def __init__(self, retry_at: datetime) -> None:
        """*retry_at*: when the client may send again."""
        super().__init__()
        self.retry_at = retry_at


class ChangedSince(DomainError):
    """This has changed since, so it was not undone."""


class StaleVersion(DomainError):
    """This has changed since you read it. Read it again, then repeat your change with the new ETag."""


class Busy(DomainError):
    """The system is busy. Try again in a moment."""

    def __init__(self, retry_after: int = 1, message: str | None = None) -> None:
        """*retry_after*: seconds after which a new try makes sense."""
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(Busy):
    """The database cannot be reached at the moment. Try again shortly, with the same Idempotency-Key if any."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(retry_after=5, message=message)


class NodeAway(Unavailable):
    """The server that has this brokerage's data cannot be reached at the moment. Try again shortly, with the same
    Idempotency-Key if any."""
