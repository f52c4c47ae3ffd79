"""Files as programs write them: encodings, separators, headers, rows."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.commands.importing.csv_file import layout_of, rows_of
from aureum.domain.csv_cells import BOM, lines, read_back
from aureum.domain.errors import Invalid

TEXT = 'Name;Notes\r\nZoë;"two\nlines; and a mark """\r\n\r\n;;\r\nÅsa;x\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_says_the_same(encoding: str) -> None:
    file = io.BytesIO(TEXT.encode(encoding))
    layout = layout_of(file)
    assert (layout.header, layout.separator, layout.rows) == (("Name", "Notes"), ";", 2)
    assert layout.guessed == (encoding == "cp1252")
    rows = list(rows_of(file, layout))
    assert [(row.number, row.cells) for row in rows] == [
        (2, ["Zoë", 'two\nlines; and a mark "']),
        (5, ["Åsa", "x"]),
    ]


@pytest.mark.parametrize(
    ("begin", "header"),
    [
        ("a,b,c\n1,2,3", ("a", "b", "c")),
        ("a\tb\n1\t2", ("a", "b")),
        ("sep=;\na;b\n1;2", ("a", "b")),
        ("\n\nEmail,,Email,Email (2),\n1", ("Email", "Column 2", "Email (2)", "Email (2) (2)")),
        ("just one\nx", ("just one",)),
        ("'=Sum,b\n1,2", ("=Sum", "b")),
    ],
)
def test_headers(begin: str, header: tuple[str, ...]) -> None:
    assert layout_of(io.BytesIO(begin.encode())).header == header


@pytest.mark.parametrize(
    "content", [b"", b"\n \n", b"Name\n\n", b"PK\x03\x04rest", b"a\x00b,c\n1", b"x," * 600 + b"\n1"]
)
def test_what_is_no_such_file_is_refused_with_what_to_do(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        layout_of(io.BytesIO(content))
    assert refused.value.field == "file" and len(str(refused.value).split()) > 4


def test_an_endless_cell_is_refused() -> None:
    with pytest.raises(Invalid, match="Row 2"):
        layout_of(io.BytesIO(b'a\n"' + b"x" * 1_100_000))


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3).filter(lambda row: any(one.strip() for one in row)), min_size=1)
)
def test_our_own_files_are_read_back(rows: list[list[str]]) -> None:
    content = BOM.encode() + lines([["One", "Two", "Three"], *rows])
    file = io.BytesIO(content)
    layout = layout_of(file)
    found = [row.cells for row in rows_of(file, layout)]
    written = list(csv.reader(io.StringIO(content.decode().removeprefix(BOM), newline="")))[1:]
    assert found == [[read_back(cell) for cell in row] for row in written]
