"""A public form as websites send it: JSON, urlencoded, multipart, and JSON as text/plain, all as one JSON object.

A lead is worth more than a standard: a BOM, half an emoji that a script has cut off, bytes of an old charset, a
multipart body without its boundary in the header, JSON that calls itself a form are understood. What is in order takes
none of these ways: it costs what any JSON costs.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, NoReturn
from urllib.parse import unquote_to_bytes

import orjson
from starlette.types import Receive

from aureum.http.wire.bodies import BOM, Headers, content_type, is_json, media_type, read_body
from aureum.http.wire.errors import InvalidRequest, NotForm
from aureum.http.wire.multipart import FormPart, read_multipart, too_many_fields
from aureum.http.wire.validation import MISSING_BODY, NOT_AN_OBJECT, json_problem

MOST_FIELDS = 1_000

EXACT = 2**53
"""From here on a float does not tell two whole numbers apart."""

CHARSETS = {
    "latin-1": "cp1252",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    **dict.fromkeys((f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)), ""),
    **dict.fromkeys((f"cp125{part}" for part in range(9)), ""),
    **dict.fromkeys(("koi8-r", "koi8-u", "gbk", "gb18030", "big5", "euc_jp", "shift_jis", "iso2022_jp", "euc_kr"), ""),
}
"""What pages are still written in, by Python's names; browsers, too, read the first ones as windows-1252."""

Fields = dict[str, Any]


class Sent(NamedTuple):
    """The fields of a form, without NUL characters and lone surrogates, and the bytes by which it is known again: the
    body, but of multipart its parts, since browsers draw another boundary each time."""

    fields: Fields
    said: bytes


async def read_form(receive: Receive, headers: Headers) -> Sent:
    """The form, in whichever way it was sent.

    Raises NotForm for another Content-Type, InvalidRequest for what cannot be read, BodyTooLarge, EncodedBody,
    ClientGone.
    """
    kind = content_type(headers)
    if not is_json(kind):
        media = media_type(kind)
        if media == b"multipart/form-data":
            parts = await read_multipart(receive, headers, MOST_FIELDS)
            said = b"\0".join(text for part in parts for text in (part.name, bytes(part.value)))
            return Sent(of_parts(parts, charset_in(kind)), said)
        if media == b"application/x-www-form-urlencoded":
            body = await read_body(receive, headers)
            return Sent(urlencoded(body, charset_in(kind)), body)
        if media != b"text/plain":
            raise NotForm
    body = await read_body(receive, headers)
    return Sent(from_json(body, kind), body)


def from_json(body: bytes, kind: bytes = b"") -> Fields:
    """The object in *body*. Raises InvalidRequest."""
    if not body:
        raise InvalidRequest([MISSING_BODY])
    try:
        value = orjson.loads(body)
        forgiven = False
    except orjson.JSONDecodeError as error:
        value, forgiven = understood(body, charset_in(kind), error), True
    if not isinstance(value, dict):
        raise InvalidRequest([MISSING_BODY if value is None else NOT_AN_OBJECT])
    listing = value.get("listing_id")
    if type(listing) is float and abs(listing) >= EXACT:
        value = exactly(body, value)
    if forgiven or b"\\u0000" in body:
        value = cleaned(value)
    return unbracketed(value) if b']"' in body else value


def exactly(body: bytes, value: Fields) -> Fields:
    """The same as *value*, of which orjson has rounded a number."""
    try:
        again: Fields = json.loads(body.removeprefix(BOM), parse_int=whole)
    except (ValueError, RecursionError):
        return value
    return again


def whole(digits: str) -> int | float:
    """Python refuses to read thousands of digits."""
    return int(digits) if len(digits) <= 1_000 else float(digits)


def understood(body: bytes, charset: str, error: orjson.JSONDecodeError) -> Any:
    """JSON that is not quite in order. Raises InvalidRequest."""
    try:
        return json.loads(decoded(body.removeprefix(BOM), charset), parse_constant=no_json, parse_int=whole)
    except (ValueError, RecursionError):
        raise InvalidRequest([json_problem(body, error)]) from error


def no_json(name: str) -> NoReturn:
    """NaN and such are no JSON, though Python would take it."""
    raise ValueError(name)


