"""Users: the staff, for the owner of the brokerage. They are invited by mail, and choose their passwords themselves."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import Invalid
from aureum.domain.user import ROLES
from aureum.http.panel.acting import BROKERAGE, chosen, keep, named
from aureum.http.panel.fields import Field, as_typed, made
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.resource import LENGTH, Action, Column, PageLink, Resource
from aureum.http.panel.resource_new import CHOOSE_IN_FORM, fields_of_new
from aureum.http.panel.resource_page import pages_of
from aureum.http.panel.visit import Visit

HERE = "/admin/users"
API = "/api/v1/admin/users"

GIVEN = tuple(role for role in ROLES if role != "platform_admin")
"""The roles that an owner can give."""

ROLE = Field("role", "Role", "choice", GIVEN, required=True, default="agent")
NAME = Field("name", "Name", required=True)
SPECIALTIES = Field(
    "specialties", "Specialties", "words", hint="Leads that mention these words are routed to this user first."
)
TAKES_LEADS = Field("takes_leads", "Receives leads from forms", "tick")
LANGUAGE = Field("language", "Language of the invitation", "choice", ("en", "es"), required=True, default="en")

INVITED = "The invitation was sent. Its link works once, for seven days."

USERS = Resource(
    path=HERE,
    api=API,
    one="user",
    many="Users",
    title=lambda user: user["name"],
    columns=(),
    filters=(),
    new=(
        BROKERAGE,
        NAME,
        Field(
            "email",
            "Email",
            "email",
            required=True,
            hint="The invitation goes to this address. The user logs in with it.",
        ),
        ROLE,
        LANGUAGE,
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
    actions=(
        Action("invite", "Send invitation", INVITED, lambda user: not user["has_password"] and not user["disabled"]),
        Action(
            "reset-totp",
            "Remove two-step login",
            "Two-step login was removed. The user logs in with the password alone.",
            lambda user: user["totp"],
        ),
        Action(
            "cancel-invitation",
            "Cancel invitation",
            "The invitation was cancelled. Its link no longer works.",
            lambda user: user["invited_until"] is not None,
        ),
    ),
    links=(PageLink("Undo what this user did", "/admin/settings/undo", {"user": "id"}),),
    numbered=True,
    named=True,
    facts=(
        Column("email", "Email"),
        Column("id", "Number"),
        Column("invited_until", "Invited until", "time"),
        Column("created_at", "Created", "time"),
    ),
    told={"invited": INVITED},
    history=True,
)


async def show_users(visit: Visit) -> Response:
    """The staff by name, with what keeps each from logging in."""
    number = visit.request.query_params.get("page", "")
    part = (await visit.ask("GET", API, query={"page": number, "page_size": LENGTH} | named(visit))).body
    return await page(visit, "users.html", users=part["items"], part=part, **empty_invitation(visit))


async def show_invite(visit: Visit) -> Response:
    """The empty form."""
    return await invite_form(visit)


def empty_invitation(visit: Visit, typed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The fields of an invitation, with what was *typed*; platform admins choose the brokerage, by itself the one that
    they act for."""
    values = dict(typed or {field.name: field.default for field in USERS.new})
    if visit.acting is not None and not values.get(BROKERAGE.name):
        values[BROKERAGE.name] = str(visit.acting["id"])
    return {"fields": fields_of_new(USERS, visit), "values": values}


async def invite_form(visit: Visit, typed: Mapping[str, str] | None = None, problem: str | None = None) -> Response:
    """The form with what was typed, and why it was refused. A user who may not see the list does not see it either."""
    await visit.ask("GET", API, query={"page_size": 1} | named(visit))
    shown = empty_invitation(visit, typed)
    return await page(visit, "invite.html", 400 if problem else 200, problem=problem, **shown)


async def invite(visit: Visit) -> Response:
    """The new user, who gets the mail. Sent twice, the same form makes one."""
    fields = fields_of_new(USERS, visit)
    there = await chosen(visit, visit.form[BROKERAGE.name]) if BROKERAGE in fields else visit
    try:
        if BROKERAGE in fields and str(there.acting and there.acting["id"]) != visit.form[BROKERAGE.name]:
            raise Invalid(BROKERAGE.name, CHOOSE_IN_FORM)
        user = (await there.ask("POST", API, body=made(fields, visit.form, there.zone) | {"invite": True})).body
    except REFUSALS as error:
        return await invite_form(visit, as_typed(fields, visit.form), refusal(error))
    response = RedirectResponse(f"{HERE}/{user['id']}?done=invited", 303)
    if there.acting != visit.acting:
        keep(there, response)
    return response


PAGES = (
    Page(HERE, show_users),
    Page(HERE + "/new", show_invite, invite),
    *(one for one in pages_of(USERS) if "{id}" in one.path),
)
