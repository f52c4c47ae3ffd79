"""Users: the staff, for the owner of the brokerage."""

from aureum.domain.user import ROLES
from aureum.http.panel.acting import BROKERAGE
from aureum.http.panel.fields import Field
from aureum.http.panel.resource import Column, Resource, pages_of

GIVEN = tuple(role for role in ROLES if role != "platform_admin")
"""The roles that an owner can give."""

ROLE = Field("role", "Role", "choice", GIVEN, required=True, default="agent")
NAME = Field("name", "Name", required=True)
SPECIALTIES = Field(
    "specialties", "Specialties", "words", hint="Leads that mention these words are routed to this user first."
)
TAKES_LEADS = Field("takes_leads", "Receives leads from forms", "tick")

USERS = Resource(
    path="/admin/users",
    api="/api/v1/admin/users",
    one="user",
    many="Users",
    title=lambda user: user["name"],
    columns=(
        Column("name", "Name"),
        Column("email", "Email"),
        Column("role", "Role", "badge"),
        Column("takes_leads", "Receives leads", "tick"),
        Column("disabled", "Disabled", "tick"),
    ),
    filters=(),
    new=(
        BROKERAGE,
        NAME,
        Field("email", "Email", "email", required=True, hint="The address for logging in."),
        ROLE,
        Field("password", "Password", "password", hint="Without a password the user cannot log in."),
        SPECIALTIES,
    ),
    change=(
        NAME,
        ROLE,
        Field(
            "password",
            "New password",
            "password",
            hint="Leave empty to keep the password. A new one ends all the user's sessions. Change your "
            "own on your account page.",
        ),
        TAKES_LEADS,
        SPECIALTIES,
        Field("disabled", "Disabled", "tick", hint="A disabled user cannot log in and gets no leads."),
    ),
    numbered=True,
    named=True,
    facts=(Column("email", "Email"), Column("id", "Number"), Column("created_at", "Created", "time")),
)

PAGES = pages_of(USERS)
