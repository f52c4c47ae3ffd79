"""A worker that sends mail as a process of its own, for tests that kill it: its arguments are the database's URL, the
port of the mail server and the seconds of a lease."""

import asyncio
import sys
import tempfile
from pathlib import Path

import uvloop

from aureum.mail.worker.mail_settings import MailSettings
from aureum.settings.smtp import SmtpServer
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.webhooks.worker.worker_settings import WorkerSettings
from aureum.worker.worker import run_worker
from tests.conftest import MASTER_KEY
from tests.mail.queued import SENDER


async def main(url: str, port: int, lease_seconds: float) -> None:
    server = SmtpServer("127.0.0.1", port, False, "never")
    mail = MailSettings(
        SENDER,
        server,
        Path(tempfile.gettempdir()) / "no-such-directory",
        timeout_seconds=lease_seconds / 2,
        lease_seconds=lease_seconds,
    )
    settings = WorkerSettings(poll_seconds=0.05)
    await run_worker(url, TenantKeys(MasterKey(MASTER_KEY)), asyncio.Event(), settings=settings, mail=mail)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
