"""The command line, the same for people and for scripts: ``--json`` prints one JSON document and nothing else there."""

import asyncio
import sys
from typing import Annotated

import typer
from pydantic import SecretStr

from aureum import cli_audit, cli_projections, cli_serve
from aureum.commands.api_keys import IssueApiKey, issue_api_key, revoke_api_key
from aureum.commands.brokerages import (
    OpenBrokerage,
    change_plan,
    disable_brokerage,
    enable_brokerage,
    open_brokerage,
)
from aureum.commands.users import CreateUser, create_user
from aureum.commands.webhook_endpoints import RegisterWebhookEndpoint, register_webhook_endpoint
from aureum.domain import ids
from aureum.domain.api_key import RATE_LIMIT
from aureum.domain.brokerage import PLANS
from aureum.domain.errors import Invalid, NotFound
from aureum.http.errors import BadHost
from aureum.http.fields import is_email
from aureum.http.hosts import normalise_host
from aureum.operator import installation, plain_refusals, say, table, tenant_of, with_store
from aureum.projections import api_keys, brokerages
from aureum.settings import describe_settings, load_settings
from aureum.store.cipher import MasterKey
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.migrate import migrate

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Aureum: the back end of real-estate brokerages.")
brokerage = typer.Typer(no_args_is_help=True, help="Brokerages: the tenants of this installation.")
user = typer.Typer(no_args_is_help=True, help="The staff of brokerages.")
api_key = typer.Typer(no_args_is_help=True, help="Keys for integrators' programs.")
webhook = typer.Typer(no_args_is_help=True, help="Endpoints that hear of events.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Slug = Annotated[str, typer.Option("--brokerage", help="The brokerage's slug.")]


def origin() -> Origin:
    """Whom events made here name."""
    return Origin(COMMAND_LINE)


@app.command("settings")
def settings_command(as_json: Json = False) -> None:
    """List the settings with their meaning. Secrets are masked."""
    lines = describe_settings()
    columns = ("Variable", "Meaning", "Default", "Value")
    say(as_json, [line._asdict() for line in lines], table("Settings", columns, lines))


@app.command("migrate")
def migrate_command(as_json: Json = False) -> None:
    """Bring the database up to date."""
    with installation(migrated=False) as here:
        ran = asyncio.run(migrate(here.url, MasterKey(here.key)))
    say(as_json, {"ran": ran}, "Ran " + ", ".join(ran) if ran else "The database is up to date.")


@brokerage.command("create")
def brokerage_create(
    name: Annotated[str, typer.Option(help="As people know it.")],
    slug: Annotated[str, typer.Option(help="Short name in addresses: a-z, 0-9, hyphens.")],
    plan: Annotated[str, typer.Option(help="starter, grow or elite.")],
    domain: Annotated[list[str] | None, typer.Option(help="A domain of its own pages; may be repeated.")] = None,
    time_zone: Annotated[str, typer.Option(help="IANA name.")] = "America/Boise",
    country: Annotated[str, typer.Option(help="Whose phone numbers need no prefix: two letters.")] = "US",
    private_count: Annotated[bool, typer.Option("--private-count", help="GET /api/leads/count needs a key.")] = False,
    as_json: Json = False,
) -> None:
    """Open a brokerage."""
    domains = tuple(dict.fromkeys(checked_domain(each) for each in domain or ()))

    async def work(store: EventStore) -> tuple[int, str]:
        command = OpenBrokerage(
            name=name,
            slug=slug,
            domains=domains,
            plan=plan_named(plan),
            time_zone=time_zone,
            country=country.upper(),
            public_lead_count=not private_count,
        )
        opened = await open_brokerage(store, command, origin())
        return opened.number, opened.slug

    number, made = with_store(work)
    say(as_json, {"id": number, "slug": made}, f"Opened brokerage {number}, {made}.")


@brokerage.command("list")
def brokerage_list(as_json: Json = False) -> None:
    """Show all brokerages."""

    async def work(store: EventStore) -> list[tuple[str, str, str, bool]]:
        return [tuple(row[1:]) for row in await store.database.rows(brokerages.ALL)]

    found = with_store(work)
    names = ("slug", "name", "plan", "disabled")
    shown = [(slug, name, plan, "yes" if disabled else "") for slug, name, plan, disabled in found]
    say(as_json, [dict(zip(names, row, strict=True)) for row in found], table("Brokerages", names, shown))


@brokerage.command("disable")
def brokerage_disable(slug: str, as_json: Json = False) -> None:
    """Shut a brokerage out: its forms, keys and webhooks stop at once. Nothing is lost."""
    change_brokerage(slug, "disable", as_json)


@brokerage.command("enable")
def brokerage_enable(slug: str, as_json: Json = False) -> None:
    """Let a disabled brokerage in again."""
    change_brokerage(slug, "enable", as_json)


@brokerage.command("plan")
def brokerage_plan(slug: str, plan: str, as_json: Json = False) -> None:
    """Move a brokerage to another plan: starter, grow or elite."""
    change_brokerage(slug, plan_named(plan), as_json)


def change_brokerage(slug: str, change: str, as_json: bool) -> None:
    """Disable, enable, or a plan's name."""

    async def work(store: EventStore) -> dict[str, object]:
        tenant_id = await tenant_of(store.database, slug)
        if change == "disable":
            changed = await disable_brokerage(store, tenant_id, origin())
        elif change == "enable":
            changed = await enable_brokerage(store, tenant_id, origin())
        else:
            changed = await change_plan(store, tenant_id, change, origin())
        return {"slug": slug, "plan": changed.plan, "disabled": changed.disabled}

    now = with_store(work)
    say(as_json, now, f"{slug}: plan {now['plan']}{', disabled' if now['disabled'] else ''}.")


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
    if not is_email(email.strip()):
        raise Invalid("email", "email must be a valid e-mail address.")
    password = SecretStr(sys.stdin.readline().rstrip("\r\n")) if password_stdin else None

    async def work(store: EventStore) -> tuple[str, int]:
        command = CreateUser(
            tenant_id=ids.PLATFORM if slug is None else await tenant_of(store.database, slug),
            email=email.strip(),
            name=name,
            role=role,
            password=password,
            specialties=tuple(specialty or ()),
        )
        made = await create_user(store, command, origin())
        return ids.to_wire(made.id), made.number

    user_id, number = with_store(work)
    say(as_json, {"id": user_id, "number": number}, f"Created user {number}, {user_id}.")


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
        made, key = await issue_api_key(
            store, IssueApiKey(tenant_id=tenant_id, name=name, rate_limit=rate_limit), origin()
        )
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
    say(as_json, [dict(zip(names, row, strict=True)) for row in found], table("API keys", names, found))


@api_key.command("revoke")
def api_key_revoke(key_id: str, slug: Slug, as_json: Json = False) -> None:
    """Make a key open nothing from the next request on."""
    stream_id = ids.from_wire(key_id)

    async def work(store: EventStore) -> None:
        if stream_id is None:
            raise NotFound("That is not the id of an API key. 'aureum api-key list' shows them.")
        await revoke_api_key(store, await tenant_of(store.database, slug), stream_id, origin())

    with_store(work)
    say(as_json, {"id": key_id, "revoked": True}, "The key is revoked.")


@webhook.command("create")
def webhook_create(
    slug: Slug,
    url: Annotated[str, typer.Option(help="Where the events are posted to.")],
    event: Annotated[list[str], typer.Option(help="Such as lead.created; may be repeated.")],
    as_json: Json = False,
) -> None:
    """Register an endpoint. Its signing secret is shown this once."""
    networks = load_settings().webhook_allow_networks

    async def work(store: EventStore) -> tuple[str, str]:
        tenant_id = await tenant_of(store.database, slug)
        command = RegisterWebhookEndpoint(tenant_id=tenant_id, url=url, events=tuple(event))
        made = await register_webhook_endpoint(store, command, origin(), allow_networks=networks)
        return ids.to_wire(made.id), made.secret

    endpoint_id, secret = with_store(work)
    people = f"{secret}\n\nKeep it: it is not shown again. The endpoint's id is {endpoint_id}."
    say(as_json, {"id": endpoint_id, "secret": secret}, people)


def plan_named(text: str) -> str:
    """A plan in any case. Raises Invalid."""
    for plan in PLANS:
        if plan.lower() == text.lower():
            return plan
    raise Invalid("plan", f"plan must be one of: {', '.join(plan.lower() for plan in PLANS)}.")


def checked_domain(text: str) -> str:
    """A domain of a brokerage, normalised. Raises Invalid."""
    base = load_settings().base_domain
    try:
        name = normalise_host(text)
    except BadHost:
        name = ""
    if "." not in name or name.startswith("[") or name.replace(".", "").isdigit():
        raise Invalid("domain", f"domain must be a name such as www.example.com, not {text!r}.")
    if base is not None and (name == base or name.endswith("." + base)):
        raise Invalid("domain", f"domain must not be {base} or below it: brokerages are found there by their slug.")
    return name


app.add_typer(brokerage, name="brokerage")
app.add_typer(user, name="user")
app.add_typer(api_key, name="api-key")
app.add_typer(webhook, name="webhook")
app.add_typer(cli_audit.app, name="audit")
app.add_typer(cli_projections.app, name="projections")
for command in (cli_serve.serve_command, cli_serve.worker_command, cli_serve.demo_command, cli_serve.run_command):
    app.command(command.__name__.removesuffix("_command"))(command)


def main() -> None:
    """What ``aureum`` runs."""
    with plain_refusals():
        app()
