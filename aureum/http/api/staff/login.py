"""``POST /api/v1/auth/login`` and ``/logout``: staff get a token for their password, and give it back."""

import time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, Strict
from starlette.responses import Response

from aureum.commands.passwords import LONGEST_PASSWORD
from aureum.commands.sessions import CodeNeeded, LogIn, log_in, log_out
from aureum.domain.errors import TooMany
from aureum.domain.ids import leads_time
from aureum.http.access.callers import bearer
from aureum.http.access.devices import device_of
from aureum.http.access.hosts import client_address
from aureum.http.access.roles import Role
from aureum.http.access.security import note
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import ANYONE, STAFF, Context, Endpoint
from aureum.http.wire.characters import Characters
from aureum.http.wire.errors import HttpError
from aureum.http.wire.fields import Email
from aureum.http.wire.headers import header
from aureum.http.wire.shapes import LeadsTimestamp, Shape
from aureum.store.security_log import Kind, Noted

WRONG = "The email address or the password is wrong."
TOO_MANY = "Too many failed logins."
CODE_NEEDED = "Send the code from your authenticator app, or a recovery code, as totp."
WRONG_CODE = "The code is wrong or was already used. Wait for the next one."
AGAIN = "{why} Try again in {time}."


class Credentials(BaseModel):
    """The email address and password of a user."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"example": {"email": "jane@example.com", "password": "correct horse battery staple"}},
    )

    email: Annotated[Email, Field(description="The user's email address, in upper or lower case.")]
    password: Annotated[str, Strict(), Field(max_length=LONGEST_PASSWORD, repr=False)]
    totp: Annotated[
        Annotated[str, Characters(limit=40)] | None,
        Field(
            repr=False,
            description="The code from the authenticator app, or a recovery code, for users whose login has a second "
            "step.",
        ),
    ] = None


class PersonResponse(Shape):
    """The user whose token it is."""

    id: Annotated[int, Field(description="The number of the user, for `assigned_agent_id`.")]
    email: str
    name: str
    role: Role
    brokerage_id: int | None


class SessionResponse(Shape):
    """A token, which is shown only in this response. Send it as `Authorization: Bearer TOKEN`."""

    token: Annotated[str, Field(pattern="^aut_[A-Za-z0-9_-]{43}$")]
    expires_at: Annotated[LeadsTimestamp, Field(description="When the token expires: twelve hours after the login.")]
    user: PersonResponse


class Success(Shape):
    """A success."""

    success: Literal[True]


async def post_login(context: Context, credentials: Credentials) -> Response:
    """Returns a token that is valid for twelve hours. An unknown address and a wrong password get the same error. If
    the user's login has a second step, the response is 401 with the code ``totp_required`` until ``totp`` has the right
    code."""
    command = LogIn(
        email=credentials.email,
        password=SecretStr(credentials.password),
        client=client_address(context.request.scope, context.app.settings.trusted_proxies),
        device=device_of(header(context.request.scope, b"user-agent")),
        code=credentials.totp or None,
    )

    def tell(kind: Kind) -> None:
        note(context.request, Noted(kind, account=command.email, device=command.device))

    try:
        session = await log_in(context.app.store, command)
    except TooMany as error:
        tell("login_limited")
        raise too_many_failures(error) from error
    except CodeNeeded as error:
        if error.wrong:
            tell("code_failed")
        raise HttpError("totp_required", WRONG_CODE if error.wrong else CODE_NEEDED) from error
    if session is None:
        tell("login_failed")
        raise HttpError("login_failed", WRONG)
    tell("login")
    body = {
        "token": session.token,
        "expires_at": leads_time(session.expires_at),
        "user": {
            "id": session.number,
            "email": session.email,
            "name": session.name,
            "role": session.role,
            "brokerage_id": session.brokerage,
        },
    }
    return answer(encoded(body), headers={"Cache-Control": "no-store"})


def too_many_failures(error: TooMany, why: str = TOO_MANY) -> HttpError:
    """429: *why*, and when to come back."""
    seconds = max(1, int(error.retry_at.timestamp() - time.time()) + 1)
    when = f"{seconds} seconds" if seconds <= 60 else f"{-(-seconds // 60)} minutes"
    return HttpError("login_rate_limited", AGAIN.format(why=why, time=when), {"Retry-After": str(seconds)})


async def post_logout(context: Context) -> Response:
    """Revokes the token. From then on it gets 401."""
    token = bearer(context.request)
    if token is not None:
        await log_out(context.app.database, token)
    return answer(encoded({"success": True}))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/auth/login",
        post_login,
        "Log in",
        tag="auth",
        access=ANYONE,
        dialect="leads",
        body=Credentials,
        answers=SessionResponse,
        idempotent=False,
        refusals=(401, 429),
    ),
    Endpoint(
        "POST",
        "/api/v1/auth/logout",
        post_logout,
        "Log out",
        tag="auth",
        access=STAFF,
        dialect="leads",
        answers=Success,
        idempotent=False,
    ),
)
