"""``/api/me/totp``: a second step for the own login, and no second step any more."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, Strict
from starlette.responses import Response

from aureum.commands.passwords import LONGEST_PASSWORD
from aureum.commands.sessions import LogIn, is_password
from aureum.commands.two_step import disable_totp, enable_totp
from aureum.domain.errors import Invalid, TooMany
from aureum.domain.totp import new_recovery_codes
from aureum.http.access.callers import origin
from aureum.http.access.hosts import client_address
from aureum.http.access.security import note_of
from aureum.http.api.staff.login import Success, too_many_failures
from aureum.http.api.staff.me import NOT_CURRENT, caller, done
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.resource import once
from aureum.http.wire.characters import Characters
from aureum.http.wire.shapes import Shape
from aureum.projections import users

PATH = "/api/me/totp"

Current = Annotated[str, Strict(), Field(max_length=LONGEST_PASSWORD, repr=False, description="The current password.")]


class TotpSetup(BaseModel):
    """The secret of an authenticator app, a code from the app, and the password."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
                "code": "492039",
                "current": "correct horse battery staple",
            }
        },
    )

    secret: Annotated[
        str, Characters(limit=32), Field(repr=False, description="160 random bits in base32, made by the client.")
    ]
    code: Annotated[str, Characters(limit=40), Field(repr=False, description="The code that the app shows now.")]
    current: Current


class CurrentPassword(BaseModel):
    """The password."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"current": "correct horse battery staple"}})

    current: Current


class RecoveryCodes(Shape):
    """Codes that work in place of a code from the app, each once. They are shown only in this response."""

    recoveryCodes: Annotated[list[str], Field(description="Ten codes to keep in a safe place.")]


async def check_current(context: Context, current: str) -> None:
    """Raises Invalid for another password, which counts as a failed login, and HttpError 429."""
    database = context.app.database
    client = client_address(context.request.scope, context.app.settings.trusted_proxies)
    of = {"tenant": context.tenant_id, "user": caller(context)}
    ((address, _),) = await database.rows(users.CREDENTIALS, of) or ((None, None),)
    given = LogIn(email=address or "", password=SecretStr(current), client=client)
    try:
        right = await is_password(database, given, context.tenant_id, caller(context))
    except TooMany as error:
        raise too_many_failures(error) from error
    if not right:
        raise Invalid("current", NOT_CURRENT)


async def post_totp(context: Context, setup: TotpSetup) -> Response:
    """Sets up a second step for your logins, or replaces the current one. Logins then need ``totp``. Returns ten
    recovery codes."""
    codes = new_recovery_codes()

    def body(_: object) -> bytes:
        return encoded({"recoveryCodes": codes})

    remember = await once(context, body, tagged=False)
    await check_current(context, setup.current)
    who = origin(context.request, context.caller)
    _, appended = await enable_totp(
        context.app.store, context.tenant_id, caller(context), setup.secret, setup.code, codes, who, remember
    )
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    note_of(context.request, context.caller, "totp_enabled")
    return answer(body(None), headers={"Cache-Control": "no-store"})


async def post_disable(context: Context, sent: CurrentPassword) -> Response:
    """Turns off the second step. The password alone is then enough to log in."""
    remember = await once(context, done, tagged=False)
    await check_current(context, sent.current)
    who = origin(context.request, context.caller)
    _, appended = await disable_totp(context.app.store, context.tenant_id, caller(context), who, remember)
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    note_of(context.request, context.caller, "totp_disabled")
    return answer(done(None))


ENDPOINTS = (
    Endpoint(
        "POST",
        PATH,
        post_totp,
        "Set up a second step for your logins",
        access=STAFF,
        body=TotpSetup,
        answers=RecoveryCodes,
        refusals=(429,),
    ),
    Endpoint(
        "POST",
        PATH + "/disable",
        post_disable,
        "Remove the second step of your logins",
        access=STAFF,
        body=CurrentPassword,
        answers=Success,
        refusals=(429,),
    ),
)
