"""What real websites post, each as a Content-Type and the bytes of a body, and what it becomes.

``SENT`` is of one contact form that has been filled in; the variants of a form that is not quite in order stand in
``ODD``, each with the fields that come out of it.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.http.serving import FORM


class Sent(NamedTuple):
    """One body, and what a lead made of it shows other than ``FORM``."""

    name: str
    kind: str
    body: bytes
    shows: Mapping[str, Any] = MappingProxyType({})


BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
URLENCODED = "application/x-www-form-urlencoded"


def part(name: str, value: bytes, *, more: str = "", headers: str = "") -> bytes:
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n{headers}\r\n'.encode()
        + value
        + b"\r\n"
    )


def multipart(fields: dict[str, str], *files: bytes) -> bytes:
    """As Chromium writes it."""
    parts = [part(name, value.encode()) for name, value in fields.items()]
    return b"".join([*parts, *files, f"--{BOUNDARY}--\r\n".encode()])


FILE = part(
    "attachment",
    b"\x89PNG\r\n--not a boundary\r\n" * 1_000,
    more='; filename="floor plan.png"',
    headers="Content-Type: image/png\r\n",
)
NO_FILE = part("attachment", b"", more='; filename=""', headers="Content-Type: application/octet-stream\r\n")

MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
EMPTY = {"phone": "", "source_page": "", "utm_source": "", "utm_medium": "", "utm_campaign": ""}
SHOWS_EMPTY = {"phone": None, "sourcePage": None, "utm": {"source": None, "medium": None, "campaign": None}}
AUTOFILLED = FORM | {"phone": "+1 208-555-0123", "address-line1": "1 River Rd", "cc-csc": "", "honey": ""}

SENT = [
    Sent("fetch, JSON", "application/json", json.dumps(FORM).encode()),
    Sent("axios", "application/json;charset=utf-8", json.dumps(FORM, separators=(",", ":")).encode()),
    Sent("sendBeacon of a string", "text/plain;charset=UTF-8", json.dumps(FORM).encode()),
    Sent("no Content-Type", "", json.dumps(FORM).encode()),
    Sent("PowerShell, with a BOM", "application/json", b"\xef\xbb\xbf" + json.dumps(FORM).encode()),
    Sent("curl -d without a header", URLENCODED, json.dumps(FORM).encode()),
    Sent("a form without script", URLENCODED, urlencode(FORM).encode()),
    Sent("URLSearchParams", "application/x-www-form-urlencoded;charset=UTF-8", urlencode(FORM).encode()),
    Sent("capitals", "Application/X-WWW-Form-URLEncoded", urlencode(FORM).encode()),
    Sent("a button with a name, and stray ampersands", URLENCODED, f"&&submit=Send&{urlencode(FORM)}&".encode()),
    Sent("multipart", MULTIPART, multipart(FORM)),
    Sent("multipart, quoted boundary", f'Multipart/Form-Data; charset=utf-8; boundary="{BOUNDARY}"', multipart(FORM)),
    Sent("multipart without its boundary", "multipart/form-data", multipart(FORM)),
    Sent("multipart with a file", MULTIPART, multipart(FORM, FILE)),
    Sent("multipart with an empty file input", MULTIPART, multipart(FORM, NO_FILE)),
    Sent(
        "Object.fromEntries(new FormData(form)) with a file",
        "application/json",
        json.dumps(FORM | {"file": {}}).encode(),
    ),
    Sent("FormData, empty inputs", "application/json", json.dumps(FORM | EMPTY).encode(), SHOWS_EMPTY),
    Sent("no script, empty inputs", URLENCODED, urlencode(FORM | EMPTY).encode(), SHOWS_EMPTY),
    Sent("multipart, empty inputs", MULTIPART, multipart(FORM | EMPTY), SHOWS_EMPTY),
    Sent("autofill", URLENCODED, urlencode(AUTOFILLED).encode(), {"phone": "+1 208-555-0123"}),
]

ODD = [
    Sent("a name twice", URLENCODED, f"phone=&{urlencode(FORM)}&subject=&utm_source=".encode()),
    Sent(
        "plus and percent",
        URLENCODED,
        urlencode(FORM | {"message": "1+1 = 2 & 100%"}).encode(),
        {"message": "1+1 = 2 & 100%"},
    ),
    Sent("a percent alone", URLENCODED, urlencode(FORM).encode() + b"&message=100%", {"message": "100%"}),
    Sent("UTF-8", URLENCODED, urlencode(FORM | {"message": "Zoë 🏡 名前"}).encode(), {"message": "Zoë 🏡 名前"}),
    Sent(
        "latin-1",
        URLENCODED,
        urlencode(FORM | {"message": "Zoë – “x”"}, encoding="cp1252").encode(),
        {"message": "Zoë – “x”"},
    ),
    Sent("latin-1, raw", URLENCODED, urlencode(FORM).encode() + b"&message=Zo\xeb\x81", {"message": "Zoë?"}),
    Sent(
        "Cyrillic",
        f"{URLENCODED}; charset=windows-1251",
        urlencode(FORM | {"message": "Привет"}, encoding="cp1251").encode(),
        {"message": "Привет"},
    ),
    Sent(
        "Japanese",
        f"{URLENCODED}; charset=Shift_JIS",
        urlencode(FORM | {"message": "家"}, encoding="shift_jis").encode(),
        {"message": "家"},
    ),
    Sent(
        "an unknown charset",
        f"{URLENCODED}; charset=punycode",
        urlencode(FORM | {"message": "Zoë"}).encode(),
        {"message": "Zoë"},
    ),
    Sent(
        "multipart in latin-1",
        MULTIPART,
        part("message", b"Zo\xeb") + multipart({k: v for k, v in FORM.items() if k != "message"}),
        {"message": "Zoë"},
    ),
    Sent(
        "JSON in latin-1",
        "application/json; charset=iso-8859-1",
        json.dumps(FORM | {"message": "Zoë"}, ensure_ascii=False).encode("latin-1"),
        {"message": "Zoë"},
    ),
    Sent(
        "CESU-8",
        "application/json",
        json.dumps(FORM | {"message": "x"}).encode().replace(b'"x"', b'"a\xed\xa0\xbc\xed\xbf\xa1b"'),
        {"message": "a🏡b"},
    ),
    Sent(
        "half an emoji",
        "application/json",
        json.dumps(FORM | {"message": "look \ud83c"}).encode(),
        {"message": "look "},
    ),
    Sent("NUL", "application/json", json.dumps(FORM | {"message": "a\0b"}).encode(), {"message": "ab"}),
    Sent("NUL without script", URLENCODED, urlencode(FORM | {"message": "a\0b"}).encode(), {"message": "ab"}),
    Sent(
        "a long campaign",
        "application/json",
        json.dumps(FORM | {"utm_campaign": "🏡" * 501}).encode(),
        {"utm": {"source": "google", "medium": "organic", "campaign": "🏡" * 500}},
    ),
    Sent(
        "a long page",
        URLENCODED,
        urlencode(FORM | {"source_page": "/" + "x" * 3_000}).encode(),
        {"sourcePage": "/" + "x" * 1_999},
    ),
    Sent(
        "a campaign as number, list and object",
        "application/json",
        json.dumps(FORM | {"utm_source": 7, "utm_medium": ["a", "b"], "utm_campaign": {"a": 1}}).encode(),
        {"utm": {"source": "7", "medium": "a, b", "campaign": None}},
    ),
    Sent(
        "line ends in what is one line",
        "application/json",
        json.dumps(FORM | {"source_page": "/a\r\n/b"}).encode(),
        {"sourcePage": "/a /b"},
    ),
]
