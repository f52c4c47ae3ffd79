"""Brokerages: the tenants of the installation, for platform admins."""

from typing import get_args

from aureum.http.api.brokerages.brokerage_fields import Plan
from aureum.http.panel.fields import Field
from aureum.http.panel.resource import Column, Resource
from aureum.http.panel.resource_page import pages_of

NAME = Field("name", "Name", required=True)
SETTINGS = (
    Field("time_zone", "Time zone", required=True, default="America/Boise", hint="Such as America/Boise."),
    Field(
        "country",
        "Country",
        required=True,
        default="US",
        hint="Two letters. Phone numbers without a country code belong to this country.",
    ),
    Field("public_lead_count", "Public count of leads", "tick", default="yes"),
)
"""What its owner sets as well."""

MAILS = (
    Field(
        "confirmations",
        "Confirm forms by mail",
        "tick",
        hint="A visitor who sends a form gets a mail that confirms it.",
    ),
    Field("reply_to", "Replies go to", "email", hint="The address for replies to mails to visitors."),
)
"""Mail settings, which an existing brokerage has."""

RETENTION = (
    Field(
        "erase_lost_after_months",
        "Erase lost leads after",
        "number",
        hint="Months, from 1 to 120. Leave empty for never. The owners get a mail a week before.",
    ),
)
"""How long personal data is kept."""

REST = (
    Field("plan", "Plan", "choice", get_args(Plan), required=True),
    Field("domains", "Domains", "words", hint="The domains of the brokerage's website, separated by commas."),
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
    new=(NAME, Field("slug", "Slug", required=True, hint="Short name for URLs. It cannot be changed later."), *REST),
    change=(
        NAME,
        *REST,
        *MAILS,
        *RETENTION,
        Field("disabled", "Disabled", "tick", hint="Disables the brokerage's forms, keys, logins and webhooks."),
    ),
    numbered=True,
    facts=(Column("slug", "Slug"), Column("id", "Number"), Column("created_at", "Created", "time")),
)

PAGES = pages_of(BROKERAGES)
