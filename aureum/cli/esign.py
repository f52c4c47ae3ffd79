"""``aureum esign``: the DocuSign account of a brokerage, and sealing again what could not be sealed. Keys are read from
files, and never shown.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import origin, tenant_of, tenants_of, with_store
from aureum.cli.options import Json, OneOrAll, Slug, Yes, examples, group
from aureum.cli.output import Refused, confirm, say, table
from aureum.domain.errors import NotFound

if TYPE_CHECKING:
    from aureum.domain.docusign_connection import DocusignConnection
    from aureum.signing.docusign.checking import Checked
    from aureum.store.event_store import EventStore

app = group("DocuSign accounts, and seals that failed.")

MOST_BYTES = 100_000
ONE_STDIN = "Only one of --private-key and --connect-keys can be read from standard input."
UNREADABLE = "{file} cannot be read: {why}."
NOT_TEXT = "{file} must hold the text that DocuSign has shown, of at most 100 KB."
ENVIRONMENT = {True: "production", False: "demo"}

STEPS = {
    "token": "Get a token",
    "account": "Find the account",
    "draft": "Create a draft",
    "deletion": "Delete the draft",
}


@app.command(
    "connect",
    epilog=examples(
        "aureum esign connect --brokerage example \\",
        "    --integration-key 6f1e29d1-7a3b-4a06-9f6e-2d0c7c1b8a55 \\",
        "    --user-id 0a9d3f52-43d4-4f5b-a1b4-7c8e6d2b9f10 \\",
        "    --account-id c3b1f0e6-5a77-4f38-8a55-1d2e3f4a5b6c \\",
        "    --private-key docusign.pem --connect-keys connect-keys.txt --environment production",
        "aureum esign connect --brokerage example --connect-keys connect-keys.txt",
    ),
)
def connect(
    slug: Slug,
    integration_key: Annotated[str | None, typer.Option(help="The app's integration key.")] = None,
    user_id: Annotated[str | None, typer.Option(help="The user that envelopes are sent by.")] = None,
    account_id: Annotated[str | None, typer.Option(help="The API account id.")] = None,
    private_key: Annotated[
        str | None, typer.Option(metavar="FILE", help="The app's RSA private key. A dash reads standard input.")
    ] = None,
    connect_keys: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The HMAC keys of Connect, one on each line. A dash reads standard input."),
    ] = None,
    environment: Annotated[
        str | None, typer.Option(help="Which of DocuSign's environments: demo or production. Default: demo.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Connect a brokerage to its DocuSign account.

    A brokerage that is connected already gets what is given here; what is not given stays as it is.
    """
    from pydantic import SecretStr

    from aureum.commands.docusign_connections import ConnectDocusign, connect_docusign

    if environment not in (None, *ENVIRONMENT.values()):
        raise typer.BadParameter("Choose demo or production.", param_hint="--environment")
    if private_key == connect_keys == "-":
        raise Refused(ONE_STDIN)
    key = None if private_key is None else SecretStr(text_of(private_key))
    keys = None if connect_keys is None else tuple(map(SecretStr, text_of(connect_keys).split()))

    async def work(store: EventStore) -> DocusignConnection:
        command = ConnectDocusign(
            tenant_id=await tenant_of(store.database, slug),
            integration_key=integration_key,
            user_id=user_id,
            account_id=account_id,
            production=None if environment is None else environment == "production",
            private_key=key,
            connect_keys=keys,
        )
        return await connect_docusign(store, command, origin())

    made = with_store(work)
    people = (
        f"Connected to the {ENVIRONMENT[made.production]} account {made.account_id}. "
        f"'aureum esign check --brokerage {slug}' tries it.\n"
    )
    people += (
        f"Calls of Connect are taken with {len(made.connect_keys)} HMAC keys, at /webhooks/docusign/{slug}."
        if made.connect_keys
        else "Calls of Connect are refused until --connect-keys names its HMAC keys. Until then DocuSign is asked "
        "every 15 minutes."
    )
    say(as_json, described(made), people)


