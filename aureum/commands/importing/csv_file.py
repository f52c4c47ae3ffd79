"""The rows of a CSV file, whatever program wrote it: its encoding, its separator, its header. Nothing of it is held in
memory but the row that is read.

Texts are UTF-8, UTF-16 or Windows-1252; the last is what a file must be that is neither. The separator is the one that
parts the header into most columns.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from aureum.domain.csv_cells import read_back
from aureum.domain.errors import Invalid

SEPARATORS = (",", ";", "\t", "|")
SAMPLE = 65_536
MOST_COLUMNS = 500
LONGEST_CELL = 1_000_000

FIELD = "file"
EMPTY = "The file has no rows. The first row must be the header, with the names of the columns."
NO_ROWS = "The file has a header but no rows."
NO_TEXT = (
    "The file is not a CSV file. Save the spreadsheet as CSV (in Excel: CSV UTF-8), and choose the file that was saved."
)
TOO_MANY_COLUMNS = f"The header has too many columns. The limit is {MOST_COLUMNS}."
TOO_LONG = (
    "Row {row} has a cell of more than {limit} characters. A quotation mark before it is probably not closed. "
    "Correct the row, and import the file again."
)

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NAMES = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
GUESSED = "cp1252"
ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")
"""What files begin with that are mistaken for CSV: spreadsheets as Excel saves them, and documents."""


class Row(NamedTuple):
    """A row: its number as a spreadsheet shows it, and its cells as they stand there."""

    number: int
    cells: list[str]


@dataclass(frozen=True)
class Layout:
    """How a file is to be read. ``header`` has the names of the columns, each once."""

    encoding: str
    separator: str
    header: tuple[str, ...]
    rows: int

    @property
    def said(self) -> str:
        """The encoding, for a person."""
        return NAMES.get(self.encoding, "Windows-1252")

    @property
    def guessed(self) -> bool:
        """Whether the encoding was guessed: accents may be wrong."""
        return self.encoding == GUESSED


def layout_of(file: BinaryIO) -> Layout:
    """How *file* is to be read, and how many rows with anything in them it has. Raises Invalid."""
    file.seek(0)
    begin = file.read(SAMPLE)
    if begin.startswith(ARCHIVES):
        raise Invalid(FIELD, NO_TEXT)
    encoding = encoding_of(file, begin)
    separator = separator_of(begin, encoding)
    header: tuple[str, ...] = ()
    rows = 0
    for row in records(file, encoding, separator):
        if header:
            rows += 1
        else:
            header = named(row.cells)
    if not header:
        raise Invalid(FIELD, EMPTY)
    if not rows:
        raise Invalid(FIELD, NO_ROWS)
    return Layout(encoding, separator, header, rows)


def encoding_of(file: BinaryIO, begin: bytes) -> str:
    """By the mark at its beginning, by NUL bytes, or by trying. Raises Invalid for what is no text."""
    for mark, name in MARKS:
        if begin.startswith(mark):
            return name
    zeros = begin[:1_000].count(0), begin[1:1_000:2].count(0)
    if zeros[0]:
        if zeros[0] < len(begin[:1_000]) // 4:
            raise Invalid(FIELD, NO_TEXT)
        return "utf-16-le" if zeros[1] > zeros[0] // 2 else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while chunk := file.read(SAMPLE):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return GUESSED
    return "utf-8"


def separator_of(begin: bytes, encoding: str) -> str:
    """The one that parts the first row with anything in it into most cells."""
    text = begin.decode(encoding, "replace").lstrip("\ufeff")
    said = text[:8].lower()
    if said.startswith("sep=") and said[4:5] in SEPARATORS:
        # Excel's own line above the header.
        return said[4]

    def cells(separator: str) -> int:
        parsed = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        try:
            return next((len(row) for row in parsed if any(cell.strip() for cell in row)), 0)
        except csv.Error:
            return 0

    return max(SEPARATORS, key=cells)


def records(file: BinaryIO, encoding: str, separator: str) -> Iterator[Row]:
    """Every row with anything in it, the header first. Raises Invalid."""
    csv.field_size_limit(LONGEST_CELL)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, errors="replace", newline="")
    number = 0
    try:
        for cells in csv.reader(text, delimiter=separator):
            number += 1
            if number == 1 and cells and cells[0].lower().startswith("sep="):
                continue
            if any(cell and not cell.isspace() for cell in cells):
                yield Row(number, cells)
    except csv.Error as error:
        raise Invalid(FIELD, TOO_LONG.format(row=number + 1, limit=f"{LONGEST_CELL:,}")) from error
    finally:
        # The file is the caller's, to be read again.
        text.detach()


def rows_of(file: BinaryIO, layout: Layout) -> Iterator[Row]:
    """The rows below the header, with their cells as they were before a spreadsheet was kept from running them."""
    found = records(file, layout.encoding, layout.separator)
    next(found)
    for row in found:
        yield Row(row.number, [read_back(cell) for cell in row.cells])


def named(cells: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns: what stands there, or the column's number; what stands there twice gets a number.
    Raises Invalid."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) > MOST_COLUMNS:
        raise Invalid(FIELD, TOO_MANY_COLUMNS)
    names: dict[str, None] = {}
    for place, cell in enumerate(cells, 1):
        name = " ".join(read_back(cell).replace("\0", "").split())[:200] or f"Column {place}"
        once, number = name, 2
        while name in names:
            name, number = f"{once} ({number})", number + 1
        names[name] = None
    return tuple(names)
