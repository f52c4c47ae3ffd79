"""A tsvector for COPY, which takes rows in binary and has no text to read: psycopg does not know the type."""

import re
import struct

from psycopg.adapt import Dumper
from psycopg.pq import Format

LEXEME = re.compile(r"'((?:[^'\\]|''|\\.)*)'|([^\s']+)", re.DOTALL)
ESCAPED = re.compile(r"''|\\(.)", re.DOTALL)


class TsvectorDumper(Dumper):
    """Takes what PostgreSQL reads as a tsvector without positions."""

    format = Format.BINARY
    oid = 3614

    def dump(self, obj: str) -> bytes:
        """The number of lexemes; each with a NUL and the number of its positions."""
        lexemes = [bare or ESCAPED.sub(lambda found: found[1] or "'", quoted) for quoted, bare in LEXEME.findall(obj)]
        return struct.pack("!i", len(lexemes)) + b"".join(lexeme.encode() + b"\0\0\0" for lexeme in lexemes)
