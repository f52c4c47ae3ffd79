"""How the command line speaks: one JSON document for scripts, tables and sentences for people, refusals on standard
error. What people wrote is shown as text: never as markup, never as commands to the terminal.
"""

import contextlib
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import psycopg
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from aureum.domain.errors import DomainError, Unavailable
from aureum.log import places, reason
from aureum.serve import ServeError
from aureum.settings import SettingsError
from aureum.store.cipher import WrongMasterKey
from aureum.store.embedded_programs import EmbeddedDatabaseError

UNBOUNDED = 10_000
"""Columns of what is no terminal: nothing is wrapped or cut there."""

TURNS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

NO_DATABASE = "The database cannot be reached: {why}. Check that it runs and that AUREUM_DATABASE_URL is right."
REFUSED = (
    "The database refused: {error} ({sqlstate}). Is it Aureum's, and of this version? "
    "'aureum migrate' brings it up to date."
)
NOT_ALLOWED = (
    "The database's role may not do this. It must own the database, and either have CREATEROLE or be a member of "
    "aureum_service; docs/operating.md has the statements."
)
UNFORESEEN = (
    "This should not have happened: {error} at {places}. Nothing more is shown, since it may be personal; "
    "please report this line."
)


class Refused(Exception):
    """A command cannot be carried out; the message is for the operator."""


def say(as_json: bool, document: Any, people: str | Table) -> None:
    """One JSON document on standard output for scripts, or what people read."""
    if as_json:
        sys.stdout.write(orjson.dumps(document).decode() + "\n")
        return
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = UNBOUNDED
    # Sentences and keys are left to the terminal to wrap: what is copied from it has no line ends inside.
    console.print(plain(people) if isinstance(people, str) else people, soft_wrap=isinstance(people, str))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """A table for people. A column called ``id`` is never broken; the others are, where the terminal is too narrow."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        made.add_column(name, overflow="fold", no_wrap=name == "id")
    for row in rows:
        made.add_row(*(Text("" if cell is None else plain(str(cell))) for cell in row))
    return made


def plain(text: str) -> str:
    """*text* without control characters other than line ends, and without those that turn the direction of writing."""
    return "".join("�" if c != "\n" and (unicodedata.category(c) in ("Cc", "Cs") or c in TURNS) else c for c in text)


@contextlib.contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Bars on standard error, if that is a terminal and nobody asked for silence."""
    console = Console(stderr=True)
    with Progress(console=console, disable=quiet or not console.is_terminal) as bars:
        yield bars


def note(text: str) -> None:
    """Something that takes a while begins: said on standard error, to whoever waits at a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(text + "\n")


@contextlib.contextmanager
def plain_refusals() -> Iterator[None]:
    """Whatever goes wrong ends with a sentence on standard error and exit code 1, and without a traceback."""
    try:
        yield
    except Exception as error:
        sys.stdout.flush()
        sys.stderr.write(plain(refusal(error)) + "\n")
        sys.exit(1)


def refusal(error: Exception) -> str:
    """What the operator is told of *error*."""
    match error:
        case Unavailable() if isinstance(error.__cause__, psycopg.OperationalError):
            return NO_DATABASE.format(why=reason(error.__cause__))
        case DomainError() | SettingsError() | EmbeddedDatabaseError() | WrongMasterKey() | Refused() | ServeError():
            return str(error)
        case psycopg.errors.InsufficientPrivilege():
            return NOT_ALLOWED
        case psycopg.OperationalError():
            return NO_DATABASE.format(why=reason(error))
        case psycopg.Error():
            # Only the class: the text may quote a row.
            return REFUSED.format(error=type(error).__name__, sqlstate=error.sqlstate)
    return UNFORESEEN.format(error=type(error).__name__, places=", ".join(places(error)[-3:]))
