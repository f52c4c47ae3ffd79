"""How the command line speaks: one JSON document for scripts, tables and sentences for people, refusals on standard
error. What people wrote is shown as text: never as markup, never as commands to the terminal.
"""

import contextlib
import io
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

UNSEEN = frozenset(("Cc", "Cs", "Zl", "Zp"))
"""Categories of characters: commands to a terminal, halves of letters, other ends of lines and paragraphs."""
TURNS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

NO_DATABASE = "The database cannot be reached: {why}. Check that it is running and that AUREUM_DATABASE_URL is right."
REFUSED = (
    "The database refused: {error} ({sqlstate}). Is it Aureum's, and of this version? "
    "'aureum migrate' brings it up to date."
)
NOT_ALLOWED = (
    "The database's role may not do this. It must own the database, and either have CREATEROLE or be a member of "
    "aureum_service; docs/operating.md has the statements. If the login of AUREUM_DATABASE_URL owns nothing, set "
    "AUREUM_OWNER_DATABASE_URL to the owner's."
)
UNFORESEEN = (
    "Unexpected error: {error} at {places}. Nothing more is shown, since it may be personal; please report this line."
)
CONFIRM = "{what} This cannot be undone. Confirm with --yes."
UNCONFIRMED = "Nothing was changed."


class Refused(Exception):
    """A command cannot be carried out; the message is for the operator."""


class Unconfirmed(Refused):
    """What cannot be undone was not confirmed with ``--yes``, and there is no terminal to ask at."""


@dataclass
class Standard:
    """What this process has written to standard output."""

    has_document: bool = False


STANDARD = Standard()


def say(as_json: bool, document: Any, people: str) -> None:
    """One JSON document on standard output for scripts, or what people read. Called once by each command."""
    if as_json:
        import orjson

        STANDARD.has_document = True
        sys.stdout.write(orjson.dumps(document).decode() + "\n")
    else:
        # Long lines are left to the terminal to wrap: what is copied from it has no line ends inside.
        sys.stdout.write(plain(people) + "\n")


def prepare_streams(as_json: bool) -> None:
    """Let nothing fail because a terminal does not know a letter: it becomes a question mark. JSON is always UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding="utf-8" if as_json and stream is sys.stdout else None, errors="replace")


@contextlib.contextmanager
def whole_document() -> Iterator[IO[str]]:
    """A file for a document that is long: printed when it is whole, or not at all. In memory up to a megabyte."""
    with tempfile.SpooledTemporaryFile(1024 * 1024, "w+", encoding="utf-8", newline="") as document:
        yield document
        document.seek(0)
        STANDARD.has_document = True
        shutil.copyfileobj(document, sys.stdout)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table for people. Where it is wider than the terminal, each row is a paragraph instead, a line for each column:
    nothing is cut, and nothing broken that has to be copied.
    """
    cells = [["" if cell is None else plain(str(cell)).replace("\n", "⏎") for cell in row] for row in rows]
    widths = [max(map(columns_of, column)) for column in zip(columns, *cells, strict=True)]
    if not rows:
        return f"{title}: none."
    if sum(widths) + 2 * len(widths) - 2 > terminal_columns():
        label = max(map(len, columns))
        paragraphs = (
            "\n".join(f"{name:<{label}}  {cell}".rstrip() for name, cell in zip(columns, row, strict=True))
            for row in cells
        )
        return f"{title}\n\n" + "\n\n".join(paragraphs)
    lines = (columns, ["─" * width for width in widths], *cells)
    return f"{title}\n\n" + "\n".join(line_of(line, widths) for line in lines)


def line_of(cells: Sequence[str], widths: Sequence[int]) -> str:
    """A row of a table."""
    padded = (cell + " " * (width - columns_of(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def columns_of(text: str) -> int:
    """How many columns *text* takes on a terminal: those of East Asian scripts are wide, marks on letters take none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def terminal_columns() -> float:
    """The width of the terminal; what is no terminal has no end."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else float("inf")


def plain(text: str) -> str:
    """*text* without control characters other than line ends, and without those that turn the direction of writing."""
    return "".join("�" if c != "\n" and (unicodedata.category(c) in UNSEEN or c in TURNS) else c for c in text)


def confirm(what: str, question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone; *what* says what would happen. Raises Unconfirmed where there is no
    terminal to ask at, and Refused if the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Unconfirmed(CONFIRM.format(what=what))
    if not typer.confirm(f"{what} This cannot be undone. {question}", err=True):
        raise Refused(UNCONFIRMED)


@contextlib.contextmanager
def progress(*, quiet: bool) -> Iterator["Progress"]:
    """Progress bars on standard error with the rate and the time that is left, if it is a terminal and *quiet* is not
    set."""
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        """How much is done a second."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:,.0f}/s", style="progress.data.speed")

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), Rate())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bars:
        yield bars


def note(text: str) -> None:
    """Announce on standard error that something begins that takes a while, if it is a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(text + "\n")


@contextlib.contextmanager
def plain_refusals(as_json: bool) -> Iterator[None]:
    """Whatever goes wrong ends with a sentence on standard error and without a traceback; under ``--json`` also with a
    document on standard output, unless there is one already. Exit status 1, or 2 where the command was used wrongly.
    """
    STANDARD.has_document = False
    try:
        yield
    except typer.TyperException as error:
        message, status = error.format_message(), error.exit_code
        show: Any = getattr(error, "show", None)
        (show or (lambda: sys.stderr.write(f"Error: {message}\n")))()
    except typer.Abort:
        message, status = UNCONFIRMED, 1
        sys.stderr.write(f"\n{message}\n")
    except Exception as error:
        message, status = plain(refusal(error)), 2 if isinstance(error, Unconfirmed) else 1
        sys.stdout.flush()
        sys.stderr.write(message + "\n")
    else:
        return
    if as_json and not STANDARD.has_document:
        say(True, {"error": message}, "")
    sys.exit(status)


def refusal(error: Exception) -> str:
    """What the operator is told of *error*."""
    # What may raise these is loaded by now; the command line itself starts without.
    import psycopg

    from aureum.domain.errors import DomainError, Unavailable
    from aureum.log import places, reason
    from aureum.processes.supervisor import ServeError
    from aureum.settings import SettingsError
    from aureum.store.cipher import WrongMasterKey
    from aureum.store.postgres.dumps import DumpError
    from aureum.store.postgres.embedded_programs import EmbeddedDatabaseError

    match error:
        case Unavailable() if isinstance(error.__cause__, psycopg.OperationalError):
            return NO_DATABASE.format(why=reason(error.__cause__))
        case DomainError() | SettingsError() | EmbeddedDatabaseError() | WrongMasterKey() | Refused() | ServeError():
            return str(error)
        case DumpError():
            return str(error)
        case psycopg.errors.InsufficientPrivilege():
            return NOT_ALLOWED
        case psycopg.OperationalError():
            return NO_DATABASE.format(why=reason(error))
        case psycopg.Error():
            # Only the class: the text may quote a row.
            return REFUSED.format(error=type(error).__name__, sqlstate=error.sqlstate)
    return UNFORESEEN.format(error=type(error).__name__, places=", ".join(places(error)[-3:]))
