"""``/api/me/sessions``: where a user is logged in, and ending those sessions."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.sessions import (
    NO_SESSION,
    RunningSession,
    end_other_sessions,
    end_session,
    sessions_of,
)
from aureum.domain.ids import aureum_time, to_wire
from aureum.http.access.callers import bearer
from aureum.http.api.staff.login import Success
from aureum.http.api.staff.me import caller
from aureum.http.api.webhooks.webhook_lists import unless_same
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.wire.shapes import Shape, Timestamp, Wire

PATH = "/api/me/sessions"


class RunningSessionResponse(Shape):
    """A session of the user."""

    id: Wire
    device: Annotated[str | None, Field(description="The program that logged in, such as `Chrome on Windows`.")]
    address: Annotated[str | None, Field(description="The network address that it logged in from.")]
    startedAt: Annotated[Timestamp, Field(description="When it began.")]
    lastUsedAt: Annotated[Timestamp, Field(description="When it was last used, to the minute.")]
    expiresAt: Annotated[Timestamp, Field(description="When it ends by itself.")]
    current: Annotated[bool, Field(description="Whether it is the session of this request.")]


class EndedResponse(Shape):
    """How many sessions ended."""

    ended: Annotated[int, Field(description="The number of sessions that ended.")]


def shown(session: RunningSession) -> dict[str, Any]:
    """A session of the list."""
    return {
        "id": to_wire(session.session_id),
        "device": session.device,
        "address": session.client,
        "startedAt": aureum_time(session.started_at),
        "lastUsedAt": aureum_time(session.used_at),
        "expiresAt": aureum_time(session.expires_at),
        "current": session.current,
    }


def token_of(context: Context) -> str:
    """The token of the request."""
    token = bearer(context.request)
    assert token is not None, "it has opened this"
    return token


async def get_sessions(context: Context) -> Response:
    """Lists your sessions: the one of this request first, then the last used."""
    found = await sessions_of(context.app.database, context.tenant_id, caller(context), token_of(context))
    return unless_same(context, encoded([shown(one) for one in found]))


async def delete_session(context: Context, session_id: UUID) -> Response:
    """Ends one of your sessions. Its token gets 401 from the next request on."""
    await end_session(context.app.database, context.tenant_id, caller(context), session_id)
    return answer(encoded({"success": True}))


async def delete_sessions(context: Context) -> Response:
    """Ends all your other sessions. The session of this request stays open."""
    ended = await end_other_sessions(context.app.database, context.tenant_id, caller(context), token_of(context))
    return answer(encoded({"ended": ended}))


every = partial(Endpoint, path=PATH, access=STAFF)

ENDPOINTS = (
    every(method="GET", run=get_sessions, summary="List your sessions", answers=list[RunningSessionResponse]),
    every(
        method="DELETE", run=delete_sessions, summary="End your other sessions", answers=EndedResponse, idempotent=False
    ),
    every(
        method="DELETE",
        path=PATH + "/{id}",
        run=delete_session,
        summary="End a session",
        id=Id(NO_SESSION),
        answers=Success,
        idempotent=False,
    ),
)
