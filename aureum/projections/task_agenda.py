"""Open tasks by when they are due, as a user works through them; and the names of what they are about."""

GROUPS = ("overdue", "today", "week", "later", "undated")
"""In the order of work."""

DATED = """
SELECT g.name, l.doc, l.stream_version, l.due_at, l.task_id
  FROM unnest(%(groups)s::text[], %(since)s::timestamptz[], %(before)s::timestamptz[]) AS g (name, since, before)
 CROSS JOIN LATERAL (
           SELECT x.doc, x.stream_version, x.due_at, x.task_id
             FROM task_list x
            WHERE x.tenant_id = %(tenant)s
              AND x.read_version = (SELECT h.task_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
              AND x.status <> 'completed' AND x.due_at >= g.since AND x.due_at < g.before
              AND (x.due_at >= %(now)s OR x.due_at = %(today)s) = (g.name <> 'overdue')
              AND (x.due_at, x.task_id) > (%(after_due)s::timestamptz, %(after_id)s::uuid){whose}
            ORDER BY x.due_at, x.task_id LIMIT %(limit)s
      ) l
 ORDER BY l.due_at, l.task_id
"""
"""Those with a date, group by group, the earliest first. A task that is due on a day without a time is due at its
midnight, and is not overdue before the day is over."""

UNDATED = """
SELECT 'undated', x.doc, x.stream_version, x.due_at, x.task_id
  FROM task_list x
 WHERE x.tenant_id = %(tenant)s
   AND x.read_version = (SELECT h.task_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND x.status <> 'completed' AND x.due_at IS NULL AND x.task_id > %(after_id)s{whose}
 ORDER BY x.task_id LIMIT %(limit)s
"""
"""Those without a date, the oldest first."""

OF_USER = """
              AND x.assigned_to = %(assigned_to)s"""

SEEN = """
              AND (x.assigned_to = %(visible_to)s OR x.created_by = %(visible_to)s)"""
"""As in ``document_list``."""

NAMES = """
SELECT l.lead_id, l.doc::json ->> 'name'
  FROM lead_list l
 WHERE l.tenant_id = %(tenant)s AND l.lead_id = ANY (%(ids)s)
   AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND (%(visible_to)s::uuid IS NULL OR l.assigned_to = %(visible_to)s OR l.created_by = %(visible_to)s)
UNION ALL
SELECT c.contact_id, concat_ws(' ', c.doc::json ->> 'firstName', c.doc::json ->> 'lastName')
  FROM contact_list c
 WHERE c.tenant_id = %(tenant)s AND c.contact_id = ANY (%(ids)s)
   AND c.read_version = (SELECT h.contact_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
UNION ALL
SELECT p.property_id, p.doc::json ->> 'address'
  FROM property_list p
 WHERE p.tenant_id = %(tenant)s AND p.property_id = ANY (%(ids)s)
   AND p.read_version = (SELECT h.property_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""
"""What leads, contacts and properties are called. An agent is told the names of leads that the agent may see."""


def agenda(query: str, *, assigned: bool, seen: bool) -> str:
    """*query* for the tasks of one user, of those that an agent sees, or of all. Each has a text of its own, and so a
    plan of its own: other indexes find them."""
    return query.replace("{whose}", (OF_USER if assigned else "") + (SEEN if seen else ""))
