"""The protocol that connections are served with: requests that ``revalidation`` recognizes are answered here, all
others go on to the ordinary one and the application.

One request of a connection at a time is answered here, and only when everything before it was: what comes meanwhile
waits, so that answers keep their order.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from uuid_utils import uuid4

from aureum.domain.errors import Busy
from aureum.http.access.gate import PASSED_AS, Admission
from aureum.http.server.protocol import BoundedProtocol
from aureum.http.server.revalidation import CAME_AS, STARTED, KeptAnswer, Known, digest, still_true


class RevalidatingProtocol(BoundedProtocol):
    """Of the application ``Edge``, which nothing else stands before."""

    asking = False
    """Whether the gate is being asked for one that was recognized."""
    held = b""
    """What has come in meanwhile."""
    stopping = False
    address = b""
    """The client's; a Unix socket has none."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if self.client is not None:
            self.address = self.client[0].encode()

    def is_answering(self) -> bool:
        return self.asking or super().is_answering()

    def data_received(self, data: bytes) -> None:
        """What has come in."""
        if self.asking:
            self.flow.pause_reading()
            self.held += data
            return
        came_as = digest(self.address, data) if self.is_idle() else None
        known = None if came_as is None else self.app.revalidations.find(came_as)
        if came_as is None or known is None or self.flow.write_paused:
            self.parse(data, came_as)
        else:
            self.ask(data, came_as, known)

    def is_idle(self) -> bool:
        """Whether all that has come in so far is answered."""
        return self.begun == self.ended and (self.cycle is None or self.cycle.response_complete)

    def parse(self, data: bytes, came_as: bytes | None, found: Mapping[str, Any] | None = None) -> None:
        """The ordinary way. The task that answers begins to run later, and finds in the scope what is put there: with
        the digest, all that has been *found* out already."""
        ended = self.ended
        super().data_received(data)
        if came_as is not None and self.begun == self.ended == ended + 1 and self.cycle.keep_alive:
            scope: Any = self.scope
            scope.update(found or {})
            scope[CAME_AS] = came_as

    def ask(self, data: bytes, came_as: bytes, known: Known) -> None:
        """Have the gate say whether what is known is still true."""
        started = time.perf_counter()
        try:
            passing = self.app.aureum.gate.put(known.line)
        except Busy:
            self.parse(data, came_as)
            return
        self.asking = True
        self.recognized += 1
        self._unset_keepalive_if_required()

        def passed(passing: asyncio.Future[Admission | None]) -> None:
            self.asking = False
            # What went wrong happens once more the ordinary way, which has answers for it.
            admission = None if passing.cancelled() or passing.exception() else passing.result()
            same = admission is not None and still_true(known, admission) and not self.stopping
            body = self.app.body_of(known.answer) if same else None
            if admission is not None and body is not None:
                self.answer(known.answer, admission, body, started)
            else:
                self.app.revalidations.forget(came_as)
                passed = {} if admission is None else {PASSED_AS: (known.line, admission)}
                self.parse_after_all(data, came_as, {STARTED: started, **passed})
            if self.held and not self.transport.is_closing():
                held, self.held = self.held, b""
                self.data_received(held)

        passing.add_done_callback(passed)

    def answer(self, kept: KeptAnswer, admission: Admission, body: bytes, started: float) -> None:
        """The same again. The client may have gone meanwhile; its request counts all the same."""
        request_id = uuid4().hex
        if not self.transport.is_closing():
            defaults = self.server_state.default_headers
            self.transport.write(self.app.revalidations.answer(kept, admission, request_id.encode(), defaults, body))
        # In the next turn of the loop: first all that passed together are answered.
        seconds = time.perf_counter() - started
        self.loop.call_soon(self.app.tell, request_id, "GET", kept.route, kept.status, seconds)
        self.on_response_complete()

    def parse_after_all(self, data: bytes, came_as: bytes, found: Mapping[str, Any]) -> None:
        """The ordinary way for what was recognized and has another answer now."""
        if self.transport.is_closing():
            return
        self.parse(data, came_as, found)
        if self.stopping:
            super().shutdown()

    def shutdown(self) -> None:
        """The server is told to stop. Responses that have begun are finished."""
        if self.asking:
            self.stopping = True
        else:
            super().shutdown()
