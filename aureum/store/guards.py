"""What must hold for an append, checked under its tenant's head lock; where it does not, the outcome says so.

    guard        where it does not hold
    Unchanged    stale
    Once         again, with the stream that the same has begun
    AtMost       limited, with when it may again
    Unique       taken

The store knows nothing of what they are for: a brokerage's settings, a form, a client's address, a slug. An append has
one of each kind at most. They are checked in this order; an idempotency key that was used counts before ``AtMost``.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The tenant's lines in the directories are still those of this version: its names and hosts, who may log in."""

    directory_version: int


@dataclass(frozen=True, slots=True)
class Once:
    """*key* says what begins the stream, and of whom. The same within so many *seconds* is the same one, unless the
    stream had grown before the call, or its person was erased. Only for streams of persons."""

    key: bytes
    seconds: int


@dataclass(frozen=True, slots=True)
class AtMost:
    """*most* of the tenant's appends with this *counter* in a minute, which begins with the first one. What is not
    appended because it is the same again does not count."""

    counter: str
    most: int


@dataclass(frozen=True, slots=True)
class Unique:
    """No other stream of the tenant has this *name* for this *purpose*. The stream keeps it for good."""

    purpose: str
    name: str


Guard = Unchanged | Once | AtMost | Unique
