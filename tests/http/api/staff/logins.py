"""Users with passwords, and what they get and send when they log in."""

from typing import Any
from uuid import UUID

from pydantic import SecretStr

from aureum.commands.users import ChangeUser, CreateUser, change_user, create_user
from aureum.domain.user import User
from tests.http.cheap_hashes import cheap_hashes
from tests.http.operator import NUMBERS, ORIGIN, Operator
from tests.http.serving import Answer, Server

PATH = "/api/v1/auth/login"
PASSWORD = "correct horse battery staple"


WRONG = "The email address or the password is wrong."


def joined(operator: Operator, tenant_id: UUID, role: str = "agent", password: str | None = PASSWORD) -> User:
    """A user with a password."""
    command = CreateUser(
        tenant_id=tenant_id,
        email=f"Somebody{next(NUMBERS)}@example.com",
        name="Sam Somebody",
        role=role,
        password=None if password is None else SecretStr(password),
    )
    with cheap_hashes():
        return operator.run(lambda store: create_user(store, command, ORIGIN))


def log_in(server: Server, email: str, password: str = PASSWORD, **headers: str) -> Answer:
    return server.ask("POST", PATH, {"email": email, "password": password}, headers)


def token(server: Server, user: User) -> dict[str, str]:
    """What to send from now on."""
    answer = log_in(server, user.email)
    assert answer.status == 200, answer.body
    return {"Authorization": f"Bearer {answer.json['token']}"}


def changed(operator: Operator, tenant_id: UUID, user: User, **fields: Any) -> None:
    command = ChangeUser(tenant_id=tenant_id, user_id=user.id, **fields)
    operator.run(lambda store: change_user(store, command, ORIGIN, check=lambda _: None))


def opens(server: Server, headers: dict[str, str]) -> bool:
    """Whether the token opens anything."""
    status = server.ask("GET", "/api/me", headers=headers).status
    assert status in (200, 401)
    return status == 200
