"""Reads an exported file from its first line to its last, a line at a time, and says which line is wrong."""

import hashlib
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, NoReturn
from uuid import UUID

import orjson

from aureum.domain.ids import from_wire
from aureum.transfer.documents import DocumentPart, read_part
from aureum.transfer.exporting import FORMAT
from aureum.transfer.line_reading import LINE_LIMIT, read_event
from aureum.transfer.lines import BEGUN, DOCUMENTS, ENDED, LINKS, Broken, LoggedEvent
from aureum.transfer.sealing import LineSeal, WrongPassphrase

NO_EXPORT = "This file was not written by 'aureum export'."
NEWER = (
    "The file was written by Aureum {version}, in a form that this version does not know. Import it with that version "
    "or a newer one."
)
IS_SEALED = "The personal data in the file is encrypted. Pass the file that has the passphrase: --passphrase-file."
CUT = "The file ends at line {number} without its last line: it was cut short. Copy it again, or export again."
CHANGED = "The file is damaged: its lines are not those that were exported. Copy it again, or export again."
LONGER = "Line {number} follows the last line of the export: the file was altered."


class Unreadable(ValueError):
    """The file cannot be imported. The message says why, and in which line."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What the first line says."""

    tenant_id: UUID
    slug: str
    position: int
    stream_key: bytes
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """The hash of a link in a newsletter, and the subscriber whom it unsubscribes."""

    hash: bytes
    subscriber_id: UUID


class ExportFile:
    """An exported file; its passphrase where one was given."""

    def __init__(self, file: IO[bytes], passphrase: bytes | None = None) -> None:
        self.file = file
        self.passphrase = passphrase
        self.number = 0
        self.hashed = hashlib.sha256()
        self.digest = ""
        self.source = ""
        self.seal: LineSeal | None = None

    def refuse(self, error: Exception | str) -> NoReturn:
        """Raises Unreadable for the line that was read last."""
        raise Unreadable(f"Line {self.number} cannot be imported: {error}.")

    def _next(self) -> dict[str, Any]:
        """The next line, which is counted. Raises Unreadable."""
        self.digest = self.hashed.hexdigest()
        text = self.file.readline(LINE_LIMIT + 1)
        if not text:
            raise Unreadable(CUT.format(number=self.number))
        self.number += 1
        if len(text) > LINE_LIMIT:
            self.refuse("it is longer than any event is")
        self.hashed.update(text)
        if not text.endswith(b"\n"):
            raise Unreadable(CUT.format(number=self.number))
        try:
            line = orjson.loads(text)
        except ValueError:
            self.refuse("it is not JSON")
        if not isinstance(line, dict):
            self.refuse("it is not an event")
        return line

    def begin(self) -> Begun:
        """Read the first line. Raises Unreadable, WrongPassphrase."""
        try:
            line = self._next()
        except Unreadable as error:
            raise Unreadable(NO_EXPORT) from error
        about = line.get("data")
        if line.get("type") != BEGUN or not isinstance(about, dict) or type(about.get("format")) is not int:
            raise Unreadable(NO_EXPORT)
        if about["format"] > FORMAT:
            raise Unreadable(NEWER.format(version=about.get("aureum")))
        try:
            self.source = str(line["source"])
            if about["sealing"] is not None:
                if self.passphrase is None:
                    raise Unreadable(IS_SEALED)
                self.seal = LineSeal.of(about["sealing"], self.passphrase)
                stream_key = self.seal.open(1, b"stream key", about["streamKey"])
            else:
                stream_key = b64decode(about["streamKey"], validate=True)
            tenant_id = from_wire(about["brokerage"]["id"])
            if tenant_id is None or len(stream_key) != 32 or not isinstance(about["state"]["models"], dict):
                raise Broken("it does not name a brokerage")
            return Begun(tenant_id, str(about["brokerage"]["slug"]), int(about["position"]), stream_key, about)
        except (Unreadable, WrongPassphrase):
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unreadable(NO_EXPORT) from error

    def events(self) -> Iterator[LoggedEvent | Link | DocumentPart]:
        """All that follows, up to the last line, which proves that it is all there. Raises Unreadable."""
        while True:
            line = self._next()
            match line.get("type"):
                case str(name) if name == ENDED:
                    self._end(line)
                    return
                case str(name) if name == LINKS:
                    yield from self._links(line)
                case name:
                    try:
                        if name == DOCUMENTS:
                            yield read_part(line, self.seal)
                        else:
                            yield read_event(line, self.source, self.seal)
                    except Broken as error:
                        self.refuse(error)
                    except WrongPassphrase:
                        self.refuse("its personal fields were altered")

    def _links(self, line: Mapping[str, Any]) -> Iterator[Link]:
        try:
            for hashed, subscriber in line["data"]["links"]:
                subscriber_id = from_wire(subscriber)
                if subscriber_id is None:
                    raise Broken("an id in it is not the id of a subscriber")
                yield Link(bytes.fromhex(hashed), subscriber_id)
        except (KeyError, TypeError, ValueError, AttributeError):
            self.refuse("it is not a list of links")

    def _end(self, line: Mapping[str, Any]) -> None:
        about = line.get("data")
        if not isinstance(about, dict) or about.get("hash") != self.digest or about.get("lines") != self.number - 1:
            raise Unreadable(CHANGED)
        if self.file.read(1):
            self.number += 1
            raise Unreadable(LONGER.format(number=self.number))
