"""What a page's form has sent."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from aureum.http.wire.errors import HttpError

MEDIA = "application/x-www-form-urlencoded"
MOST_FIELDS = 200

NO_FORM = "This address accepts only the form on its page. Open the page and submit the form there."


class Form:
    """Values by name; a field that is not there is empty."""

    def __init__(
        self, values: Mapping[str, Sequence[str]] | None = None, files: Mapping[str, bytes] | None = None
    ) -> None:
        self.values = values or {}
        self.files = files or {}

    def __getitem__(self, name: str) -> str:
        """The value of a field, without blanks around it."""
        return self.values.get(name, ("",))[0].strip()

    def all(self, name: str) -> list[str]:
        """The values of a field that may be chosen several times."""
        return list(self.values.get(name, ()))

    def number(self, name: str) -> int | str | None:
        """A whole number; None for an empty field; the words that are none, for the API to refuse."""
        text = self[name]
        return number_in(text) if text else None


def read_form(body: bytes, content_type: str) -> Form:
    """The form in *body*. Raises HttpError 415 for what no form sends, 400 for broken text."""
    if content_type.partition(";")[0].strip().lower() != MEDIA:
        raise HttpError("media_type_unsupported", NO_FORM)
    try:
        text = body.decode("ascii")
        return Form(parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise HttpError("form_unreadable", NO_FORM) from error


def read_upload(body: bytes, content_type: str) -> Form:
    """The form in *body*, which may hold files: small ones, since a body has at most a megabyte. Raises what read_form
    raises."""
    media, options = parse_options_header(content_type)
    if media != b"multipart/form-data":
        return read_form(body, content_type)
    try:
        parts = parts_of(body, options.get(b"boundary", b""))
    except FormParserError as error:
        raise HttpError("media_type_unsupported", NO_FORM) from error
    values: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    for disposition, content in parts:
        _, named = parse_options_header(disposition)
        name = named.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in named:
            files[name] = content
        else:
            values.setdefault(name, []).append(content.decode("utf-8", "replace"))
    if not parts:
        raise HttpError("media_type_unsupported", NO_FORM)
    return Form(values, files)


def parts_of(body: bytes, boundary: bytes) -> list[tuple[bytes, bytes]]:
    """The ``Content-Disposition`` and the content of each part. Raises FormParserError."""
    found: list[tuple[bytes, bytes]] = []
    head: dict[str, bytearray] = {"name": bytearray(), "value": bytearray()}
    disposition, content = bytearray(), bytearray()

    def begun() -> None:
        disposition.clear()
        content.clear()

    def header_ended() -> None:
        if bytes(head["name"]).lower() == b"content-disposition":
            disposition.extend(head["value"])
        head["name"].clear()
        head["value"].clear()

    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": begun,
            "on_header_field": lambda data, start, end: head["name"].extend(data[start:end]),
            "on_header_value": lambda data, start, end: head["value"].extend(data[start:end]),
            "on_header_end": header_ended,
            "on_part_data": lambda data, start, end: content.extend(data[start:end]),
            "on_part_end": lambda: found.append((bytes(disposition), bytes(content))),
        },
    )
    parser.write(body)
    parser.finalize()
    return found


def number_in(text: str) -> int | str:
    """The whole number that *text* is; *text* itself if it is none, for the API to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else text
