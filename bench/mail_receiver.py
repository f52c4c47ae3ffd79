"""A mail server that accepts everything and remembers what came when.

``python -m bench.mail_receiver`` prints its port, then, for each line that it reads, one line of JSON: the times of
acceptance (seconds since 1970) by Message-ID, of what came since the last line. The end of its input ends it.
"""

import asyncio
import json
import sys
import time
from email import message_from_bytes

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

received: dict[str, float] = {}


class Box:
    """What the server does with a mail."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        received[message_from_bytes(envelope.content)["Message-ID"]] = time.time()
        return "250 2.0.0 queued"


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Box(), hostname="mail.bench", loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(received), flush=True)
        received.clear()
    server.close()


if __name__ == "__main__":
    uvloop.run(main())
