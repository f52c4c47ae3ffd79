"""A form with which a browser uploads a file. The bytes of the file go on as they come in; only the fields beside it
are kept."""

from collections.abc import Callable

from python_multipart.multipart import MultipartParser, parse_options_header

from aureum.http.wire.bodies import Headers, content_type
from aureum.http.wire.errors import InvalidRequest
from aureum.http.wire.multipart import UNREADABLE, Parts, parser_of

FORM = b"multipart/form-data"
FILE = b"file"
"""The name of the field that has the file."""


class FileParts(Parts):
    """What the parser tells; *pass_on* gets each piece of the first file."""

    def __init__(self, most: int, pass_on: Callable[[bytes], object]) -> None:
        super().__init__(most)
        self.pass_on = pass_on
        self.in_file = False
        self.found = False
        self.file_name = ""

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
            self.pass_on(data[start:end])
            return
        super().data(data, start, end)


def file_parser(headers: Headers, parts: FileParts) -> MultipartParser:
    """What tells *parts* of the form. Raises InvalidRequest for a form whose parts cannot be told apart."""
    boundary = parse_options_header(content_type(headers))[1].get(b"boundary", b"")
    if not boundary:
        raise InvalidRequest([UNREADABLE])
    return parser_of(boundary, parts)
