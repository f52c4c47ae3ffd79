"""``multipart/form-data``, read as it comes in: files are passed over, and what is typed in is small.

The parser is python-multipart's, which Starlette reads forms with; here stands what it may hand over. Nothing of a file
is kept, so that a form may be ten times as large as any other body and takes no more memory.
"""

import logging
import re
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.types import Receive

from aureum.http.wire.bodies import LIMIT, Headers, check_headers, content_type
from aureum.http.wire.errors import BodyTooLarge, ClientGone, InvalidRequest, Problem
from aureum.http.wire.validation import MISSING_BODY

FORM_LIMIT = 10_000_000
"""Bytes of the whole body, files among them. What is typed in is bounded like any other body."""

LONGEST_NAME = 1_000

# It would quote bytes of what a visitor sent.
logging.getLogger("python_multipart.multipart").disabled = True


def broken(msg: str, sentence: str) -> Problem:
    """A form that cannot be read as a whole."""
    return Problem(("body",), msg, "value_error", sentence, code="form_unreadable")


CUT_OFF = broken("the form is cut off", "The form arrived incomplete. Send it again.")
UNREADABLE = broken("the form cannot be read", "The form is not valid multipart data.")


def too_many_fields(most: int) -> Problem:
    """Said of a form with more than *most* fields."""
    return broken("too many fields", f"The form has too many fields. The limit is {most}.")


FIRST_LINE = re.compile(rb"(?:\r?\n)*--([^\r\n]{1,200}?)[ \t]*\r?\n")


@dataclass(slots=True)
class FormPart:
    """A field as it was sent."""

    name: bytes
    value: bytearray = field(default_factory=bytearray)


class Parts:
    """What the parser tells, part by part. Raises InvalidRequest, BodyTooLarge."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.begun = 0
        self.size = 0
        self.fields: list[FormPart] = []
        self.field: FormPart | None = None
        """The one that is being read; none while a file passes."""
        self.header = b""
        self.value = b""
        self.disposition = b""
        self.ended = False

    def begin(self) -> None:
        self.begun += 1
        if self.begun > self.most:
            raise InvalidRequest([too_many_fields(self.most)])
        self.field, self.disposition = None, b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self.header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def on_header_end(self) -> None:
        if self.header.lower() == b"content-disposition":
            self.disposition = self.value
        self.header = self.value = b""

    def headers_finished(self) -> None:
        _, parameters = parse_options_header(self.disposition)
        name = parameters.get(b"name", b"")[:LONGEST_NAME]
        if name and b"filename" not in parameters:
            self.field = FormPart(name)
            self.fields.append(self.field)

    def data(self, data: bytes, start: int, end: int) -> None:
        if self.field is None:
            return
        self.size += end - start
        if self.size > LIMIT:
            raise BodyTooLarge(LIMIT)
        self.field.value += data[start:end]

    def end(self) -> None:
        self.ended = True


async def read_multipart(receive: Receive, headers: Headers, most: int) -> list[FormPart]:
    """The fields in the order in which they were sent; *most* parts may come, files among them.

    Raises InvalidRequest, BodyTooLarge, EncodedBody, ClientGone.
    """
    check_headers(headers, FORM_LIMIT)
    boundary = parse_options_header(content_type(headers))[1].get(b"boundary", b"")
    parts, size, waiting = Parts(most), 0, b""
    parser = parser_of(boundary, parts) if boundary else None
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(chunk)
        if size > FORM_LIMIT:
            raise BodyTooLarge(FORM_LIMIT)
        if parser is None:
            # A script that sets the header by itself forgets the boundary: then the first line has it.
            chunk = waiting = waiting + chunk
            found = FIRST_LINE.match(waiting)
            if found is None and more and len(waiting) < LONGEST_NAME:
                continue
            if found is None:
                raise InvalidRequest([UNREADABLE if size else MISSING_BODY])
            parser = parser_of(found[1], parts)
        try:
            parser.write(chunk)
        except FormParserError as error:
            raise InvalidRequest([UNREADABLE]) from error
        if not more:
            break
    if not parts.ended:
        raise InvalidRequest([CUT_OFF if size else MISSING_BODY])
    return parts.fields


def parser_of(boundary: bytes, parts: Parts) -> MultipartParser:
    """Raises InvalidRequest for a boundary that is none."""
    try:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_header_field": parts.on_header_field,
                "on_header_value": parts.on_header_value,
                "on_header_end": parts.on_header_end,
                "on_headers_finished": parts.headers_finished,
                "on_part_data": parts.data,
                "on_end": parts.end,
            },
        )
    except FormParserError as error:
        raise InvalidRequest([UNREADABLE]) from error
