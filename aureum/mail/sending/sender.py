"""The interface of senders, and the sender for installations without a mail server, which writes files."""

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Protocol
from uuid import UUID

from aureum.domain.ids import to_wire
from aureum.mail.sending.outcome import Failure, Outcome

KEPT_SECONDS = 7 * 86_400.0


class Sender(Protocol):
    """Hands mails over. ``name`` is the server's: all its mails share one breaker."""

    name: str

    async def send(self, mail_id: UUID, recipient: str, message: bytes) -> Outcome:
        """One attempt. A failure is an ``Outcome``, not an exception."""

    async def close(self) -> None:
        """Nothing more is sent."""


class FileSender:
    """Writes mails as ``.eml`` files, which only this user may read, and which are removed after seven days."""

    name = "files"

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    async def send(self, mail_id: UUID, recipient: str, message: bytes) -> Outcome:
        """Write the file, whole or not at all."""
        try:
            await asyncio.to_thread(self._write, mail_id, message)
        except OSError as error:
            return Outcome(Failure.FILE, answer=error.strerror or "")
        return Outcome(None)

    def _write(self, mail_id: UUID, message: bytes) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        descriptor, new = tempfile.mkstemp(prefix=".", dir=self.directory)  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(message)
            os.replace(new, file_of(self.directory, mail_id))
        except BaseException:
            Path(new).unlink(missing_ok=True)
            raise

    async def close(self) -> None:
        """Nothing is open."""


def file_of(directory: Path, mail_id: UUID) -> Path:
    """Where a mail's file is: the names sort by time."""
    return directory / f"{to_wire(mail_id)}.eml"


def prune_files(directory: Path, kept: float = KEPT_SECONDS) -> int:
    """Remove files that are older than seven days, unfinished ones too; how many there were. Raises OSError."""
    if not directory.is_dir():
        return 0
    removed, before = 0, time.time() - kept
    for path in directory.iterdir():
        if path.stat(follow_symlinks=False).st_mtime < before and (path.suffix == ".eml" or path.name.startswith(".")):
            path.unlink(missing_ok=True)
            removed += 1
    return removed
