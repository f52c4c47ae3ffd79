"""The Leads API document, read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.documents.reading import (
    Block,
    Endpoint,
    Field,
    Refusal,
    Row,
    block_in,
    blocks_of,
    line_of,
    piped_rows,
    text_of,
)

HEADING = re.compile(r"([^\n“”]+)\nSection titled “\1”")
"""A title twice: at the end of whatever stands before it, and in the line that begins its section."""

ENDPOINT = re.compile(r"^(GET|POST|PUT|PATCH|DELETE) (/\S+)$", re.MULTILINE)

PARTS = ("Request Body", "Fields", "Query Parameters", "Scoping", "Response", "Error Responses")
"""The sections below an endpoint's own that still tell of it."""

SUCCESS = 200
"""Where the document names no other status."""


@dataclass(frozen=True)
class Section:
    """A title and what stands below it, up to the next title."""

    title: str
    start: int
    end: int
    text: str
    line: int


@dataclass(frozen=True)
class Error:
    """An example of the section "Error Responses"."""

    title: str
    status: int
    block: Block


@dataclass(frozen=True)
class LeadsDocument:
    """``statuses`` are those of a lead."""

    text: str
    blocks: tuple[Block, ...]
    sections: tuple[Section, ...]
    endpoints: tuple[Endpoint, ...]
    statuses: tuple[Row, ...]
    errors: tuple[Error, ...]

    def endpoint(self, method: str, path: str) -> Endpoint:
        (found,) = (one for one in self.endpoints if (one.method, one.path) == (method, path))
        return found

    def error(self, title: str) -> Error:
        (found,) = (error for error in self.errors if error.title == title)
        return found


@cache
def leads_document() -> LeadsDocument:
    """The document that stands beside this file."""
    text = text_of("leads-api.txt")
    blocks = blocks_of(text)
    sections = tuple(sections_of(text))
    (statuses,) = (section for section in sections if section.title == "Lead Status Values")
    return LeadsDocument(
        text=text,
        blocks=blocks,
        sections=sections,
        endpoints=tuple(endpoints(blocks, sections)),
        statuses=tuple(Row(line, *cells) for line, cells in piped_rows(statuses.text, statuses.line)),
        errors=tuple(errors(blocks, sections)),
    )


def sections_of(text: str) -> Iterator[Section]:
    """Every section; a subsection ends the text of the one that it is in."""
    headings = list(HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    for heading, end in zip(headings, ends, strict=True):
        start = heading.end()
        yield Section(heading[1], start, end, text[start:end], line_of(text, start))


def endpoints(blocks: tuple[Block, ...], sections: tuple[Section, ...]) -> Iterator[Endpoint]:
    """Every endpoint with its parts."""
    for place, section in enumerate(sections):
        if found := ENDPOINT.search(section.text):
            parts: dict[str, Section] = {}
            for part in sections[place + 1 :]:
                if part.title not in PARTS or part.title in parts:
                    break
                parts[part.title] = part
            yield endpoint(blocks, section, found, parts)


def endpoint(blocks: tuple[Block, ...], section: Section, found: re.Match[str], parts: dict[str, Section]) -> Endpoint:
    """One endpoint; its response is told by an example, or by words that name the status and some values."""

    def example(title: str) -> Block | None:
        part = parts.get(title)
        return block_in(blocks, part.start, part.end) if part else None

    told = parts["Response"].text if "Response" in parts else ""
    status = re.match(r"\d{3} ", told)
    response = example("Response")
    return Endpoint(
        line=line_of(section.text, found.start()) + section.line - 1,
        method=found[1],
        path=found[2],
        about=section.text[: found.start()].strip(),
        status=int(status[0]) if status else SUCCESS,
        fields=tuple(fields(parts)),
        request=example("Request Body"),
        response=response,
        refusals=tuple(refusals(parts)),
        tags=dict(re.findall(r'(\w+): "([^"]+)"', told)) if response is None else None,
    )


def fields(parts: dict[str, Section]) -> Iterator[Field]:
    """The table of fields; that of query parameters has no column for what is required: nothing is."""
    if "Fields" in parts:
        for line, (name, kind, required, description) in piped_rows(parts["Fields"].text, parts["Fields"].line):
            yield Field(line, name, kind, required == "Yes", description)
    if "Query Parameters" in parts:
        query = parts["Query Parameters"]
        for line, (name, kind, description) in piped_rows(query.text, query.line):
            yield Field(line, name, kind, False, description)


def refusals(parts: dict[str, Section]) -> Iterator[Refusal]:
    """An endpoint's own table of errors."""
    if "Error Responses" in parts:
        section = parts["Error Responses"]
        for line, (status, detail, when) in piped_rows(section.text, section.line):
            yield Refusal(line, int(status), detail, when)


def errors(blocks: tuple[Block, ...], sections: tuple[Section, ...]) -> Iterator[Error]:
    """The examples that are followed by their status."""
    for section in sections:
        status = re.search(r"^.*}Status: (\d{3}) ", section.text, re.MULTILINE)
        block = block_in(blocks, section.start, section.end)
        if status and block:
            yield Error(section.title, int(status[1]), block)
