"""A worker that sends mails, the server that takes them, and what is read there: for tests that run no event loop."""

import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from email.message import EmailMessage
from pathlib import Path

from tests.http.api.webhooks.test_webhooks_live import beside
from tests.http.portal.client import SETTINGS
from tests.mail.mail_server import MailServer, mail_server
from tests.mail.queued import mailing

PATIENCE_SECONDS = 60

CODE = re.compile(r"\b\d{6}\b")


@contextmanager
def postbox(url: str, folder: Path) -> Iterator[MailServer]:
    """A worker on the database at *url*, and a server that takes the mails it sends."""

    @asynccontextmanager
    async def office() -> AsyncIterator[MailServer]:
        async with mail_server() as box, mailing(url, box.at(), folder, letters=SETTINGS):
            yield box

    with beside(office()) as box:
        yield box


def text_of(mail: EmailMessage) -> str:
    """What a mail says."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def mail_to(post: MailServer, address: str, has: re.Pattern[str], seen: int = 0) -> str:
    """The text of the newest mail to *address* that *has* something, once there are more than *seen* of them."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = [text_of(mail) for mail in post.mails if address in mail["To"] and has.search(text_of(mail))]
        if len(found) > seen:
            return found[-1]
        time.sleep(0.05)
    raise AssertionError(f"No such mail came to {address}: {[(mail['To'], mail['Subject']) for mail in post.mails]}")
