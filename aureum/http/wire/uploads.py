"""An uploaded file: the body itself, or the file of a ``multipart/form-data`` form with some fields beside it. It goes
into a file without a name as it comes in, so that its size takes no memory and nothing of it stays behind."""

import tempfile
from dataclasses import dataclass
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser
from starlette.types import Receive

from aureum.http.wire.bodies import Headers, check_headers, content_type, media_type
from aureum.http.wire.errors import BodyTooLarge, ClientGone, HttpError, InvalidRequest, Problem
from aureum.http.wire.file_parts import FORM, FileParts, file_parser
from aureum.http.wire.multipart import CUT_OFF, UNREADABLE

UPLOAD_LIMIT = 50_000_000
"""Bytes of a whole upload."""

MOST_FIELDS = 600

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


async def read_upload(receive: Receive, headers: Headers) -> Upload:
    """The upload. Raises InvalidRequest, BodyTooLarge, EncodedBody, ClientGone, HttpError 415."""
    check_headers(headers, UPLOAD_LIMIT)
    media = media_type(content_type(headers))
    if media not in (*PLAIN, FORM):
        raise HttpError("media_type_unsupported", NO_CSV)
    upload = Upload(tempfile.TemporaryFile(), {})  # noqa: SIM115  # the caller closes it
    try:
        parts = FileParts(MOST_FIELDS, upload.file.write) if media == FORM else None
        parser = None if parts is None else file_parser(headers, parts)
        await copy(receive, upload, parser)
        if parts is not None:
            if not parts.ended:
                raise InvalidRequest([CUT_OFF])
            upload.file_name = parts.file_name
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
