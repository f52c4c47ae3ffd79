"""A PDF as it comes in: as the body or in a form, cut anywhere; and what is refused before it is whole."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.http.wire.documents import PdfUpload
from aureum.http.wire.errors import ClientGone, EncodedBody, HttpError, InvalidRequest

BOUNDARY = b"cut"
LIMIT = 5_000
TOO_LARGE = HttpError("pdf_too_large")


def form(content: bytes, name: str = "Offer.pdf") -> bytes:
    """The file, between a field and another file."""
    parts = (
        b'name="once"\r\n\r\nabc',
        b'name="file"; filename="%s"\r\nContent-Type: application/pdf\r\n\r\n%s' % (name.encode(), content),
        b'name="other"; filename="x.pdf"\r\n\r\n%PDF-other',
    )
    body = b"".join(b"--cut\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts)
    return body + b"--cut--\r\n"


def read(parts: Sequence[bytes], media: bytes, *more: tuple[bytes, bytes], gone: bool = False) -> tuple[bytes, str]:
    """What has come, and the name in the form."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.disconnect"} if gone else {"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def all_of() -> tuple[bytes, str]:
        upload = PdfUpload(receive, [(b"content-type", media), *more], LIMIT, TOO_LARGE)
        return b"".join([part async for part in upload.parts()]), upload.file_name

    return asyncio.run(all_of())


FORM = b"multipart/form-data; boundary=cut"
PDF = b"application/pdf; qs=1"


@settings(max_examples=60, deadline=None)
@given(content=st.binary(min_size=1, max_size=600), cuts=st.lists(st.integers(0, 900), max_size=6), whole=st.booleans())
def test_the_file_is_the_same_however_it_was_cut(content: bytes, cuts: list[int], whole: bool) -> None:
    body = content if whole else form(content)
    at = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    parts = [body[begin:end] for begin, end in pairwise(at)]
    if not whole and b"\r\n--cut" in b"\r\n" + content:
        return
    assert read(parts, PDF if whole else FORM) == (content, "" if whole else "Offer.pdf")


@pytest.mark.parametrize(
    ("parts", "media", "more", "code"),
    [
        ([b"x"], b"text/plain", (), "media_type_unsupported"),
        ([b"x"], b"", (), "media_type_unsupported"),
        ([b"x"], PDF, ((b"content-length", b"5001"),), "pdf_too_large"),
        ([bytes(LIMIT), b"x"], PDF, (), "pdf_too_large"),
        ([form(bytes(LIMIT + 1))], FORM, (), "pdf_too_large"),
        ([b"--cut\r\n\r\n" + bytes(2_000_000)], FORM, (), "pdf_too_large"),
        ([form(b"x")[:-9]], FORM, (), "form_unreadable"),
        ([b"no form"], FORM, (), "form_unreadable"),
        ([form(b"x")], b"multipart/form-data", (), "form_unreadable"),
        ([b"--cut--\r\n"], FORM, (), "invalid_fields"),
        ([form(b"")], FORM, (), "invalid_fields"),
        ([], PDF, (), "invalid_fields"),
    ],
)
def test_what_is_refused(parts: list[bytes], media: bytes, more: tuple[tuple[bytes, bytes], ...], code: str) -> None:
    with pytest.raises(HttpError) as refused:
        read(parts, media, *more)
    assert refused.value.code == code


def test_what_is_broken_off_or_compressed() -> None:
    with pytest.raises(ClientGone):
        read([b"%PDF-"], PDF, gone=True)
    with pytest.raises(EncodedBody):
        read([b"%PDF-"], PDF, (b"content-encoding", b"gzip"))
    with pytest.raises(InvalidRequest):
        read([form(b"x")[:30]], FORM)
    assert read([bytes(LIMIT)], PDF, (b"content-length", b"5000")) == (bytes(LIMIT), "")
