"""``aureum brokerage``: open tenants, list them, move them to other plans, shut them out and let them in."""

from typing import Annotated

import typer
from phonenumbers import SUPPORTED_REGIONS

from aureum.cli_output import say, table
from aureum.commands.brokerages import (
    OpenBrokerage,
    change_plan,
    disable_brokerage,
    enable_brokerage,
    open_brokerage,
)
from aureum.domain.brokerage import PLANS
from aureum.domain.errors import Invalid
from aureum.http.brokerage_domains import brokerage_domains
from aureum.operator import origin, tenant_of, with_store
from aureum.projections import brokerages
from aureum.settings import load_settings
from aureum.store.event_store import EventStore

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Brokerages: the tenants of this installation.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Slug = Annotated[str, typer.Argument(help="The brokerage's slug.")]


@app.command("create")
def create(
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
    command = OpenBrokerage(
        name=name,
        slug=slug,
        domains=brokerage_domains(domain or (), load_settings().base_domain),
        plan=plan_named(plan),
        time_zone=time_zone,
        country=checked_country(country),
        public_lead_count=not private_count,
    )

    async def work(store: EventStore) -> tuple[int, str]:
        opened = await open_brokerage(store, command, origin())
        return opened.number, opened.slug

    number, made = with_store(work)
    next_step = f"Next: aureum api-key create --brokerage {made} --name ..."
    say(as_json, {"id": number, "slug": made}, f"Opened brokerage {number}, {made}.\n{next_step}")


@app.command("list")
def show(as_json: Json = False) -> None:
    """Show all brokerages."""

    async def work(store: EventStore) -> list[tuple[str, str, str, bool]]:
        return [tuple(row[1:]) for row in await store.database.rows(brokerages.ALL)]

    found = with_store(work)
    names = ("slug", "name", "plan", "disabled")
    shown = [(slug, name, plan, "yes" if disabled else "") for slug, name, plan, disabled in found]
    say(as_json, [dict(zip(names, row, strict=True)) for row in found], table("Brokerages", names, shown))


@app.command("disable")
def disable(slug: Slug, as_json: Json = False) -> None:
    """Shut a brokerage out: its forms, keys and webhooks stop at once. Nothing is lost."""
    change(slug, "disable", as_json)


@app.command("enable")
def enable(slug: Slug, as_json: Json = False) -> None:
    """Let a disabled brokerage in again."""
    change(slug, "enable", as_json)


@app.command("plan")
def plan(
    slug: Slug, plan: Annotated[str, typer.Argument(help="starter, grow or elite.")], as_json: Json = False
) -> None:
    """Move a brokerage to another plan."""
    change(slug, plan_named(plan), as_json)


def change(slug: str, change: str, as_json: bool) -> None:
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


def plan_named(text: str) -> str:
    """A plan in any case. Raises Invalid."""
    for plan in PLANS:
        if plan.lower() == text.lower():
            return plan
    raise Invalid("plan", f"plan must be one of: {', '.join(plan.lower() for plan in PLANS)}.")


def checked_country(text: str) -> str:
    """A region that phone numbers are known of. Raises Invalid."""
    if text.upper() not in SUPPORTED_REGIONS:
        raise Invalid("country", "country must be two letters such as US, CA or DE.")
    return text.upper()
