"""What one process knows of how its database does: how long to wait for it, and what went wrong lately.

A server that is stopped, or a network that swallows what is sent, neither answers nor ends a connection. So every wait
has a bound of our own. Once a connection was given up, those that were made before it are not trusted any more: what
froze one of them has probably frozen them all.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

log = structlog.get_logger()

PATIENT_SECONDS = 60.0
"""The bound where nothing else is said: of tools, and of what does its work in the background."""

LONG_SECONDS = 3600.0
"""The bound of one step of what may take long: a migration's statement, a rebuild's, a verification's."""

RECENT_SECONDS = 8.0
"""How long a trouble counts that nothing has shown to be over."""

WRITES = "writes"
COUNTING = "counting"
VERSION = "version"
POOLER = "pooler"


Session = tuple[int, datetime]
"""A session of the database: its process, and when that began."""


def nothing() -> None:
    """Counts nothing."""


@dataclass(slots=True)
class Watch:
    """One for all connections of a process that are used alike. ``seconds`` is the bound of each wait; *counted* hears
    of each connection that was given up; so do those in *on_silence*, and whether it stands for a new silence."""

    seconds: float = PATIENT_SECONDS
    counted: Callable[[], None] = nothing
    on_silence: list[Callable[[bool], None]] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    """What was given up and may still hold locks in the database."""
    silent_at: float = float("-inf")
    pooler_told: bool = False
    citus: bool = False
    """The database is a coordinator of Citus."""
    troubles: dict[str, tuple[float, str]] = field(default_factory=dict)

    def behind_pooler(self, prepared: bool) -> None:
        """There is a pooler in between; told once. *prepared*: whether statements are prepared all the same."""
        if not self.pooler_told:
            self.pooler_told = True
            if prepared:
                then = "unset AUREUM_PREPARED_STATEMENTS, or set it to false, if each transaction gets another session"
                log.warning("pooler_found", prepared_statements=True, then=then)
            else:
                log.info("pooler_found", prepared_statements=False)

    def hurry(self, seconds: float) -> None:
        """The process is to end: wait no longer than so from now on."""
        self.seconds = min(self.seconds, seconds)

    def trusts(self, made: float) -> bool:
        """Whether a connection *made* at that moment of the monotonic clock may be used."""
        return made >= self.silent_at

    def gave_up(self, made: float, waited: float, session: Session | None = None) -> None:
        """A connection, *made* then, did not answer for so many seconds."""
        self.counted()
        log.error("database_silent", waited=round(waited, 1), then="gave the connection up")
        if session is not None:
            self.sessions.append(session)
        new = self.trusts(made)
        if new:
            self.silent_at = time.monotonic()
        for hear in self.on_silence:
            hear(new)

    def note(self, kind: str, sentence: str) -> None:
        """Something is wrong that the next request will meet too."""
        self.troubles[kind] = (time.monotonic(), sentence)

    def over(self, kind: str) -> None:
        """It works again."""
        if self.troubles:
            self.troubles.pop(kind, None)

    def trouble(self) -> str | None:
        """What has been wrong lately, as a sentence; None if nothing has."""
        earliest = time.monotonic() - RECENT_SECONDS
        return next((sentence for at, sentence in self.troubles.values() if at >= earliest), None)
