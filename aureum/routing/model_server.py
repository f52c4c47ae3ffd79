"""The model's process: ``python -m aureum.routing.model_server FD MODEL``, on a Unix socket that it is given.

It says its name once it is loaded, then answers lines of JSON. What waits at the same moment is embedded together;
rosters are made ready a slice at a time in between. It ends when its standard input does, so that it outlives nobody.
"""

import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import orjson

from aureum.routing.embedding import DEFAULT, EmbedderError, load
from aureum.routing.vectors import Agent, Meanings, Question

GROUP_LIMIT = 16
LINE_LIMIT = 32 * 2**20
READ = 2**18


@dataclass
class Peer:
    """A connection, what was read of a line, and what is still to be written."""

    connection: socket.socket
    read: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)


@dataclass
class Waiting:
    """A question that nobody waits for after ``until``, by the monotonic clock of this process."""

    peer: Peer
    number: int
    question: Question
    until: float


class ModelServer:
    """Answers peers on *listener* until *standard_input* ends."""

    def __init__(self, listener: socket.socket, meanings: Meanings, standard_input: int) -> None:
        self.listener, self.meanings, self.standard_input = listener, meanings, standard_input
        self.selector = selectors.DefaultSelector()
        self.waiting: deque[Waiting] = deque()
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
            agents = (Agent(tuple(one["phrases"]), tuple(one["shown"]), one["whole"]) for one in said["agents"])
            self.meanings.bring(said["roster"], agents)
            return
        number, question = said["number"], Question(**said["question"])
        if self.meanings.rosters.find(question.roster) is None:
            self._send(peer, {"number": number, "unknown": question.roster})
            return
        self.waiting.append(Waiting(peer, number, question, time.monotonic() + said["seconds"]))

    def _answer(self) -> None:
        now, rosters = time.monotonic(), self.meanings.rosters
        group: list[Waiting] = []
        later: deque[Waiting] = deque()
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
        self.selector.modify(peer.connection, wanted, peer)

    def _drop(self, peer: Peer) -> None:
        if peer.connection.fileno() >= 0:
            self.selector.unregister(peer.connection)
            peer.connection.close()
        self.waiting = deque(one for one in self.waiting if one.peer is not peer)


def main(arguments: list[str]) -> None:
    """Load the model, then serve. The exit code is 3 if the model cannot be loaded."""
    # Of Ctrl-C its starter hears too, and decides.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    descriptor, model = int(arguments[0]), arguments[1] if len(arguments) > 1 else DEFAULT
    try:
        meanings = Meanings(load(model))
    except EmbedderError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(3)
    ModelServer(socket.socket(fileno=descriptor), meanings, sys.stdin.fileno()).run()


if __name__ == "__main__":
    main(sys.argv[1:])
