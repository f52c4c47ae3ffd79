"""The settings of the worker's mail, which an operator or a test chooses."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from aureum.mail.letters.about import LetterSettings
from aureum.mail.queue.leases import LEASE_SECONDS
from aureum.mail.queue.schedule import next_attempt_after
from aureum.mail.sending.sender import FileSender, Sender
from aureum.mail.sending.smtp import TIMEOUT, SmtpSender
from aureum.settings.smtp import SmtpServer

PauseAfter = Callable[[int, timedelta], timedelta | None]
"""How long to wait after so many attempts of a mail that was queued so long ago; None when no other follows."""


def pause_after(attempt: int, age: timedelta) -> timedelta | None:
    """The schedule, with today's dice."""
    return next_attempt_after(attempt, age, jitter=random.random())  # noqa: S311  it spreads load


@dataclass(frozen=True, slots=True)
class MailSettings:
    """``sender`` is the address that mail comes from. Without a ``server`` mails are files in ``directory``. ``slots``
    are the connections to the server, and the attempts that may be under way at once."""

    sender: str
    server: SmtpServer | None
    directory: Path
    slots: int = 8
    timeout_seconds: float = TIMEOUT
    lease_seconds: float = LEASE_SECONDS
    pause_after: PauseAfter = pause_after
    letters: LetterSettings = field(default_factory=LetterSettings)

    def __post_init__(self) -> None:
        if self.lease_seconds <= self.timeout_seconds:
            raise ValueError("A lease must last longer than an attempt.")

    @property
    def domain(self) -> str:
        """What stands behind the @ of the sender."""
        return self.sender.rpartition("@")[2]

    def new_sender(self) -> Sender:
        """What hands mails over."""
        if self.server is None:
            return FileSender(self.directory)
        return SmtpSender(self.server, self.sender, self.timeout_seconds)
