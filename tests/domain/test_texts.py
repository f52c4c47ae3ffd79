"""Texts of one line: whatever comes, none of it ends a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.texts import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Jane Doe", "Jane Doe"),
        ("Jane\r\nDoe", "Jane Doe"),
        ("Jane \n\t Doe", "Jane Doe"),
        ("\nJane\n", "Jane"),
        ("Jane\u2028Doe\x85\x0b\x0c\x1c\x7f", "Jane Doe"),
        ("  two  blanks  ", "  two  blanks  "),
        ("Zoë\u00a0Müller\u200b", "Zoë\u00a0Müller\u200b"),
        ("\n\r", ""),
        ("", ""),
    ],
)
def test_examples(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text())
def test_any_text_is_one_line_and_stays_it(text: str) -> None:
    line = one_line(text)
    assert len(f"x{line}x".splitlines()) == 1 and not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in line)
    assert one_line(line) == line and len(line) <= len(text)
    if len(f"x{text}x".splitlines()) == 1 and text.isprintable():
        assert line == text
