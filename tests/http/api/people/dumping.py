"""All bytes that a database holds, and whether anything of a person is among them, in clear or in a common encoding."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import psycopg
from psycopg import sql

TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
 ORDER BY 1, 2
"""

ROWS = "SELECT * FROM {} AS x"


def database_in_bytes(url: str) -> Iterator[tuple[str, bytes]]:
    """Each value of each column of each table, as its bytes and as the text that a dump would hold, by table."""
    with psycopg.connect(url) as connection:
        for schema, table in connection.execute(TABLES).fetchall():
            rows = connection.execute(sql.SQL(ROWS).format(sql.Identifier(schema, table)))
            texts = connection.execute(sql.SQL("SELECT x::text FROM {} AS x").format(sql.Identifier(schema, table)))
            for row in rows:
                yield table, b"\n".join(as_bytes(value) for value in row)
            for (text,) in texts:
                yield table, text.encode()


def as_bytes(value: object) -> bytes:
    """A value as its bytes."""
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode("utf-8", "replace")


def encodings(value: str) -> dict[str, bytes]:
    """How a text may stand in other bytes, by name. All but base64 are looked for in any case."""
    utf8 = value.encode()
    found = {
        "utf-8": utf8,
        "hex": utf8.hex().encode(),
        "url": quote(value, safe="").encode(),
        "form": quote_plus(value, safe="").encode(),
        "json": json.dumps(value)[1:-1].encode(),
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
    }
    for shift in range(3):
        # Whatever stands before it, whole groups of three bytes are encoded alike.
        whole = base64.b64encode(b"\0" * shift + utf8)
        found[f"base64 {shift}"] = whole[4 if shift else 0 : len(whole) - (4 if (shift + len(utf8)) % 3 else 0)]
    return {name: coded for name, coded in found.items() if len(coded) >= 5}


def found_of(values: dict[str, str], places: Iterator[tuple[str, bytes]]) -> set[tuple[str, str, str]]:
    """Which of *values* stand in which of *places*, and how they are encoded."""
    wanted = [(name, way, coded) for name, value in values.items() for way, coded in encodings(value).items()]
    found = set()
    for place, content in places:
        small = content.lower()
        for name, way, coded in wanted:
            if coded in content if way.startswith("base64") else coded.lower() in small:
                found.add((place, name, way))
    return found


def files_in_bytes(*directories: Path) -> Iterator[tuple[str, bytes]]:
    """All files below *directories*; a file may be one itself."""
    for directory in directories:
        for path in [directory] if directory.is_file() else sorted(directory.rglob("*")):
            if path.is_file():
                yield path.name, path.read_bytes()
