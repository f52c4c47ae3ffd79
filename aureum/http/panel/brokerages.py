"""Brokerages: the tenants of the installation, for platform admins."""

from typing import get_args

from aureum.http.api.brokerages.brokerage_fields import Plan
from aureum.http.panel.fields import Field
from aureum.http.panel.resource import Column, Resource, pages_of

NAME = Field("name", "Name", required=True)
SETTINGS = (
    Field("time_zone", "Time zone", required=True, default="America/Boise", hint="Such as America/Boise."),
    Field("country", "Country", required=True, default="US", hint="Two letters: whose phone numbers need no prefix."),
    Field("public_lead_count", "Everybody may see how many leads there are", "tick", default="yes"),
)
"""What its owner sets as well."""

REST = (
    Field("plan", "Plan", "choice", get_args(Plan), required=True),
    Field("domains", "Domains", "words", hint="Of its own pages, with commas between them."),
    *SETTINGS,
)

BROKERAGES = Resource(
    path="/admin/brokerages",
    api="/api/v1/admin/brokerages",
    one="brokerage",
    many="Brokerages",
    title=lambda brokerage: brokerage["name"],
    columns=(
        Column("name", "Name"),
        Column("slug", "Slug"),
        Column("plan", "Plan", "badge"),
        Column("domains", "Domains", "words"),
        Column("disabled", "Disabled", "tick"),
    ),
    filters=(),
    new=(NAME, Field("slug", "Slug", required=True, hint="Its short name in addresses. It stays."), *REST),
    change=(NAME, *REST, Field("disabled", "Disabled", "tick", hint="Shuts out its forms, keys, logins and webhooks.")),
    numbered=True,
    facts=(Column("slug", "Slug"), Column("id", "Number"), Column("created_at", "Since", "time")),
)

PAGES = pages_of(BROKERAGES)
