"""An uploaded file: the body itself, or the file of a ``multipart/form-data`` form with some fields beside it. It goes
into a file without a name as it comes in, so that its size takes no memory and nothing of it stays behind."""

import tempfile
from dataclasses import dataclass
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.types import Receive

from aureum.http.wire.bodies import Headers, check_headers, content_type, media_type
from aureum.http.wire.errors import BodyTooLarge, ClientGone, HttpError, InvalidRequest, Problem
from aureum.http.wire.multipart import CUT_OFF, UNREADABLE, Parts, parser_of

UPLOAD_LIMIT = 50_000_000
"""Bytes of a whole upload."""

MOST_FIELDS = 600
FILE = b"file"

PLAIN = (b"text/csv", b"application/csv", b"text/plain", b"application/vnd.ms-excel", b"application/octet-stream")
"""How programs send a CSV file by itself."""

NO_CSV = "Send the CSV file as the body with Content-Type: text/csv, or as the field file of multipart/form-data."
NO_FILE = Problem(
    ("body", "file"), "field required", "value_error.missing", "file is required: choose the CSV file to upload."
)


@dataclass
class Upload:
    """What was sent. The caller closes ``file``."""

    file: BinaryIO
    fields: dict[str, str]
    file_name: str = ""


class PartsWithFile(Parts):
    """What the parser tells; the first file is kept."""

    def __init__(self, upload: Upload) -> None:
        super().__init__(MOST_FIELDS)
        self.upload = upload
        self.in_file = False
        self.found = False

    def begin(self) -> None:
        super().begin()
        self.in_file = False

    def headers_finished(self) -> None:
        super().headers_finished()
        _, parameters = parse_options_header(self.disposition)
        if b"filename" in parameters and parameters.get(b"name") == FILE and not self.found:
            self.in_file = self.found = True
            self.upload.file_name = parameters[b"filename"].decode("utf-8", "replace")

    def data(self, data: bytes, start: int, end: int) -> None:
        if self.in_file:
            self.upload.file.write(data[start:end])
            return
        super().data(data, start, end)


async def read_upload(receive: Receive, headers: Headers) -> Upload:
    """The upload. Raises InvalidRequest, BodyTooLarge, EncodedBody, ClientGone, HttpError 415."""
    check_headers(headers, UPLOAD_LIMIT)
    media = media_type(content_type(headers))
    if media not in (*PLAIN, b"multipart/form-data"):
        raise HttpError("media_type_unsupported", NO_CSV)
    upload = Upload(tempfile.TemporaryFile(), {})  # noqa: SIM115  # the caller closes it
    try:
        parts = PartsWithFile(upload) if media == b"multipart/form-data" else None
        parser = None
        if parts is not None:
            boundary = parse_options_header(content_type(headers))[1].get(b"boundary", b"")
            if not boundary:
                raise InvalidRequest([UNREADABLE])
            parser = parser_of(boundary, parts)
        await copy(receive, upload, parser)
        if parts is not None:
            if not parts.ended:
                raise InvalidRequest([CUT_OFF])
            upload.fields = {
                part.name.decode("utf-8", "replace"): part.value.decode("utf-8", "replace") for part in parts.fields
            }
            if not parts.found:
                raise InvalidRequest([NO_FILE])
        if not upload.file.tell():
            raise InvalidRequest([NO_FILE])
    except BaseException:
        upload.file.close()
        raise
    return upload


async def copy(receive: Receive, upload: Upload, parser: MultipartParser | None) -> None:
    """Read the body to its end, into the file or the parser."""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > UPLOAD_LIMIT:
            raise BodyTooLarge(UPLOAD_LIMIT)
        if parser is None:
            upload.file.write(chunk)
        else:
            try:
                parser.write(chunk)
            except FormParserError as error:
                raise InvalidRequest([UNREADABLE]) from error
        if not message.get("more_body", False):
            return
