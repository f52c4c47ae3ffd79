"""What the log says of a request that failed: the class of the error and the place in the code, never its message,
which may quote what a visitor wrote."""

import traceback
from typing import Any

import psycopg
import structlog
from starlette.types import Scope

from aureum.domain.errors import Unavailable
from aureum.log import reason

log = structlog.get_logger("aureum.http")


def route_of(scope: Scope) -> str:
    """The route's pattern, such as ``/api/leads/{id}``; ``-`` where none matched."""
    route: Any = scope.get("route")
    return "-" if route is None else str(route.path)


def log_error(scope: Scope, error: Exception) -> None:
    """What the operator should know: what keeps the database away; of other errors where in the code they arose."""
    about = {"request": scope["state"]["request_id"], "route": route_of(scope)}
    if isinstance(error, Unavailable):
        cause = error.__cause__ or error
        # Why nothing can be reached, such as that the server has no connection left.
        why = {"reason": reason(cause)} if isinstance(cause, psycopg.OperationalError) and not cause.sqlstate else {}
        log.error("unavailable", **about, **named(cause), **why)
        return
    frames = traceback.extract_tb(error.__traceback__)
    trace = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("unforeseen", **about, **named(error), trace=trace)


def named(error: BaseException) -> dict[str, str | None]:
    """The class of an error, and PostgreSQL's code for it."""
    return {"error": type(error).__name__, "sqlstate": getattr(error, "sqlstate", None)}
