"""``aureum undo``: what one user or key did between two moments, undone over all resources of a brokerage."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.audit import moment
from aureum.cli.installation import origin, tenant_of, with_store
from aureum.cli.options import Json, Slug, Yes, examples
from aureum.cli.output import Refused, Unconfirmed, say, table
from aureum.cli.users import named
from aureum.domain import ids
from aureum.domain.errors import NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from aureum.store.event_store import EventStore
    from aureum.store.metadata import Actor

EXAMPLES = examples(
    "aureum undo --brokerage example --user ann@example.com --from 2026-01-31T09:00:00Z --dry-run",
    "aureum undo --brokerage example --key c01h2xcejqtf2nbrexx3vqjhp41 --from 2026-01-31 --to 2026-02-01 --yes",
    "aureum undo --brokerage example --import c01h2xcejqtf2nbrexx3vqjhp41 --dry-run",
)

ONE_OF_THESE = "Pass exactly one of --user, --key and --import, to say which changes to undo."
WHOLE = "An import is undone as a whole. --from and --to are for --user and --key."
RUNNING = "This import is running. Stop it in the panel, or wait until it has ended."
NO_IMPORT = "{text!r} is not the id of an import. 'aureum csv import' prints it, and the panel's address has it."
NO_KEY = "This brokerage has no API key {key!r}. 'aureum api-key list' shows their ids."
CONFIRM = "Changes of {resources} resources would be undone; --dry-run lists them. Confirm with --yes."


def undo_command(
    slug: Slug,
    email: Annotated[str | None, typer.Option("--user", help="The email address of the user.")] = None,
    key: Annotated[str | None, typer.Option(help="The id of the API key.")] = None,
    imported: Annotated[str | None, typer.Option("--import", help="The id of the import.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="The first moment. Default: the beginning.")] = None,
    before: Annotated[str | None, typer.Option("--to", help="The last moment. Default: now.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be undone.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo what a user, an API key or an import changed.

    Each change is undone by an event of its own, so histories show both. What has been changed by others since is left
    alone and listed. Leads, contacts, properties, tasks and showings stay created. An interrupted undo goes on where it
    stopped when it is run again. Contacts and leads that an import added are erased, and properties are removed, unless
    they were changed since or are in use.
    """
    if [email, key, imported].count(None) != 2:
        raise Refused(ONE_OF_THESE)
    if imported is not None and (since or before):
        raise Refused(WHOLE)
    wanted, until = moment(since, "from"), moment(before, "to")

    async def work(store: EventStore) -> list[Any]:
        from functools import partial

        from aureum.commands.clock import on_clock
        from aureum.commands.importing.undoing import END, undo_rows
        from aureum.commands.undoing_all import UndoAll, is_worth_telling, undo_all

        tenant_id = await tenant_of(store.database, slug)
        first, last = await on_clock(store.database, tenant_id, wanted, until)
        if imported is None:
            who = await actor(store, slug, email, key)
            undo = UndoAll(tenant_id=tenant_id, actor=who, since=first, before=last)
            undoing = partial(undo_all, store, undo, origin())
        else:
            await check_ended(store, tenant_id, import_of(imported))
            undoing = partial(undo_rows, store, tenant_id, import_of(imported), origin())

        async def outcomes(*, rehearsed: bool) -> list[Any]:
            return [one async for one in undoing(rehearsed=rehearsed) if is_worth_telling(one)]

        if not dry_run and not yes:
            rehearsed = await outcomes(rehearsed=True)
            ask(sum(bool(one.back) for one in rehearsed))
        done = await outcomes(rehearsed=dry_run)
        if imported is not None and not dry_run:
            await store.database.rows(END, {"tenant": tenant_id, "import": import_of(imported)})
        return done

    done = with_store(work)
    undone = [one for one in done if one.back]
    left = [described(one) for one in done if one.left or (one.why and not one.back)]
    document = {"undone": len(undone), "left": left, "resources": [described(one) for one in undone]}
    rows = [(one.kind, ids.to_wire(one.stream_id), shown(one.back), shown(one.left), one.why) for one in done]
    title = f"{len(undone)} resources {'would go' if dry_run else 'went'} back"
    say(as_json, document, table(title, ("resource", "id", "back", "left alone", "why"), rows))


def import_of(text: str) -> UUID:
    """Raises Refused."""
    found = ids.from_wire(text)
    if found is None:
        raise Refused(NO_IMPORT.format(text=text))
    return found


async def check_ended(store: EventStore, tenant_id: UUID, import_id: UUID) -> None:
    """Raises Refused while the worker is still importing. What is not known here may have come with a log from another
    installation."""
    from aureum.commands.importing.imports import get_import

    try:
        found = await get_import(store, tenant_id, import_id)
    except NotFound:
        return
    if found.state == "running" and found.stored:
        raise Refused(RUNNING)


def ask(resources: int) -> None:
    """Raises Unconfirmed where there is no terminal to ask at, and Refused if the answer is no."""
    if not sys.stdin.isatty():
        raise Unconfirmed(CONFIRM.format(resources=resources))
    if not typer.confirm(f"Undo the changes of {resources} resources?", err=True):
        raise Refused("Nothing was undone.")


async def actor(store: EventStore, slug: str, email: str | None, key: str | None) -> Actor:
    """Whose events they are. Raises NotFound."""
    from aureum.commands.undoing_all import key_there
    from aureum.store.metadata import Actor

    if email is not None:
        _, user_id, _ = await named(store, email, slug)
        return Actor("user", ids.to_wire(user_id))
    tenant_id = await tenant_of(store.database, slug)
    key_id = ids.from_wire(key or "")
    if key_id is None or not await key_there(store, tenant_id, key_id):
        raise NotFound(NO_KEY.format(key=key))
    return Actor("key", ids.to_wire(key_id))


def described(one: Any) -> dict[str, Any]:
    """One outcome, as scripts read it."""
    return {
        "type": one.kind,
        "id": ids.to_wire(one.stream_id),
        "back": list(one.back),
        "left": list(one.left),
        "why": one.why or None,
    }


def shown(parts: Any) -> str:
    """Names of parts, for people."""
    return ", ".join(part.replace("_", " ") for part in parts)
