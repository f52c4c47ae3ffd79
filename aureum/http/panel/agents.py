"""Agents: the profiles by which leads are routed, for brokers and owners. Agents find theirs under their name."""

from aureum.http.panel.fields import Field
from aureum.http.panel.resource import Column, Resource
from aureum.http.panel.resource_page import pages_of

API = "/api/v1/admin/agents"

BIO = Field("bio", "About the agent", "long", hint="What the agent sells, where, and for whom.")
LANGUAGES = Field("languages", "Languages", "words", hint="Language tags, separated by commas: en, es, pt-BR.")
AWAY = (
    Field("away_from", "Away from", "time", hint="No leads are routed to an agent who is away."),
    Field("away_to", "Back at", "time"),
)

AGENTS = Resource(
    path="/admin/agents",
    api=API,
    one="agent",
    many="Agents",
    title=lambda agent: agent["name"],
    columns=(
        Column("name", "Name"),
        Column("role", "Role", "badge"),
        Column("takes_leads", "Receives leads", "tick"),
        Column("primary", "Primary", "tick"),
        Column("specialties", "Specialties", "words"),
        Column("areas", "Areas", "words"),
        Column("languages", "Languages", "words"),
        Column("away_to", "Back at", "time"),
    ),
    filters=(),
    new=(),
    change=(
        Field("takes_leads", "Receives leads", "tick", hint="Forms and tours are routed to this agent."),
        Field(
            "primary",
            "Primary agent",
            "tick",
            hint="A brokerage has one primary agent. Ticking this replaces the current one.",
        ),
        Field("specialties", "Specialties", "words", hint="The agent's own words for areas and types of homes."),
        Field("areas", "Areas", "words", hint="Cities, neighborhoods, counties."),
        LANGUAGES,
        Field("price_min", "Lowest price", "amount"),
        Field("price_max", "Highest price", "amount"),
        Field("daily_cap", "Maximum leads per day", "number", hint="Leave empty for no limit."),
        Field("hours", "Working hours", "hours", hint="mon 09:00-17:00, tue 09:00-12:30. A day left out is a day off."),
        *AWAY,
        BIO,
    ),
    numbered=True,
    named=True,
    facts=(Column("email", "Email"), Column("role", "Role", "badge"), Column("id", "Number")),
)

PAGES = pages_of(AGENTS)
