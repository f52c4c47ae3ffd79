"""What a page's form has sent."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from aureum.http.wire.errors import HttpError

MEDIA = "application/x-www-form-urlencoded"
MOST_FIELDS = 200

NO_FORM = "This address accepts only the form on its page. Open the page and submit the form there."


class Form:
    """Values by name; a field that is not there is empty."""

    def __init__(self, values: Mapping[str, Sequence[str]] | None = None) -> None:
        self.values = values or {}

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


def number_in(text: str) -> int | str:
    """The whole number that *text* is; *text* itself if it is none, for the API to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else text
