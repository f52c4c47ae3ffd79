"""Users: the staff, for the owner of the brokerage."""

from aureum.domain.user import ROLES
from aureum.http.panel.acting import BROKERAGE
from aureum.http.panel.fields import Field
from aureum.http.panel.resource import Column, Resource, pages_of

GIVEN = tuple(role for role in ROLES if role != "platform_admin")
"""What an owner can make somebody."""

ROLE = Field("role", "Role", "choice", GIVEN, required=True, default="agent")
NAME = Field("name", "Name", required=True)
SPECIALTIES = Field("specialties", "Specialties", "words", hint="Forms that speak of these go to him or her first.")
TAKES_LEADS = Field("takes_leads", "Takes leads from forms", "tick")

USERS = Resource(
    path="/admin/users",
    api="/api/v1/admin/users",
    one="user",
    many="Users",
    title=lambda user: user["name"],
    columns=(
        Column("name", "Name"),
        Column("email", "E-mail"),
        Column("role", "Role", "badge"),
        Column("takes_leads", "Takes leads", "tick"),
        Column("disabled", "Disabled", "tick"),
    ),
    filters=(),
    new=(
        BROKERAGE,
        NAME,
        Field("email", "E-mail", "email", required=True, hint="To log in with."),
        ROLE,
        Field("password", "Password", "password", hint="Without one he or she cannot log in."),
        SPECIALTIES,
    ),
    change=(
        NAME,
        ROLE,
        Field(
            "password",
            "New password",
            "password",
            hint="Empty: it stays. A new one ends all logins. Your own is changed under your name.",
        ),
        TAKES_LEADS,
        SPECIALTIES,
        Field("disabled", "Disabled", "tick", hint="Cannot log in any more, and gets no leads."),
    ),
    numbered=True,
    named=True,
    facts=(Column("email", "E-mail"), Column("id", "Number"), Column("created_at", "Since", "time")),
)

PAGES = pages_of(USERS)
