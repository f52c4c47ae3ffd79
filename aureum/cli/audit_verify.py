"""``aureum audit verify``: the chain of hashes of every log, in the database or in a file, and signed checkpoints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import Installation, installation, run, tenants_of
from aureum.cli.options import Json, OneOrAll, examples
from aureum.cli.output import Refused, progress, say
from aureum.domain import ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress

    from aureum.store.signed_checkpoints import SignedCheckpoint

EXAMPLES = examples(
    "aureum audit verify",
    "aureum audit verify --brokerage example --json",
    "aureum audit verify --checkpoint checkpoints.jsonl",
    "aureum audit verify --checkpoint checkpoints.jsonl --log example.csv --public-key KEY",
)

NO_KEY = "--log needs --checkpoint and --public-key: a log in a file proves nothing by itself."
NOTHING_SIGNED = "{file} has no checkpoint of {whom}, so it proves nothing."


def audit_verify(
    slug: OneOrAll = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="A file of signed checkpoints. The log must agree with all of them.")
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="A log that 'aureum audit log' wrote. Needs neither a database nor the settings."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--public-key", help="The key that signed the checkpoints. Default: this installation's."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify that the event log was not altered.

    Recomputes every hash. A changed byte, a missing row or a swapped pair of rows is reported with its position. Signed
    checkpoints also show a log whose end was cut off or that was rebuilt. The exit status is 1 if a log is broken.
    """
    if log is not None:
        if checkpoint is None or key is None or slug is not None:
            raise Refused(NO_KEY)
        done = verify_file(log, read_checkpoints(checkpoint, key, None))
    else:
        with installation() as here, progress(quiet=as_json) as bars:
            signed = None if checkpoint is None else read_checkpoints(checkpoint, key, here.key)
            done = run(verify_all(here, slug, bars, signed, checkpoint))
    events, broken = done
    if broken:
        say(as_json, {"ok": False, "events": events, "broken": broken}, describe(broken))
        sys.exit(1)
    say(as_json, {"ok": True, "events": events}, f"{events} events verified.")


def read_checkpoints(file: Path, key: str | None, master_key: bytes | None) -> list[SignedCheckpoint]:
    """All of *file*, signed by *key* or by the installation's own. Raises Refused."""
    from aureum.store.signed_checkpoints import Unreadable, public_key, read_all, signing_key

    try:
        known = public_key(key) if key is not None else signing_key(master_key or b"").public_key()
        with file.open("rb") as lines:
            return read_all(lines, known)
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from error
    except Unreadable as error:
        raise Refused(f"{file}: {error}") from error


def verify_file(file: Path, signed: Sequence[SignedCheckpoint]) -> tuple[int, list[dict[str, Any]]]:
    """The same of a log in a file, which is one tenant's. Raises Refused."""
    from aureum.store import chain, log_file
    from aureum.store.signed_checkpoints import of_tenant

    try:
        with file.open(encoding="utf-8", newline="") as lines:
            tenant_id, rows = log_file.read(lines)
            found = of_tenant(signed, tenant_id)
            if not found:
                raise Refused(NOTHING_SIGNED.format(file="The file of checkpoints", whom=f"the tenant {tenant_id}"))
            outcome = chain.verify_rows(chain.Walk(tenant_id, found), rows)
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from error
    except log_file.Unreadable as error:
        raise Refused(f"{file}: {error}") from error
    if isinstance(outcome, chain.Verified):
        return outcome.events, []
    name = next(iter(found.values()))[0].brokerage or str(tenant_id)
    return 0, [{"brokerage": name, "position": outcome.position, "what": outcome.what}]


async def verify_all(
    here: Installation,
    slug: str | None,
    bars: Progress,
    signed: Sequence[SignedCheckpoint] | None = None,
    file: Path | None = None,
) -> tuple[int, list[dict[str, Any]]]:
    """How many events were verified, and where a log is broken or does not agree with what was *signed*. Raises Refused
    where nothing was signed of what is verified."""
    from aureum.store import chain
    from aureum.store.postgres.database import Database, connect
    from aureum.store.postgres.watch import Watch
    from aureum.store.signed_checkpoints import of_tenant

    events = 0
    broken = []
    prepared, watch = here.settings.prepared_statements, Watch(here.settings.database_long_timeout)
    async with (
        Database(here.url, prepared=prepared) as database,
        await connect(here.url, prepared=prepared, watch=watch) as connection,
    ):
        names = {tenant_id: name for tenant_id, name in await tenants_of(database, slug)}
        # Without a slug also the platform's own log, and logs whose brokerage or head was removed.
        tenants = list(names) if slug is not None else await chain.tenants(connection)
        if signed is not None:
            known = {checkpoint.tenant_id: checkpoint.brokerage for checkpoint in signed}
            if slug is None:
                # And logs of which nothing is left.
                tenants += sorted(known.keys() - set(tenants))
                names = known | names
            if not known.keys() & set(tenants):
                whom = "any log" if slug is None else slug
                raise Refused(NOTHING_SIGNED.format(file=file, whom=whom))
        names[ids.PLATFORM] = "platform"
        whole = bars.add_task("Verifying", total=len(tenants))
        for tenant_id in tenants:
            name = names.get(tenant_id, str(tenant_id))
            bar = bars.add_task(name, total=None)

            def show(done: int, length: int, bar: Any = bar) -> None:
                bars.update(bar, completed=done, total=length)

            found = await chain.verify(connection, tenant_id, show, of_tenant(signed or (), tenant_id))
            bars.remove_task(bar)
            bars.advance(whole)
            if isinstance(found, chain.Broken):
                broken.append({"brokerage": name, "position": found.position, "what": found.what})
            else:
                events += found.events
    return events, broken


def describe(broken: list[dict[str, Any]]) -> str:
    """A line for each brokerage whose log is broken."""
    return "\n".join(f"{b['brokerage']}: broken at position {b['position']}: {b['what']}." for b in broken)
