"""PDFs for the tests: ordinary ones, and ones put together by hand, object by object."""

import zlib
from collections.abc import Mapping
from io import BytesIO

from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # it has no types

PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<<>>>>"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """An object that is a stream."""
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(data), entries, data)


PLAIN: Mapping[int, bytes] = {1: CATALOG, 2: PAGES, 3: PAGE, 4: stream(b"BT ET")}
"""The objects of a document with one empty page."""


def raw(objects: Mapping[int, bytes], trailer: bytes = b"", *, changed: Mapping[int, bytes] | None = None) -> bytes:
    """A file with these *objects*, those *changed* instead of theirs, and a table where each stands."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = {}
    for number, content in sorted({**objects, **(changed or {})}.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start, size = len(out), max(places) + 1
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, place)
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(out)


def packed(hidden: bytes, objects: Mapping[int, bytes] = PLAIN) -> bytes:
    """A file whose object 9 stands in a compressed stream of objects, as newer programs write them."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    content = zlib.compress(b"9 0 " + hidden)
    entries = {**objects, 8: stream(content, b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode")}
    places = {}
    for number, one in sorted(entries.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(out)
    rows = bytearray()
    for number in range(11):
        kind, place, index = (2, 8, 0) if number == 9 else (1, places.get(number, 0), 0)
        if number == 10:
            place = start
        rows += bytes([kind if place else 0]) + place.to_bytes(4, "big") + bytes([index])
    table = stream(bytes(rows), b"/Type/XRef/Size 11/W[1 4 1]/Root 1 0 R")
    out += b"10 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, start)
    return bytes(out)


def hybrid() -> bytes:
    """A file with two kinds of tables, as Word writes it: only newer readers find object 9."""
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    content = zlib.compress(b"9 0 <</Hidden true>>")
    entries = {**PLAIN, 8: stream(content, b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode")}
    places = {}
    for number, one in sorted(entries.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    places[10] = len(out)
    row = bytes([2]) + (8).to_bytes(4, "big") + bytes([0])
    out += b"10 0 obj\n%s\nendobj\n" % stream(row, b"/Type/XRef/Size 11/Index[9 1]/W[1 4 1]/Root 1 0 R")
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, place)
    out += b"trailer\n<</Size 11/Root 1 0 R/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n" % (places[10], start)
    return bytes(out)


def document(pages: int = 1, *lines: str) -> bytes:
    """An ordinary PDF: A4, each page with its number and these *lines*."""
    file = BytesIO()
    canvas = Canvas(file, invariant=True)
    for number in range(1, pages + 1):
        canvas.drawString(72, 760, f"Page {number}")
        for place, line in enumerate(lines):
            canvas.drawString(72, 700 - 40 * place, line)
        canvas.showPage()
    canvas.save()
    return file.getvalue()
