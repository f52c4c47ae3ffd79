"""Cells of a CSV file that people open in a spreadsheet: none is taken for a formula, and each can be read back.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-`` or ``@``. Where its own separator is another one, such as
``;``, the rest of a text behind that is a cell as well. So an apostrophe stands before each such character. A phone in
international form has none: it is no formula once its hyphens are blanks, and an address book takes it as it is.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO

BOM = "\ufeff"
"""Without it, Excel takes the file for one of the machine's old character set."""

RUN = "=+@\\-＝＋－＠"
"""What a formula begins with; East Asian versions take the wide characters, too."""

PHONE = re.compile(r"\+[0-9][0-9 ().-]*", re.ASCII)
UNSAFE = re.compile(rf"\A(?='*[{RUN}\t\r\n])|(?<=[;\t\r\n])(?='*[{RUN}])")
MARKED = re.compile(rf"\A'(?='*[{RUN}\t\r\n])|(?<=[;\t\r\n])'(?='*[{RUN}])")


def safe(text: str) -> str:
    """*text* as no spreadsheet runs it."""
    if PHONE.fullmatch(text):
        return text.replace("-", " ")
    return UNSAFE.sub("'", text)


def read_back(cell: str) -> str:
    """The inverse of ``safe``, but that the hyphens of a phone stay blanks."""
    return MARKED.sub("", cell)


def lines(rows: Iterable[Sequence[str]]) -> bytes:
    """The lines of *rows*, as RFC 4180 has them."""
    written = StringIO(newline="")
    csv.writer(written).writerows([safe(cell) for cell in row] for row in rows)
    return written.getvalue().encode()
