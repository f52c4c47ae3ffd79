"""Structured logs: one JSON object a line on standard error, for machines; coloured lines on a terminal, for people.

What is logged is chosen at each call: ids, routes, counts, classes of errors. Never a body, a header, a query, an
address or a secret. An error's own text is not logged either, unless it is known to hold none of these: it may quote
what a visitor wrote, as PostgreSQL's does.
"""

import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
import structlog

from aureum.log_lines import Lines

NOTHING_TO_RELOAD = "settings are read at the start, and logs go to standard error: restart to change any of it"


def configure(level: str) -> None:
    """Set up structlog for this process, and pass what libraries log through it."""
    numeric = getattr(logging, level.upper())
    terminal = sys.stderr.isatty()
    wrapper: type[Any] = structlog.make_filtering_bound_logger(numeric)
    processors: list[Any] = [structlog.processors.add_log_level]
    if terminal:
        colours = not os.environ.get("NO_COLOR")
        processors += [
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=colours),
        ]
        factory: Any = structlog.PrintLoggerFactory(sys.stderr)
    else:
        processors.append(stamped)
        lines = Lines(sys.stderr.buffer)
        if numeric <= logging.INFO:
            wrapper = quick(wrapper)

        def factory(*_: Any) -> Lines:
            return lines

    structlog.configure(
        processors=processors,
        wrapper_class=wrapper,
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[Forwarded()], level=max(numeric, logging.WARNING), force=True)
    logging.captureWarnings(True)


def hung_up() -> None:
    """SIGHUP where there is no terminal: nothing is read again, and nothing ends."""
    structlog.get_logger().warning("sighup_ignored", reason=NOTHING_TO_RELOAD)


def configure_command() -> None:
    """Set up structlog for a command that ends by itself: warnings and errors alone, on standard error, since standard
    output is for what the command prints.
    """
    terminal, colours = sys.stderr.isatty(), not os.environ.get("NO_COLOR")
    renderer: Any = structlog.dev.ConsoleRenderer(colors=colours) if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def quick(wrapper: type[Any]) -> type[Any]:
    """*wrapper* with an ``info`` of its own, since that is logged with each request, and structlog's steps from one
    processor to the next take as long as making the line does."""

    def info(self: Any, event: str, **about: Any) -> None:
        self._logger.info(stamped(None, "info", {**self._context, **about, "event": event, "level": "info"}))

    return type("Quick", (wrapper,), {"info": info})


def stamped(_: Any, __: str, event: MutableMapping[str, Any]) -> bytes:
    """An entry as a line: JSON with the time. structlog's own two steps for it take three times as long."""
    event["timestamp"] = datetime.now(UTC)
    return orjson.dumps(event, default=str, option=orjson.OPT_UTC_Z)


def places(error: BaseException) -> list[str]:
    """Where in the code *error* was raised, outermost first: ``lead_list.py:64 get_leads``."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


class Forwarded(logging.Handler):
    """What libraries log (the server, the pool, the event loop), which is rare: from warnings on, one line each.

    Only the first line of a message: asyncio and the driver append what an exception, or PostgreSQL, said.
    """

    def emit(self, record: logging.LogRecord) -> None:
        about: dict[str, Any] = {"logger": record.name, "message": first_line(record)}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            about |= {"error": type(error).__name__, "trace": places(error)}
        structlog.get_logger().log(record.levelno, "library", **about)


def first_line(record: logging.LogRecord) -> str:
    """The message without what exceptions among its arguments say."""
    if isinstance(record.args, tuple):
        args = tuple(reason(arg) if isinstance(arg, BaseException) else arg for arg in record.args)
        record = logging.makeLogRecord(record.__dict__ | {"args": args})
    return record.getMessage().partition("\n")[0]


def reason(error: BaseException) -> str:
    """What may be said of *error*: why a server cannot be reached, of anything else only the class.

    Without an SQLSTATE it is libpq that speaks, not the server: of addresses, users and passwords that were refused,
    but never of the password itself or of a row.
    """
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return str(error).partition("\n")[0]
    return type(error).__name__
