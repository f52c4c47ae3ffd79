"""The statements of a migration, one by one: Citus takes one in a call where it changes a distributed table."""

import re
from collections.abc import Iterator

PART = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|(\$\w*\$).*?\1|/\*.*?\*/|;|[^'\"\-$/;]+|.", re.DOTALL)
"""Texts, names, comments and bodies of functions, in which a semicolon ends nothing; a semicolon; all else."""


def one_by_one(script: str) -> Iterator[str]:
    """The statements of *script*, in their order."""
    statement: list[str] = []
    for found in PART.finditer(script):
        if found[0] != ";":
            if not found[0].startswith(("--", "/*")):
                statement.append(found[0])
            continue
        yield "".join(statement).strip()
        statement = []
    if rest := "".join(statement).strip():
        yield rest
