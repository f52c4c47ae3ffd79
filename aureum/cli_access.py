"""``aureum user`` and ``api-key``: who gets in. Keys are shown once."""

import sys
from getpass import getpass
from typing import Annotated

import typer
from pydantic import SecretStr

from aureum.cli_output import say, table
from aureum.commands.api_keys import IssueApiKey, issue_api_key, revoke_api_key
from aureum.commands.users import CreateUser, create_user
from aureum.domain import ids
from aureum.domain.api_key import RATE_LIMIT
from aureum.domain.emails import trimmed
from aureum.domain.errors import Invalid, NotFound
from aureum.http.fields import is_email
from aureum.operator import origin, tenant_of, with_store
from aureum.projections import api_keys
from aureum.store.event_store import EventStore

user = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The staff of brokerages.")
api_key = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keys for integrators' programs.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Slug = Annotated[str, typer.Option("--brokerage", help="The brokerage's slug.")]


@user.command("create")
def user_create(
    email: Annotated[str, typer.Option(help="The address to log in with.")],
    name: Annotated[str, typer.Option(help="As colleagues know him or her.")],
    role: Annotated[str, typer.Option(help="platform_admin, brokerage_owner, broker or agent.")],
    slug: Annotated[str | None, typer.Option("--brokerage", help="The brokerage's slug; may be left out.")] = None,
    specialty: Annotated[list[str] | None, typer.Option(help="An agent's place or kind of home; repeatable.")] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from a line.")] = False,
    as_json: Json = False,
) -> None:
    """Add somebody to the staff."""
    email = trimmed(email)
    if not is_email(email):
        raise Invalid("email", "email must be a valid e-mail address.")
    password = read_password() if password_stdin else None

    async def work(store: EventStore) -> tuple[str, int]:
        command = CreateUser(
            tenant_id=ids.PLATFORM if slug is None else await tenant_of(store.database, slug),
            email=email,
            name=name,
            role=role,
            password=password,
            specialties=tuple(specialty or ()),
        )
        made = await create_user(store, command, origin())
        return ids.to_wire(made.id), made.number

    user_id, number = with_store(work)
    say(as_json, {"id": user_id, "number": number}, f"Created user {number}, {user_id}.")


def read_password() -> SecretStr:
    """The first line of standard input; asked for, and not shown, where that is a terminal. Raises Invalid."""
    if sys.stdin.isatty():
        return SecretStr(getpass())
    try:
        return SecretStr(sys.stdin.readline().rstrip("\r\n"))
    except UnicodeDecodeError as error:
        raise Invalid("password", "password must be text in UTF-8.") from error


@api_key.command("create")
def api_key_create(
    slug: Slug,
    name: Annotated[str, typer.Option(help="What the key is for.")],
    rate_limit: Annotated[int, typer.Option(help="Requests a minute.")] = RATE_LIMIT,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown this once."""

    async def work(store: EventStore) -> tuple[str, str]:
        tenant_id = await tenant_of(store.database, slug)
        command = IssueApiKey(tenant_id=tenant_id, name=name, rate_limit=rate_limit)
        made, key = await issue_api_key(store, command, origin())
        return ids.to_wire(made.id), key

    key_id, key = with_store(work)
    say(as_json, {"id": key_id, "key": key}, f"{key}\n\nKeep it: it is not shown again. Its id is {key_id}.")


@api_key.command("list")
def api_key_list(slug: Slug, as_json: Json = False) -> None:
    """Show a brokerage's keys by their beginnings."""

    async def work(store: EventStore) -> list[tuple[str, str, str, int, bool]]:
        tenant_id = await tenant_of(store.database, slug)
        rows = await store.database.tenant_rows(tenant_id, api_keys.OF_TENANT, {"tenant": tenant_id})
        return [(ids.to_wire(key_id), *rest) for key_id, *rest in rows]

    found = with_store(work)
    names = ("id", "name", "prefix", "rateLimit", "revoked")
    shown = [(*rest, "yes" if revoked else "") for *rest, revoked in found]
    say(as_json, [dict(zip(names, row, strict=True)) for row in found], table("API keys", names, shown))


@api_key.command("revoke")
def api_key_revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as 'aureum api-key list' shows it.")],
    slug: Slug,
    as_json: Json = False,
) -> None:
    """Make a key open nothing from the next request on."""
    stream_id = ids.from_wire(key_id)

    async def work(store: EventStore) -> None:
        tenant_id = await tenant_of(store.database, slug)
        if stream_id is None:
            raise NotFound(f"That is not the id of an API key. 'aureum api-key list --brokerage {slug}' shows them.")
        await revoke_api_key(store, tenant_id, stream_id, origin())

    with_store(work)
    say(as_json, {"id": key_id, "revoked": True}, "The key is revoked.")
