"""An uploaded PDF as it comes in: the body itself, or the file of a ``multipart/form-data`` form. Nothing of it is kept
here, so that its size takes no memory; what passes it on decides where it goes."""

from collections.abc import AsyncIterator
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.types import Receive

from aureum.http.wire.bodies import LIMIT, Headers, check_headers, content_type, media_type
from aureum.http.wire.errors import ClientGone, HttpError, InvalidRequest, Problem
from aureum.http.wire.headers import header
from aureum.http.wire.multipart import CUT_OFF, UNREADABLE, Parts, parser_of

PDF = "application/pdf"
FORM = b"multipart/form-data"
FILE = b"file"
MOST_FIELDS = 20

NO_PDF = "Send the PDF as the body with Content-Type: application/pdf, or as the field file of multipart/form-data."
NO_FILE = Problem(("body", "file"), "field required", "value_error.missing", "Choose the PDF file to upload.")


class FilePart(Parts):
    """What the parser tells; of the first file each piece, until it is taken."""

    def __init__(self) -> None:
        super().__init__(MOST_FIELDS)
        self.in_file = False
        self.found = False
        self.file_name = ""
        self.pieces: list[bytes] = []

    def begin(self) -> None:
        super().begin()
        self.in_file = False

    def headers_finished(self) -> None:
        super().headers_finished()
        _, parameters = parse_options_header(self.disposition)
        if b"filename" in parameters and parameters.get(b"name") == FILE and not self.found:
            self.in_file = self.found = True
            self.file_name = parameters[b"filename"].decode("utf-8", "replace")

    def data(self, data: bytes, start: int, end: int) -> None:
        if self.in_file:
            self.pieces.append(data[start:end])
            return
        super().data(data, start, end)

    def taken(self) -> bytes:
        """What has come of the file since this was asked last."""
        piece = b"".join(self.pieces)
        self.pieces.clear()
        return piece


class PdfUpload:
    """The PDF of a request. Raises HttpError 415, EncodedBody, and *too_large* if it has more than *limit* bytes."""

    def __init__(self, receive: Receive, headers: Headers, limit: int, too_large: HttpError) -> None:
        self.receive = receive
        self.limit = limit
        self.too_large = too_large
        self.file_name = ""
        """The name in the form; it is known when the first part has come."""
        media = media_type(content_type(headers))
        if media not in (PDF.encode(), FORM):
            raise HttpError("media_type_unsupported", NO_PDF)
        self.form = FilePart() if media == FORM else None
        announced = header({"headers": headers}, b"content-length") or ""
        self.announced = int(announced) if announced.isdigit() and len(announced) < 16 else None
        check_headers(headers, 10**15)
        if self.announced is not None and self.announced > limit + (LIMIT if self.form else 0):
            raise too_large
        if self.form is not None:
            boundary = parse_options_header(content_type(headers))[1].get(b"boundary", b"")
            if not boundary:
                raise InvalidRequest([UNREADABLE])
            self.parser: Any = parser_of(boundary, self.form)

    @property
    def at_most(self) -> int:
        """As many bytes as may come."""
        return self.limit if self.announced is None else min(self.announced, self.limit)

    async def parts(self) -> AsyncIterator[bytes]:
        """The bytes of the file. Raises ClientGone, InvalidRequest, and what the connection raises of a body that is
        too slow."""
        size = whole = 0
        form = self.form
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part: bytes = message.get("body", b"")
            whole += len(part)
            if whole > self.limit + LIMIT:
                raise self.too_large
            if form is not None:
                try:
                    self.parser.write(part)
                except FormParserError as error:
                    raise InvalidRequest([UNREADABLE]) from error
                part, self.file_name = form.taken(), form.file_name
            size += len(part)
            if size > self.limit:
                raise self.too_large
            if part:
                yield part
            if not message.get("more_body", False):
                break
        if form is not None and not form.ended:
            raise InvalidRequest([CUT_OFF])
        if not size:
            raise InvalidRequest([NO_FILE])
