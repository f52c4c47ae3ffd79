"""The model's process: ``python -m aureum.routing.model_server FD MODEL``, on a Unix socket that it is given.

It says its name once it is loaded, then answers lines of JSON. What waits at the same moment is embedded together;
rosters are made ready a slice at a time in between. It ends when its standard input does, even if the model hangs, so
that it never outlives its starter.
"""

import gc
import os
import selectors
import socket
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from aureum.routing.embedding import EmbedderError, load
from aureum.routing.model_process import CANNOT_LOAD, failure_of
from aureum.routing.vectors import Agent, Meanings, Question

GROUP_LIMIT = 16
LINE_LIMIT = 32 * 2**20
READ = 2**18

GRACE_SECONDS = 1.0
"""How long after the end of its standard input the process may go on."""


@dataclass
class Peer:
    """A connection, what was read of a line, what is still to be written, and the events that are waited for."""

    connection: socket.socket
    read: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    wanted: int = selectors.EVENT_READ


@dataclass
class Pending:
    """A question. Its client waits until ``until``, by the monotonic clock of this process."""

    peer: Peer
    number: int
    question: Question
    until: float


class ModelServer:
    """Answers peers on *listener* until *standard_input* ends."""

    def __init__(self, listener: socket.socket, meanings: Meanings, standard_input: int) -> None:
        self.listener, self.meanings, self.standard_input = listener, meanings, standard_input
        self.selector = selectors.DefaultSelector()
        self.waiting: deque[Pending] = deque()
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ)
        self.selector.register(standard_input, selectors.EVENT_READ)

    def run(self) -> None:
        """Until the starter is gone."""
        while True:
            busy = bool(self.waiting or self.meanings.unready())
            for key, events in self.selector.select(0 if busy else None):
                if key.fileobj == self.standard_input:
                    if not os.read(self.standard_input, 1):
                        return
                elif key.fileobj is self.listener:
                    self._accept()
                else:
                    self._move(key.data, events)
            self._answer()
            self._prepare()

    def _accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        connection.setblocking(False)
        peer = Peer(connection)
        self.selector.register(connection, selectors.EVENT_READ, peer)
        embedder = self.meanings.embedder
        self._send(peer, {"model": embedder.name, "version": embedder.version})

    def _move(self, peer: Peer, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                self._flush(peer)
            if events & selectors.EVENT_READ:
                got = peer.connection.recv(READ)
                if not got or len(peer.read) > LINE_LIMIT:
                    raise ConnectionResetError
                peer.read += got
                *lines, rest = bytes(peer.read).split(b"\n")
                peer.read = bytearray(rest)
                for line in lines:
                    self._take(peer, orjson.loads(line))
        except BlockingIOError:
            return
        except OSError:
            self._drop(peer)

    def _take(self, peer: Peer, said: dict[str, Any]) -> None:
        if "agents" in said:
            agents = (
                Agent(tuple(one["phrases"]), tuple(one["shown"]), one["whole"], tuple(one["weights"]))
                for one in said["agents"]
            )
            self.meanings.bring(said["roster"], agents)
            return
        number, question = said["number"], Question(**said["question"])
        if self.meanings.rosters.find(question.roster) is None:
            self._send(peer, {"number": number, "unknown": question.roster})
            return
        self.waiting.append(Pending(peer, number, question, time.monotonic() + said["seconds"]))

    def _answer(self) -> None:
        now, rosters = time.monotonic(), self.meanings.rosters
        group: list[Pending] = []
        later: deque[Pending] = deque()
        for one in self.waiting:
            roster = rosters.find(one.question.roster)
            if one.until < now or roster is None:
                continue
            if roster.middles is None or len(group) == GROUP_LIMIT:
                later.append(one)
            else:
                group.append(one)
        self.waiting = later
        if group:
            answers = self.meanings.answers([one.question for one in group])
            for one, answer in zip(group, answers, strict=True):
                self._send(one.peer, {"number": one.number, "answer": answer})

    def _prepare(self) -> None:
        # One slice: an enquiry that comes meanwhile waits for no more than that. Rosters that are asked for come first.
        unready = self.meanings.unready()
        wanted = {one.question.roster for one in self.waiting}
        name = next((name for name in unready if name in wanted), unready[0] if unready else None)
        if name is not None:
            self.meanings.make_ready(name)

    def _send(self, peer: Peer, said: dict[str, Any]) -> None:
        peer.unsent += orjson.dumps(said) + b"\n"
        try:
            self._flush(peer)
        except OSError:
            self._drop(peer)

    def _flush(self, peer: Peer) -> None:
        try:
            del peer.unsent[: peer.connection.send(peer.unsent)]
        except BlockingIOError:
            if len(peer.unsent) > LINE_LIMIT:
                raise ConnectionResetError from None
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.unsent else 0)
        if wanted != peer.wanted:
            self.selector.modify(peer.connection, wanted, peer)
            peer.wanted = wanted

    def _drop(self, peer: Peer) -> None:
        if peer.connection.fileno() >= 0:
            self.selector.unregister(peer.connection)
            peer.connection.close()
        self.waiting = deque(one for one in self.waiting if one.peer is not peer)


def end_with(standard_input: int, path: Path) -> None:
    """End the process soon after *standard_input*, whatever it computes then."""

    def watch() -> None:
        while os.read(standard_input, 1):
            pass
        time.sleep(GRACE_SECONDS)
        clear(path)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-starter", daemon=True).start()


def clear(path: Path) -> None:
    """Remove the socket *path* and what belongs to it: a starter that was killed has not done so."""
    for left in (path, failure_of(path)):
        left.unlink(missing_ok=True)
    with suppress(OSError):  # the folder is gone already, or has more in it since it is not ``ModelProcess``'s
        path.parent.rmdir()


def main(arguments: list[str]) -> None:
    """Load the model, then serve. If it cannot be loaded, the file beside the socket says why."""
    descriptor, model = int(arguments[0]), arguments[1]
    standard_input, listener = sys.stdin.fileno(), socket.socket(fileno=descriptor)
    path = Path(listener.getsockname())
    end_with(standard_input, path)
    try:
        meanings = Meanings(load(model))
    except EmbedderError as error:
        failure_of(path).write_text(str(error))
        sys.exit(CANNOT_LOAD)
    # What is there now stays: no collection has to look through the vocabulary again.
    gc.freeze()
    ModelServer(listener, meanings, standard_input).run()
    clear(path)


if __name__ == "__main__":
    main(sys.argv[1:])
