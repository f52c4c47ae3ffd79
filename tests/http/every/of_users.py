"""What to send to the endpoints of users, logins and calendars."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from pyotp import TOTP

from aureum.commands.users import CreateUser, create_user
from aureum.domain.ids import from_wire, to_wire
from aureum.domain.totp import new_secret
from tests.http.cheap_hashes import cheap_hashes
from tests.http.every.call import NUMBERS, PASSWORD, Call
from tests.http.every.declared import declared
from tests.http.operator import ORIGIN

if TYPE_CHECKING:
    from tests.http.every.sample import Sample

SESSION = """
INSERT INTO user_tokens (token_hash, tenant_id, user_id, expires_at)
SELECT %(hash)s, tenant_id, user_id, now() + interval '1 hour' FROM users WHERE user_id = %(user)s
RETURNING session_id
"""
PASSWORD_LINK = """
INSERT INTO password_links (token_hash, tenant_id, user_id, purpose, expires_at)
SELECT %(hash)s, tenant_id, user_id, 'reset', now() + interval '1 hour' FROM users WHERE shown_email = %(email)s
RETURNING 1
"""
NOTHING_FAILED = "DELETE FROM login_failures RETURNING 1"
"""All tests try passwords from one address, whose wrong ones slow it down."""


def with_password(sample: Sample) -> dict[str, Any]:
    """A user who can log in, at an address from which nothing has failed yet."""
    sample.operator.rows(NOTHING_FAILED)
    email = f"login{next(NUMBERS)}.{sample.mark}@example.com"
    command = CreateUser(
        tenant_id=sample.tenant.id, email=email, name="Lou", role="agent", password=SecretStr(PASSWORD)
    )
    with cheap_hashes():
        sample.operator.run(lambda store: create_user(store, command, ORIGIN))
    return {"body": {"email": email, "password": PASSWORD}}


def session(sample: Sample) -> dict[str, Any]:
    """Another session of the owner."""
    ((session_id,),) = sample.operator.rows(SESSION, user=from_wire(sample.owner.id), hash=secrets.token_bytes(32))
    return {"id": to_wire(session_id)}


def with_password_link(sample: Sample) -> dict[str, Any]:
    """A user who has got a link at which to choose a password."""
    email, token = with_password(sample)["body"]["email"], secrets.token_urlsafe(32)
    assert sample.operator.rows(PASSWORD_LINK, hash=sha256(token.encode()).digest(), email=email)
    return {"body": {"token": token, "password": f"apples fall in autumn {next(NUMBERS)}"}}


def without_password(sample: Sample) -> dict[str, Any]:
    """A user who was invited."""
    number = sample.operator.staff(sample.tenant.id, "agent", f"Ivy {sample.mark}").number
    return {"path": f"/api/v1/admin/users/{number}/invite", "body": {"language": "es"}}


def invited(sample: Sample) -> dict[str, Any]:
    """A user whose invitation is to be cancelled."""
    call = without_password(sample)
    asked = Call("POST", call["path"], {}, call["body"], sample.owner.bearer)
    assert asked.send(sample.server).status == 200
    return {"path": call["path"].replace("invite", "cancel-invitation")}


def own_password(sample: Sample) -> dict[str, Any]:
    """A user who is logged in and changes the password."""
    credentials = with_password(sample)["body"]
    answer = sample.server.ask("POST", "/api/v1/auth/login", credentials)
    bearer = {"Authorization": f"Bearer {answer.json['token']}"}
    return {"headers": bearer, "body": {"current": PASSWORD, "new": f"apples fall in autumn {next(NUMBERS)}"}}


def own_totp(sample: Sample) -> dict[str, Any]:
    """A user who is logged in and sets up a second step."""
    bearer = own_password(sample)["headers"]
    secret = new_secret()
    return {"headers": bearer, "body": {"secret": secret, "code": TOTP(secret).now(), "current": PASSWORD}}


def profile(sample: Sample) -> dict[str, Any]:
    """A profile, in which only languages are no words."""
    patch = declared("PATCH", "/api/v1/admin/agents/{id}")
    assert patch is not None
    body = sample.body(patch) or {}
    return {"body": body | {"languages": ["en", "es"]}}


def changed_by_a_user(sample: Sample) -> dict[str, Any]:
    """A user who has changed one lead."""
    user = sample.operator.staff(sample.tenant.id, "broker", f"Bo {sample.mark}")
    patch = Call("PATCH", f"/api/leads/{sample.make('/api/leads')}", {}, {"status": "contacted"}, user.bearer)
    assert patch.send(sample.server).status == 200
    return {"body": {"user_id": user.number}}


def own_feed(sample: Sample) -> dict[str, Any]:
    """The owner's, which goes by no id."""
    post = declared("POST", "/api/me/calendar-feed")
    assert post is not None
    found: dict[str, Any] = sample.succeed(post).json
    return found | {"id": "the only one"}


def with_feed(sample: Sample) -> dict[str, Any]:
    """A user's calendar feed."""
    post = declared("POST", "/api/me/calendar-feed")
    assert post is not None
    headers = sample.operator.staff(sample.tenant.id, "agent", f"Fay {sample.mark}").bearer
    path: str = sample.succeed(post, Call("POST", post.path, {}, {}, headers)).json["path"]
    return {"id": path.removeprefix("/calendar/").removesuffix(".ics")}
