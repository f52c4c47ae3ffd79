"""``/api/me/totp``: a second step for the own login, and no second step any more."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict
from starlette.responses import Response

from aureum.commands.passwords import LONGEST_PASSWORD
from aureum.commands.two_step import disable_totp, enable_totp
from aureum.domain.totp import new_recovery_codes
from aureum.http.access.callers import origin
from aureum.http.access.security import note_of
from aureum.http.api.staff.login import Success
from aureum.http.api.staff.me import caller, check_current, done
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.resource import once
from aureum.http.wire.characters import Characters
from aureum.http.wire.shapes import Shape

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


async def post_totp(context: Context, setup: TotpSetup) -> Response:
    """Sets up a second step for your logins, or replaces the current one. Logins then need ``totp``. Returns ten
    recovery codes."""
    codes = new_recovery_codes()

    def body(_: object) -> bytes:
        return encoded({"recoveryCodes": codes})

    remember = await once(context, body, tagged=False)
    await check_current(context, setup.current, remember)
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
    await check_current(context, sent.current, remember)
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
