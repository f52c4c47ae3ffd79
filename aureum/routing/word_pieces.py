"""The bundled model's tokenizer, with the pieces of each word remembered: enquiries are made of the same words.

A word's pieces do not depend on its neighbours, since no piece of the vocabulary goes beyond the end of a word
(``tests/routing/test_bundled_model.py`` holds that any text has the pieces that the package's tokenizer gives it).
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

WORDS_KEPT = 20_000

KEPT = re.compile(r"[^\d@]{1,30}")
"""Which words are remembered: no addresses and telephone numbers, and none that are written once."""

WORD = re.compile(r"[^ \t\n\f\r]+")
"""What the tokenizer takes for a word of a text that has no other spaces."""

SPACE = "\u2581"
"""What stands for a space in pieces. A text that has it from its writer is cut by the tokenizer, as a whole."""

BEGIN, END = 1, 2
NOTHING = [0]
"""The pieces of a text without any character that counts."""


class WordPieces:
    """What *tokenizer*, the package's own, makes of texts."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.of_word = lru_cache(WORDS_KEPT)(self._of_word)

    def encode(self, text: str) -> Sequence[int]:
        """The numbers of the text's pieces, its ends marked."""
        if SPACE in text:
            return self._whole(text)
        pieces = [BEGIN]
        for word in WORD.findall(text):
            pieces += self.of_word(word) if KEPT.fullmatch(word) else self._of_word(word)
        if len(pieces) == 1:
            pieces += NOTHING
        pieces.append(END)
        return pieces

    def _of_word(self, word: str) -> Sequence[int]:
        found = self.tokenizer.encode(word, add_bos=False, add_eos=False)
        return () if found == NOTHING else tuple(found)

    def _whole(self, text: str) -> Sequence[int]:
        found: Sequence[int] = self.tokenizer.encode(text)
        return found