@app.command("check", epilog=examples("aureum esign check --brokerage example"))
def check_command(slug: Slug, as_json: Json = False) -> None:
    """Try a brokerage's connection to DocuSign.

    Gets a token, finds the account, and creates a draft that is deleted again. Nothing is sent to anyone.
    """
    from aureum.commands.docusign_connections import NOT_CONNECTED, connection
    from aureum.settings import load_settings
    from aureum.signing.docusign.account import account_of
    from aureum.signing.docusign.checking import check
    from aureum.signing.docusign.http import Docusign

    settings = load_settings()

    async def work(store: EventStore) -> tuple[DocusignConnection, Checked]:
        found = await connection(store, await tenant_of(store.database, slug))
        if found is None:
            raise NotFound(NOT_CONNECTED)
        async with Docusign(settings.docusign_url) as docusign:
            return found, await check(docusign, account_of(found))

    found, checked = with_store(work)
    document = described(found) | {
        "ok": checked.failed is None,
        "account": checked.account and {"name": checked.account.name, "server": checked.account.server},
        "steps": [
            *({"step": step, "ok": True} for step in checked.done),
            *([{"step": checked.failed, "ok": False, "problem": checked.text}] if checked.failed else []),
        ],
    }
    lines = [f"{STEPS[step]}: done" for step in checked.done]
    if checked.failed:
        lines.append(f"{STEPS[checked.failed]}: failed. {checked.text}")
    elif checked.account is not None:
        lines.append(f"The connection to {checked.account.name} at {checked.account.server} works.")
    if not found.connect_keys:
        lines.append("There is no HMAC key of Connect, so its calls are refused.")
    say(as_json, document, "\n".join(lines))
    if checked.failed:
        raise typer.Exit(1)


@app.command("disconnect", epilog=examples("aureum esign disconnect --brokerage example"))
def disconnect(slug: Slug, yes: Yes = False, as_json: Json = False) -> None:
    """End a brokerage's connection to DocuSign.

    Envelopes that were sent can no longer be followed from here.
    """
    from aureum.commands.docusign_connections import disconnect_docusign

    confirm("This removes the keys of the DocuSign account.", "Disconnect it?", yes=yes)

    async def work(store: EventStore) -> None:
        await disconnect_docusign(store, await tenant_of(store.database, slug), origin())

    with_store(work)
    say(as_json, {"brokerage": slug, "connected": False}, "The brokerage is no longer connected to DocuSign.")


@app.command(
    "retry-sealing", epilog=examples("aureum esign retry-sealing", "aureum esign retry-sealing --brokerage example")
)
def retry_sealing(slug: OneOrAll = None, as_json: Json = False) -> None:
    """Seal again what could not be sealed.

    Envelopes that all have signed, and whose sealing failed for good, wait for this. 'aureum doctor' lists them.
    """
    from aureum.signing.completing import retry_parked

    async def work(store: EventStore) -> list[tuple[str, int]]:
        return [
            (name, await retry_parked(store.database, tenant_id))
            for tenant_id, name in await tenants_of(store.database, slug)
        ]

    done = [(name, count) for name, count in with_store(work) if count]
    columns = ("brokerage", "envelopes")
    say(as_json, [dict(zip(columns, row, strict=True)) for row in done], table("Tried again", columns, done))


def described(found: DocusignConnection) -> dict[str, Any]:
    """A connection as scripts see it, without its keys."""
    return {
        "connected": found.connected,
        "environment": ENVIRONMENT[found.production],
        "integrationKey": found.integration_key,
        "userId": found.user_id,
        "accountId": found.account_id,
        "connectKeys": len(found.connect_keys),
    }


def text_of(file: str) -> str:
    """What *file*, or standard input, holds. Raises Refused."""
    try:
        with Path(file).open(encoding="ascii") if file != "-" else sys.stdin as source:
            text = source.read(MOST_BYTES + 1)
    except OSError as error:
        raise Refused(UNREADABLE.format(file=file, why=error.strerror or error)) from error
    except UnicodeDecodeError:
        raise Refused(NOT_TEXT.format(file=file)) from None
    if len(text) > MOST_BYTES or "\0" in text:
        raise Refused(NOT_TEXT.format(file=file))
    return text
