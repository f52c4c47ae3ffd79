"""Reads both documents: endpoints, tables and examples, from their text alone, so that no test types them again.

The copies beside this file are the documents as they were published: pages as text, in which a table's cells, or a
heading and the line before it, stand together without a space. What a pattern below does not find is not passed over
in silence: ``test_reading.py`` counts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Block:
    """A piece of JSON at ``text[start:end]``; ``notes`` are the comments beside its keys."""

    line: int
    start: int
    end: int
    value: Any
    notes: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """A line of a table that names something and says what it means."""

    line: int
    name: str
    text: str


@dataclass(frozen=True)
class Field:
    """A parameter or a field; ``allowed`` and ``default`` are what its description says of its values."""

    line: int
    name: str
    type: str
    required: bool
    description: str

    @property
    def allowed(self) -> tuple[str, ...]:
        listed = re.search(r"\w+(?:, \w+)+", self.description)
        return tuple(listed[0].split(", ")) if listed else ()

    @property
    def default(self) -> str | None:
        told = re.search(r'default: (\w+)|Defaults to "(\w+)"', self.description)
        return (told[1] or told[2]) if told else None


@dataclass(frozen=True)
class Refusal:
    """A line of an endpoint's table of errors."""

    line: int
    status: int
    detail: str
    when: str


@dataclass(frozen=True)
class Endpoint:
    """What a document says of one endpoint; ``status`` is that of success, ``tags`` the values that it always gives."""

    line: int
    method: str
    path: str
    about: str
    status: int
    fields: tuple[Field, ...]
    request: Block | None
    response: Block | None
    refusals: tuple[Refusal, ...] = ()
    tags: Mapping[str, str] | None = None

    @property
    def label(self) -> str:
        """How a test names it."""
        return f"{self.method} {self.path} (line {self.line})"

    @property
    def required(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.required)

    def field(self, name: str) -> Field:
        (found,) = (field for field in self.fields if field.name == name)
        return found

    @property
    def sent(self) -> Any:
        """The example of a request, which is there."""
        assert self.request is not None, self.label
        return self.request.value

    @property
    def answered(self) -> Any:
        """The example of an answer, which is there."""
        assert self.response is not None, self.label
        return self.response.value


def line_of(text: str, place: int) -> int:
    """The number of the line, from 1, in which a place stands."""
    return text.count("\n", 0, place) + 1


def text_of(name: str) -> str:
    """A document, whole."""
    return (HERE / name).read_bytes().decode()


COMMENT = re.compile(r"[ \t]+// (.*)$", re.MULTILINE)


def blocks_of(text: str) -> tuple[Block, ...]:
    """Every piece of JSON that is not empty, in its order; comments are allowed at the ends of its lines."""
    bare = COMMENT.sub(lambda comment: " " * len(comment[0]), text)
    found: list[Block] = []
    for opening in re.finditer(r"[{\[]", bare):
        start = opening.start()
        if found and start < found[-1].end:
            continue
        try:
            value, end = JSONDecoder().raw_decode(bare, start)
        except JSONDecodeError:
            continue
        if value:
            notes = dict(re.findall(r'"(\w+)":.*[ \t]// (.*)', text[start:end]))
            found.append(Block(line_of(text, start), start, end, value, notes))
    return tuple(found)


def block_in(blocks: tuple[Block, ...], start: int, end: int) -> Block | None:
    """The one block between two places, or None; more than one is an error."""
    inside = [block for block in blocks if start <= block.start < end]
    assert len(inside) < 2, inside
    return inside[0] if inside else None


def glued_rows(text: str, heading: str, pattern: str) -> Iterator[tuple[int, re.Match[str]]]:
    """The rows below a heading up to an empty line, each with its number; their cells are the pattern's groups."""
    start = text.index(f"\n{heading}\n") + len(heading) + 2
    for number, line in enumerate(text[start:].partition("\n\n")[0].split("\n"), line_of(text, start)):
        cells = re.fullmatch(pattern, line)
        assert cells, f"line {number}: {line}"
        yield number, cells


def piped_rows(text: str, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """The rows below ``|---|``, in a text that begins at a line of that number."""
    lines = text.split("\n")
    beginning = next((place for place, line in enumerate(lines) if line.startswith("|---")), len(lines))
    for number, line in enumerate(lines[beginning + 1 :], first_line + beginning + 1):
        if line.endswith("|"):
            yield number, [cell.strip() for cell in line.strip("| ").split(" | ")]
