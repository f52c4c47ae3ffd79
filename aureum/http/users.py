"""``GET /api/users``: who of the brokerage a lead, task or showing can be assigned to."""

from starlette.responses import Response

from aureum.domain.ids import to_wire
from aureum.http.answers import answer, encoded, list_etag, not_modified
from aureum.http.endpoint import Asked, Endpoint
from aureum.http.roles import Role
from aureum.http.shapes import Shape, Wire
from aureum.projections import users

PATH = "/api/users"


class ShownAssignee(Shape):
    """A user that can be assigned: `id` goes into `assignedToId`, `number` is the same user in the Leads API."""

    id: Wire
    number: int
    name: str
    role: Role


async def get_users(asked: Asked) -> Response:
    """Lists all users by name, in one piece, without those that are disabled."""
    state = (PATH, asked.tenant_id, asked.about.head)
    etag = list_etag(*state)
    unchanged = not_modified(asked.request, etag)
    if unchanged is not None:
        return unchanged

    async def listed() -> bytes:
        rows = await asked.app.database.tenant_rows(asked.tenant_id, users.ASSIGNABLE, {"tenant": asked.tenant_id})
        return encoded(
            [
                {"id": to_wire(user_id), "number": number, "name": name, "role": role}
                for user_id, number, name, role in rows
            ]
        )

    return answer(await asked.app.answers.get(state, listed), headers={"ETag": etag})


ENDPOINTS = (Endpoint("GET", PATH, get_users, "List users that can be assigned", answers=list[ShownAssignee]),)
