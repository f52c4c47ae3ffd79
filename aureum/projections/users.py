"""The staff: who may log in, and which agents a lead can go to."""

from collections.abc import Sequence
from typing import Any

from aureum.domain.user import User

NAME = "users"

APPEND = """
WITH r AS (
    SELECT a.tenant_id, r.* FROM json_to_recordset(p_rows -> 'users') AS r (
               item integer, user_id uuid, number bigint, email text, name text, role text, password_hash text,
               takes_leads boolean, specialties text[])
      JOIN unnest(accepted) AS a ON a.item = r.item
), noticed AS (
    UPDATE heads h SET site_version = h.site_version + 1 FROM r WHERE h.tenant_id = r.tenant_id
)
INSERT INTO users (tenant_id, user_id, number, email, name, role, password_hash, takes_leads, specialties)
SELECT tenant_id, user_id, number, email, name, role, password_hash, takes_leads, specialties FROM r
"""

Row = dict[str, Any]


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a user's row. The address is folded: people do not log in by case."""
    match event:
        case User.Joined():
            return {
                "user_id": event.originator_id,
                "number": event.number,
                "email": event.email.casefold(),
                "name": event.name,
                "role": event.role,
                "password_hash": event.password_hash,
                "takes_leads": event.takes_leads,
                "specialties": event.specialties,
            }
    return row


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for a new user, none for other streams."""
    if not isinstance(new[0], User.Event):
        return []
    row = None
    for event in (*before, *new):
        row = step(row, event)
    return [] if row is None else [row]


LEAD_TAKERS = """
SELECT user_id, name, specialties FROM users
 WHERE tenant_id = %(tenant)s AND takes_leads AND NOT disabled
 ORDER BY user_id
"""

ONE = "SELECT user_id FROM users WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND NOT disabled"

OF_NUMBER = "SELECT user_id FROM users WHERE tenant_id = %(tenant)s AND number = %(number)s AND NOT disabled"