def urlencoded(body: bytes, charset: str = "") -> Fields:
    """The fields of ``application/x-www-form-urlencoded``, which is also what programs call JSON by default.

    Raises InvalidRequest.
    """
    if not body:
        raise InvalidRequest([MISSING_BODY])
    if body.lstrip()[:1] == b"{":
        return from_json(body)
    pairs = body.split(b"&", MOST_FIELDS)
    if len(pairs) > MOST_FIELDS:
        raise InvalidRequest([too_many_fields(MOST_FIELDS)])
    split = (pair.partition(b"=") for pair in pairs if pair)
    return of_pairs(((unquoted(name), unquoted(value)) for name, _, value in split), charset)


def unquoted(text: bytes) -> bytes:
    """Without plus signs and percents."""
    return unquote_to_bytes(text.replace(b"+", b" "))


def of_parts(parts: Iterable[FormPart], charset: str) -> Fields:
    """The fields of ``multipart/form-data``."""
    return of_pairs(((part.name, bytes(part.value)) for part in parts), charset)


def of_pairs(pairs: Iterable[tuple[bytes, bytes]], charset: str) -> Fields:
    """Names and values as text. A name that stands twice has all its values if it is a list's, else the last that is
    filled in: scripts that add a field put it behind the page's."""
    fields: dict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        fields[decoded(name, charset)].append(decoded(value, charset))
    return {
        name: values if len(values) > 1 and name in LISTS else last(values)
        for name, values in unbracketed(cleaned(fields)).items()
    }


LISTS = ("interests",)


def unbracketed(fields: Mapping[str, Any]) -> Fields:
    """``interests[]`` and ``interests[0]`` are ``interests``."""
    found: Fields = {}
    for given, value in fields.items():
        base, bracket, rest = given.partition("[")
        if bracket and base in LISTS and rest.endswith("]") and (rest == "]" or rest[:-1].isdigit()):
            given = base
            value = [*listed(found[base]), *listed(value)] if base in found else value
        found[given] = value
    return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def last(values: list[str]) -> str:
    """The last that is filled in."""
    return next((value for value in reversed(values) if value.strip()), "")


def cleaned(fields: Mapping[str, Any]) -> Fields:
    """Without NUL characters and lone surrogates, which no database keeps, in names and in texts."""
    return {clean(name): clean_value(value) for name, value in fields.items()}


def clean_value(value: Any) -> Any:
    """A text, or the texts of a list. No field of a form is anything else."""
    if isinstance(value, str):
        return clean(value)
    return [clean_value(item) for item in value if not isinstance(item, list)] if isinstance(value, list) else value


def clean(text: str) -> str:
    """Two halves of an emoji that belong together become one; halves alone go."""
    return text.replace("\0", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def decoded(raw: bytes, charset: str = "") -> str:
    """Text in UTF-8, or in *charset*, or as most of the world wrote before UTF-8. Never fails."""
    for name, errors in (("utf-8", "strict"), (charset or "utf-8", "strict"), ("utf-8", "surrogatepass")):
        try:
            return raw.decode(name, errors)
        except UnicodeDecodeError:
            continue
    return raw.translate(UNDEFINED).decode("cp1252")


UNDEFINED = bytes(ord("?") if code in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else code for code in range(256))
"""The five bytes that windows-1252 leaves open."""


def charset_in(kind: bytes) -> str:
    """What *kind* names besides UTF-8, if it is one of those that pages are written in; else nothing."""
    for parameter in kind.decode("latin-1").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return python_name(value.strip().strip("\"'").lower().replace("_", "-"))
    return ""


def python_name(label: str) -> str:
    """``windows-1251`` → ``cp1251``; nothing for what is not in ``CHARSETS``: a stranger's word looks up no codec."""
    label = label.replace("windows-", "cp").replace("iso-8859-", "iso8859-").replace("x-sjis", "shift-jis")
    label = {"latin1": "latin-1", "gb2312": "gbk", "us-ascii": "ascii"}.get(label, label)
    for name, read_as in CHARSETS.items():
        if name.replace("_", "-") == label or name.replace("_", "") == label.replace("-", ""):
            return read_as or name
    return ""
