"""``aureum brokerage``: open tenants, list them, move them to other plans, shut them out and let them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import origin, tenant_of, with_store
from aureum.cli.options import Json, examples, group
from aureum.cli.output import say, table
from aureum.domain.errors import Invalid

if TYPE_CHECKING:
    from aureum.store.event_store import EventStore

app = group("Brokerages: the tenants of this installation.")

Slug = Annotated[str, typer.Argument(help="The brokerage's slug.")]
Plan = Annotated[str, typer.Argument(help="starter, grow or elite.")]

COLUMNS = ("id", "slug", "name", "plan", "domains", "disabled")


@app.command(
    "create",
    epilog=examples(
        'aureum brokerage create --name "Example Realty" --slug example \\',
        "    --domain www.example.com --plan elite",
    ),
)
def create(
    name: Annotated[str, typer.Option(help="The name of the brokerage.")],
    slug: Annotated[str, typer.Option(help="Short name for URLs: a-z, 0-9 and hyphens.")],
    plan: Annotated[str, typer.Option(help="starter, grow or elite.")],
    domain: Annotated[list[str] | None, typer.Option(help="A domain of the brokerage's website. Repeatable.")] = None,
    time_zone: Annotated[str, typer.Option(help="IANA name.")] = "America/Boise",
    country: Annotated[
        str, typer.Option(help="The country of phone numbers without a country code, in two letters.")
    ] = "US",
    private_count: Annotated[
        bool, typer.Option("--private-count", help="GET /api/leads/count requires credentials.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Create a brokerage."""
    from aureum.commands.brokerages import OpenBrokerage, open_brokerage
    from aureum.http.api.brokerages.brokerage_domains import brokerage_domains
    from aureum.settings import load_settings

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
    say(as_json, {"id": number, "slug": made}, f"Created brokerage {number}, {made}.\n{next_step}")


@app.command("list", epilog=examples("aureum brokerage list"))
def show(as_json: Json = False) -> None:
    """List all brokerages."""
    from aureum.projections import brokerages

    async def work(store: EventStore) -> list[dict[str, Any]]:
        rows = await store.database.rows(brokerages.ALL)
        return [
            dict(zip(COLUMNS, (number, slug, name, plan, domains, disabled), strict=True))
            for _, slug, name, plan, disabled, number, domains in rows
        ]

    found = with_store(work)
    shown = [
        tuple((one | {"domains": ", ".join(one["domains"]), "disabled": "yes" if one["disabled"] else ""}).values())
        for one in found
    ]
    say(as_json, found, table("Brokerages", COLUMNS, shown))


@app.command("disable", epilog=examples("aureum brokerage disable example"))
def disable(slug: Slug, as_json: Json = False) -> None:
    """Disable a brokerage until it is enabled again.

    Its forms, keys, users and webhooks stop at once. Visitors who submit a form get an error. Stored data stays, and
    webhooks are sent later.
    """
    change(slug, "disable", as_json)


@app.command("enable", epilog=examples("aureum brokerage enable example"))
def enable(slug: Slug, as_json: Json = False) -> None:
    """Enable a disabled brokerage."""
    change(slug, "enable", as_json)


@app.command("plan", epilog=examples("aureum brokerage plan example elite"))
def plan(slug: Slug, plan: Plan, as_json: Json = False) -> None:
    """Change a brokerage's plan."""
    change(slug, plan_named(plan), as_json)


def change(slug: str, change: str, as_json: bool) -> None:
    """Disable, enable, or a plan's name."""
    from aureum.commands.brokerages import change_plan, disable_brokerage, enable_brokerage

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
    from aureum.domain.brokerage import PLANS

    for plan in PLANS:
        if plan.lower() == text.lower():
            return plan
    raise Invalid("plan", f"plan must be one of: {', '.join(plan.lower() for plan in PLANS)}.")


def checked_country(text: str) -> str:
    """A region that phone numbers are known of. Raises Invalid."""
    from phonenumbers import SUPPORTED_REGIONS

    if text.upper() not in SUPPORTED_REGIONS:
        raise Invalid("country", "country must be two letters such as US, CA or DE.")
    return text.upper()
