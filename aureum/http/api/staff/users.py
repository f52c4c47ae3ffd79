"""``GET /api/users``: who of the brokerage a lead, task or showing can be assigned to."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from aureum.domain.ids import to_wire
from aureum.http.access.roles import Role
from aureum.http.api.staff.staff_at import staff_at
from aureum.http.contract.answers import answer_kept, encoded, list_etag, not_modified
from aureum.http.contract.catching_up import RemovedResponse, Run, changes, run_of
from aureum.http.contract.endpoint import Context, Endpoint
from aureum.http.contract.lists import CHANGED_AFTER
from aureum.http.contract.paging import Cursor, Limit, Token, link
from aureum.http.contract.past import check_past
from aureum.http.wire.shapes import Shape, Wire
from aureum.http.wire.times import Time
from aureum.projections import users

PATH = "/api/users"


class UserPaging(BaseModel):
    """What the list takes. It is ordered by name."""

    model_config = ConfigDict(frozen=True)

    limit: Annotated[
        Limit | None, Field(description="The length of a page. Without it the whole list is returned.")
    ] = None
    cursor: Annotated[
        Cursor | None, Field(description="The position of the page, from the `Link` header of the previous page.")
    ] = None
    changed_after: Annotated[Token | None, Field(alias="changedAfter", description=CHANGED_AFTER)] = None
    as_of: Annotated[
        Time | None,
        Field(alias="asOf", description="Returns the users as they were at this moment. Leave out `changedAfter`."),
    ] = None


class AssigneeResponse(Shape):
    """A user to assign to. `id` is the value for `assignedToId`, and `number` the user's id in the Leads API."""

    id: Wire
    number: int
    name: str
    role: Role


def shown(user_id: UUID, number: int, name: str, role: str, disabled: bool) -> dict[str, Any]:
    """A user of the list; one that is disabled is not in it any more."""
    if disabled:
        return {"id": to_wire(user_id), "removed": True}
    return {"id": to_wire(user_id), "number": number, "name": name, "role": role}


async def get_users(context: Context, paging: UserPaging) -> Response:
    """Lists the active users by name, now or at ``asOf``."""
    caller = context.caller
    state = (PATH, context.tenant_id, caller.head)
    etag = list_etag(*state, sorted(context.request.query_params.multi_items()))
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    check_past(paging.as_of, paging.changed_after)
    moment = () if paging.as_of is None else ("as of", paging.as_of)
    run = run_of(paging.changed_after, paging.cursor, (PATH, context.tenant_id.int, *moment), caller.head)

    async def page() -> bytes:
        read = by_name if run.since is None else changed
        items, following = await read(context, run, paging)
        size: dict[str, object] = {} if paging.limit is None else {"limit": paging.limit}
        links = [] if moment else [link(PATH, {**size, "changedAfter": run.token}, "delta")]
        if moment:
            size = {"asOf": context.request.query_params["asOf"], **size}
        if following is not None:
            same = {} if run.since is None else {"changedAfter": run.again}
            links.insert(0, link(PATH, {**same, **size, "cursor": run.cursor(following)}, "next"))
        return f"{', '.join(links)}\n".encode() + encoded(items)

    kept = await context.app.answers.get((*state, *moment, run.since, run.head, run.after, paging.limit), page)
    return answer_kept(kept, etag)


Part = tuple[Sequence[Mapping[str, Any]], UUID | None]
"""The items of a page, and what the next one begins behind, if there is one."""


async def by_name(context: Context, run: Run, paging: UserPaging) -> Part:
    """A page, or the whole list: a brokerage has dozens."""
    if paging.as_of is None:
        of = {"tenant": context.tenant_id}
        rows = await context.app.database.tenant_rows(context.tenant_id, users.ASSIGNABLE, of)
    else:
        then = await staff_at(context, context.tenant_id, paging.as_of)
        rows = [(user.id, user.number, user.name, user.role, user.disabled) for user in then]
    places = {row[0]: place for place, row in enumerate(rows, start=1)}
    found = [row for row in rows[places.get(run.after, 0) :] if not row[-1]]
    items = [shown(*row) for row in found[: paging.limit]]
    return items, found[len(items) - 1][0] if len(found) > len(items) else None


async def changed(context: Context, run: Run, paging: UserPaging) -> Part:
    """A page of what changed, or all of it."""
    assert run.since is not None
    reach = {"since": run.since, "after": run.after.int, "until": run.head}
    limit = ALL if paging.limit is None else paging.limit
    found = await changes(context.app.database, context.caller, users.ASSIGNABLE_CHANGED, {}, **reach, limit=limit)
    return [shown(*user) for _, *user in found.rows], UUID(int=found.until) if found.more else None


ALL = 10_000
"""Changes that one answer has at most; more follow on the next page."""

ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_users,
        "List users that can be assigned",
        query=UserPaging,
        answers=list[AssigneeResponse | RemovedResponse],
    ),
)
