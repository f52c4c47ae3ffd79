"""Structured logs: one JSON object a line on standard error, for machines; coloured lines on a terminal, for people.

What is logged is chosen at each call: ids, routes, counts, classes of errors. Never a body, a header, a query, an
address or a secret.
"""

import logging
import sys
from typing import Any

import orjson
import structlog


def configure(level: str) -> None:
    """Set up structlog for this process; the server's own loggers pass through it too."""
    numeric = getattr(logging, level.upper())
    terminal = sys.stderr.isatty()
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if terminal:
        renderer: list[Any] = [structlog.dev.ConsoleRenderer()]
        factory: Any = structlog.PrintLoggerFactory(sys.stderr)
    else:
        renderer = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event, default=str)),
        ]
        factory = structlog.BytesLoggerFactory(sys.stderr.buffer)
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    # What libraries log (uvicorn's start and stop, the pool's reconnects) is rare: plain lines do.
    logging.basicConfig(
        stream=sys.stderr, level=max(numeric, logging.WARNING), format="%(levelname)s %(name)s %(message)s"
    )
