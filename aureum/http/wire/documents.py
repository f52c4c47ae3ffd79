"""An uploaded PDF as it comes in: the body itself, or the file of a ``multipart/form-data`` form. Nothing of it is kept
here, so that its size takes no memory; what passes it on decides where it goes."""

from collections.abc import AsyncIterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser
from starlette.types import Receive

from aureum.http.wire.bodies import LIMIT, Headers, check_headers, content_type, media_type
from aureum.http.wire.errors import ClientGone, HttpError, InvalidRequest, Problem
from aureum.http.wire.file_parts import FORM, FileParts, file_parser
from aureum.http.wire.headers import header
from aureum.http.wire.multipart import CUT_OFF, UNREADABLE

PDF = "application/pdf"
MOST_FIELDS = 20

NO_PDF = "Send the PDF as the body with Content-Type: application/pdf, or as the field file of multipart/form-data."
NO_FILE = Problem(("body", "file"), "field required", "value_error.missing", "Choose the PDF file to upload.")


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
        self.pieces: list[bytes] = []
        """What has come of the form's file and was not passed on yet."""
        self.form = FileParts(MOST_FIELDS, self.pieces.append) if media == FORM else None
        announced = header({"headers": headers}, b"content-length") or ""
        self.announced = int(announced) if announced.isdigit() and len(announced) < 16 else None
        check_headers(headers, 10**15)
        if self.announced is not None and self.announced > limit + (LIMIT if self.form else 0):
            raise too_large
        self.parser: MultipartParser | None = None if self.form is None else file_parser(headers, self.form)

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
            if form is not None and self.parser is not None:
                try:
                    self.parser.write(part)
                except FormParserError as error:
                    raise InvalidRequest([UNREADABLE]) from error
                part, self.file_name = b"".join(self.pieces), form.file_name
                self.pieces.clear()
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
