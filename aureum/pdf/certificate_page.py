"""The certificate page: what happened to an envelope, for a reader who has only the sealed file.

It says who signed which files (by their hashes), how each signer was identified, every act with its time and address,
and the text that each signer has consented to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from aureum.pdf.fonts import width
from aureum.pdf.stamping import draw_text

PAPER = (612.0, 792.0)
MARGIN = 54.0
LEADING = 1.35

HEAD, TITLE, PLAIN, SMALL = 18.0, 11.0, 9.0, 7.5


@dataclass(frozen=True)
class Document:
    """A document of the envelope, as it was sent."""

    name: str
    sha256: str
    pages: int


@dataclass(frozen=True)
class Person:
    """A recipient. *about* has a line for each thing to say, such as how the signature was made."""

    name: str
    email: str
    role: str
    about: Sequence[str] = ()


@dataclass(frozen=True)
class Act:
    """Something that happened: when, who did what, and from where."""

    at: datetime
    who: str
    what: str
    details: str = ""


@dataclass(frozen=True)
class CertificatePage:
    """All that the page says. *consents* are texts by their version."""

    brokerage: str
    subject: str
    envelope: str
    documents: Sequence[Document]
    people: Sequence[Person]
    acts: Sequence[Act]
    consents: Sequence[tuple[str, str]] = field(default=())


class Line(NamedTuple):
    """A line of the page. *keep*: how much room must be left for what follows it on the same page."""

    text: str
    size: float = PLAIN
    indent: float = 0
    above: float = 0
    keep: float = 0


def draw_certificate(canvas: Any, page: CertificatePage) -> int:
    """Draw the page, and further ones if it is long; how many."""
    wide, high = PAPER
    y, pages = high - MARGIN, 1
    canvas.setPageSize(PAPER)
    for line in (part for one in lines(page) for part in broken(one, wide - 2 * MARGIN)):
        down = line.size * LEADING + line.above
        if y - down - line.keep < MARGIN:
            footer(canvas, page, pages)
            canvas.showPage()
            canvas.setPageSize(PAPER)
            y, pages = high - MARGIN, pages + 1
            down = line.size * LEADING
        y -= down
        draw_text(canvas, line.text, MARGIN + line.indent, y, line.size)
    footer(canvas, page, pages)
    canvas.showPage()
    return pages


def footer(canvas: Any, page: CertificatePage, number: int) -> None:
    """The envelope's id, so that a page that was torn off can be told."""
    draw_text(canvas, f"Envelope {page.envelope} · certificate page {number}", MARGIN, MARGIN / 2, SMALL)


def lines(page: CertificatePage) -> Iterator[Line]:
    """The page from its top, before long lines are broken."""
    yield Line("Certificate of completion", HEAD)
    yield Line(page.subject, TITLE, above=6)
    yield Line(f"Sent by {page.brokerage} · envelope {page.envelope}")
    yield Line("Times are in UTC. The seal of this file permits no change: any change breaks it.")
    yield Line("Documents as they were sent", TITLE, above=14, keep=40)
    for document in page.documents:
        yield Line(f"{document.name} ({document.pages} {'page' if document.pages == 1 else 'pages'})", above=3, keep=12)
        yield Line(f"SHA-256 {document.sha256}", SMALL, indent=12)
    yield Line("People", TITLE, above=14, keep=40)
    for person in page.people:
        yield Line(f"{person.name} <{person.email}> · {person.role}", above=3, keep=12)
        for about in person.about:
            yield Line(about, SMALL, indent=12)
    yield Line("What happened", TITLE, above=14, keep=40)
    for act in page.acts:
        yield Line(f"{act.at:%Y-%m-%d %H:%M:%S}  {act.who}: {act.what}", above=2, keep=12 if act.details else 0)
        if act.details:
            yield Line(act.details, SMALL, indent=12)
    for version, text in page.consents:
        yield Line(f"What the signers consented to (version {version})", TITLE, above=14, keep=40)
        for paragraph in text.splitlines():
            yield Line(paragraph, above=3)


def broken(line: Line, wide: float) -> Iterator[Line]:
    """A line as the lines that fit. A word that is too long is broken anywhere."""
    wide -= line.indent
    blank = width(" ", line.size)
    part, takes = "", 0.0
    first = True
    for word in pieces(line, wide):
        more = width(word, line.size)
        if part and takes + blank + more > wide:
            yield line._replace(text=part, above=line.above if first else 0)
            part, takes, first = word, more, False
        else:
            part, takes = (f"{part} {word}", takes + blank + more) if part else (word, more)
    if part or first:
        yield line._replace(text=part, above=line.above if first else 0)


def pieces(line: Line, wide: float) -> Iterator[str]:
    """The words of a line, each no wider than the paper."""
    for word in line.text.split():
        part, takes = "", 0.0
        for letter in word:
            more = width(letter, line.size)
            if part and takes + more > wide:
                yield part
                part, takes = "", 0.0
            part, takes = part + letter, takes + more
        yield part
