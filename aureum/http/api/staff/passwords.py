"""``POST /api/v1/auth/forgotten`` and ``/reset``: a user who forgot the password, or was invited, chooses one by a link
in a mail."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from starlette.responses import Response

from aureum.commands.password_links import AskReset, SetByLink, ask_reset, set_by_link
from aureum.domain.errors import NotFound, TooMany
from aureum.http.access.callers import request_id
from aureum.http.access.hosts import client_address
from aureum.http.api.staff.login import Success, too_many_failures
from aureum.http.api.staff.user_fields import Password
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import ANYONE, Context, Endpoint
from aureum.http.wire.errors import HttpError
from aureum.http.wire.fields import Email
from aureum.http.wire.shapes import Shape

NO_STORE = {"Cache-Control": "no-store"}


class Forgotten(BaseModel):
    """The address of the user."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"email": "jane@example.com"}})

    email: Annotated[Email, Field(description="The user's email address, in upper or lower case.")]


class Reset(BaseModel):
    """The link's token, and the new password."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "token": "q3Yl0c6mS1uVtq0V0m9mYw2cF8sYbq0m7l4m1b3ZJ3k",
                "password": "apples fall in autumn",
            }
        },
    )

    token: Annotated[
        str,
        Field(strict=True, min_length=1, max_length=200, repr=False, description="`token` of the link in the mail."),
    ]
    password: Annotated[
        Password,
        Field(
            repr=False, description="The new password. Common passwords and those that are easy to guess are refused."
        ),
    ]


class ResetResponse(Shape):
    """The password was set. Log in with it."""

    success: Literal[True]
    email: Annotated[str, Field(description="The email address for logging in.")]


async def post_forgotten(context: Context, forgotten: Forgotten) -> Response:
    """Sends a mail with a link at which a new password can be chosen. The link works once, for one hour. The answer is
    the same, and takes as long, whether a user has the address or not. Each user gets at most three an hour."""
    try:
        await ask_reset(context.app.database, AskReset(email=forgotten.email, client=client_of(context)))
    except TooMany as error:
        raise too_many_failures(error, "Too many requests for a new password.") from error
    return answer(encoded({"success": True}), headers=NO_STORE)


async def post_reset(context: Context, reset: Reset) -> Response:
    """Sets the password of the user who got the link, in a mail about a forgotten password or in an invitation. It ends
    all sessions of the user, and the link no longer works. It does not log in."""
    command = SetByLink(token=SecretStr(reset.token), password=SecretStr(reset.password), client=client_of(context))
    try:
        link = await set_by_link(context.app.store, command, request_id(context.request))
    except NotFound as error:
        raise HttpError("link_not_found", str(error)) from error
    return answer(encoded({"success": True, "email": link.email}), headers=NO_STORE)


def client_of(context: Context) -> str:
    """The address that attempts are counted for."""
    return client_address(context.request.scope, context.app.settings.trusted_proxies)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/auth/forgotten",
        post_forgotten,
        "Ask for a new password",
        tag="auth",
        access=ANYONE,
        dialect="leads",
        body=Forgotten,
        answers=Success,
        idempotent=False,
        refusals=(429,),
    ),
    Endpoint(
        "POST",
        "/api/v1/auth/reset",
        post_reset,
        "Choose a password by a link",
        tag="auth",
        access=ANYONE,
        dialect="leads",
        body=Reset,
        answers=ResetResponse,
        idempotent=False,
        refusals=(404,),
    ),
)
