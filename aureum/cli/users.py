"""``aureum user``: the staff; with ``disable`` and ``set-password`` for those who cannot help themselves."""

from __future__ import annotations

import sys
from getpass import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from aureum.cli.installation import origin, tenant_of, with_store
from aureum.cli.options import Json, OneOrAll, examples, group
from aureum.cli.output import Refused, say, table
from aureum.domain import ids
from aureum.domain.errors import Invalid, NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from pydantic import SecretStr

    from aureum.store.event_store import EventStore

user = group("The staff of brokerages.")

Email = Annotated[str, typer.Option(help="The user's email address.")]
Of = Annotated[str | None, typer.Option("--brokerage", help="The slug of the user's brokerage. Optional.")]

NO_SUCH = "There is no user with this email address{where}. 'aureum user list' shows them all."
ONE_OF_BOTH = "Pass either --invite or --password-stdin: an invited user chooses the password."
NEEDS_STDIN = "Pass --password-stdin, and the password as a line on standard input."


@user.command(
    "create",
    epilog=examples(
        "aureum user create --brokerage example --email ann@example.com \\",
        '    --name "Ann Agent" --role agent --invite en',
        'echo "$PASSWORD" | aureum user create --email admin@example.com \\',
        "    --name Admin --role platform_admin --password-stdin",
    ),
)
def user_create(
    email: Annotated[str, typer.Option(help="The email address for logging in.")],
    name: Annotated[str, typer.Option(help="The user's name, as colleagues see it.")],
    role: Annotated[str, typer.Option(help="platform_admin, brokerage_owner, broker or agent.")],
    slug: Annotated[str | None, typer.Option("--brokerage", help="The brokerage's slug. Optional.")] = None,
    specialty: Annotated[
        list[str] | None, typer.Option(help="An area or type of home that the agent specializes in. Repeatable.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    invite: Annotated[
        str | None,
        typer.Option(help="Invite the user by a mail in this language (en or es), to choose a password."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Add a user to the staff."""
    from aureum.commands.users import CreateUser, create_user
    from aureum.domain.emails import is_email, trimmed

    email = trimmed(email)
    if not is_email(email):
        raise Invalid("email", "email must be a valid email address.")
    if invite is not None and password_stdin:
        raise Refused(ONE_OF_BOTH)
    password = read_password() if password_stdin else None

    async def work(store: EventStore) -> tuple[str, int]:
        command = CreateUser(
            tenant_id=ids.PLATFORM if slug is None else await tenant_of(store.database, slug),
            email=email,
            name=name,
            role=role,
            password=password,
            specialties=tuple(specialty or ()),
            invite=invite,
        )
        made = await create_user(store, command, origin())
        return ids.to_wire(made.id), made.number

    user_id, number = with_store(work)
    say(as_json, {"id": user_id, "number": number}, f"Created user {number}, {user_id}.")


def read_password() -> SecretStr:
    """The first line of standard input; asked for, and not shown, where that is a terminal. Raises Invalid."""
    from pydantic import SecretStr

    if sys.stdin.isatty():
        return SecretStr(getpass())
    try:
        return SecretStr(sys.stdin.readline().rstrip("\r\n"))
    except UnicodeDecodeError as error:
        raise Invalid("password", "password must be text in UTF-8.") from error


@user.command("list", epilog=examples("aureum user list", "aureum user list --brokerage example --json"))
def user_list(slug: OneOrAll = None, as_json: Json = False) -> None:
    """List the staff of one brokerage, or of all."""
    from aureum.projections import users

    async def work(store: EventStore) -> list[tuple[object, ...]]:
        tenant_id = None if slug is None else await tenant_of(store.database, slug)
        rows = await store.database.rows(users.ALL, {"tenant": tenant_id})
        return [(number, ids.to_wire(user_id), *rest) for number, user_id, *rest in rows]

    found = with_store(work)
    names = ("number", "id", "email", "name", "role", "brokerage", "hasPassword", "disabled")
    shown = [
        (number, user_id, email, name, role, brokerage, "" if has_password else "none", "yes" if disabled else "")
        for number, user_id, email, name, role, brokerage, has_password, disabled in found
    ]
    columns = ("number", "id", "email", "name", "role", "brokerage", "password", "disabled")
    say(as_json, [dict(zip(names, row, strict=True)) for row in found], table("Users", columns, shown))


@user.command("disable", epilog=examples("aureum user disable --email ann@example.com --brokerage example"))
def user_disable(email: Email, slug: Of = None, as_json: Json = False) -> None:
    """Disable a user. This ends all their sessions and refuses new logins."""
    from aureum.commands.users import ChangeUser, change_user

    async def work(store: EventStore) -> tuple[str, int]:
        tenant_id, user_id, number = await named(store, email, slug)
        command = ChangeUser(tenant_id=tenant_id, user_id=user_id, disabled=True)
        await change_user(store, command, origin(), check=lambda _: None)
        return ids.to_wire(user_id), number

    user_id, number = with_store(work)
    say(as_json, {"id": user_id, "number": number, "disabled": True}, f"User {number}, {user_id}, is disabled.")


@user.command(
    "set-password",
    epilog=examples('echo "$PASSWORD" | aureum user set-password --email ann@example.com --password-stdin'),
)
def user_set_password(
    email: Email,
    slug: Of = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Set a user's password. This ends all their sessions."""
    from aureum.commands.users import ChangeUser, change_user

    if not password_stdin and not sys.stdin.isatty():
        raise Refused(NEEDS_STDIN)
    password = read_password()

    async def work(store: EventStore) -> tuple[str, int]:
        tenant_id, user_id, number = await named(store, email, slug)
        command = ChangeUser(tenant_id=tenant_id, user_id=user_id, password=password)
        await change_user(store, command, origin(), check=lambda _: None)
        return ids.to_wire(user_id), number

    user_id, number = with_store(work)
    say(as_json, {"id": user_id, "number": number}, f"User {number}, {user_id}, has a new password.")


@user.command("reset-totp", epilog=examples("aureum user reset-totp --email ann@example.com"))
def user_reset_totp(email: Email, slug: Of = None, as_json: Json = False) -> None:
    """Turn off two-step login for a user."""
    from aureum.commands.two_step import disable_totp
    from aureum.store.security_log import ON_COMMAND_LINE, Noted, record

    async def work(store: EventStore) -> tuple[str, int]:
        tenant_id, user_id, number = await named(store, email, slug)
        await disable_totp(store, tenant_id, user_id, origin())
        await record(store, Noted("totp_disabled", tenant_id=tenant_id, user_id=user_id, about=ON_COMMAND_LINE))
        return ids.to_wire(user_id), number

    user_id, number = with_store(work)
    say(as_json, {"id": user_id, "number": number}, f"User {number}, {user_id}, logs in with the password alone.")


async def named(store: EventStore, email: str, slug: str | None) -> tuple[UUID, UUID, int]:
    """Tenant, id and number of the user who logs in with *email*. Raises NotFound."""
    from aureum.domain.emails import one_form, trimmed
    from aureum.projections import users

    tenant_id = None if slug is None else await tenant_of(store.database, slug)
    about = {"email": one_form(email), "spelled": trimmed(email).lower(), "tenant": tenant_id}
    rows = await store.database.rows(users.BY_ADDRESS, about)
    if not rows:
        raise NotFound(NO_SUCH.format(where="" if slug is None else f" in the brokerage {slug!r}"))
    return rows[0][0], rows[0][1], rows[0][2]
