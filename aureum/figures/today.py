"""The statements of Today, a section each. They see one brokerage; ``owner`` is the agent whose work it is, NULL for
the whole brokerage.

A lead is unanswered while no user has been in contact with the person, by the same rule as leads are passed on
(``aureum.domain.routing.waiting``): its status is new, and no user or key has logged anything, written notes, or
completed a task about it. Those that this rule waits for have a timer, which tells when the time is over. A timer that
was taken up already is over.
"""

UNANSWERED = """
WITH live AS (
    SELECT h.tenant_id, h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s
), clocked AS (
    SELECT f.lead_id FROM timers t
      JOIN lead_facts f ON f.tenant_id = t.tenant_id AND f.lead_id = t.lead_id
     WHERE t.tenant_id = %(tenant)s AND f.status = 'new' AND f.contacted_at IS NULL AND NOT f.suspect
       AND (%(owner)s::uuid IS NULL OR f.owner = %(owner)s)
     ORDER BY t.due_at LIMIT %(limit)s
), newest AS (
    SELECT f.lead_id FROM lead_facts f
     WHERE f.tenant_id = %(tenant)s AND f.status = 'new' AND f.contacted_at IS NULL AND NOT f.suspect
       AND (%(owner)s::uuid IS NULL OR f.owner = %(owner)s)
     ORDER BY f.overdue DESC, f.created_at DESC LIMIT %(limit)s
)
SELECT l.number, l.doc, f.pond, t.due_at, f.overdue OR t.failures > 0 OR t.due_at <= clock_timestamp()
  FROM (SELECT lead_id FROM clocked UNION SELECT lead_id FROM newest) AS u
  JOIN lead_facts f ON f.tenant_id = %(tenant)s AND f.lead_id = u.lead_id
  JOIN live h ON h.tenant_id = f.tenant_id
  JOIN lead_list l ON l.tenant_id = f.tenant_id AND l.read_version = h.lead_list_version AND l.lead_id = f.lead_id
  LEFT JOIN timers t ON t.tenant_id = f.tenant_id AND t.lead_id = f.lead_id
 ORDER BY f.overdue DESC, t.due_at NULLS LAST, f.created_at DESC
 LIMIT %(limit)s
"""
"""First those that are overdue, then those whose time runs, then the newest."""

POND = """
SELECT l.number, l.doc, true, t.due_at, coalesce(t.failures > 0 OR t.due_at <= clock_timestamp(), false)
  FROM lead_facts f
  JOIN heads h ON h.tenant_id = f.tenant_id
  JOIN lead_list l ON l.tenant_id = f.tenant_id AND l.read_version = h.lead_list_version AND l.lead_id = f.lead_id
  LEFT JOIN timers t ON t.tenant_id = f.tenant_id AND t.lead_id = f.lead_id
 WHERE f.tenant_id = %(tenant)s AND f.pond
 ORDER BY f.lead_id DESC LIMIT %(few)s
"""

COUNTS = """
SELECT (SELECT count(*) FROM lead_facts f
         WHERE f.tenant_id = %(tenant)s AND f.status = 'new' AND f.contacted_at IS NULL AND NOT f.suspect
           AND (%(owner)s::uuid IS NULL OR f.owner = %(owner)s)),
       (SELECT count(*) FROM lead_facts f WHERE f.tenant_id = %(tenant)s AND f.pond),
       (SELECT count(*) FROM agenda a
         WHERE a.tenant_id = %(tenant)s AND a.kind = 'task' AND a.at < clock_timestamp()
           AND (%(owner)s::uuid IS NULL OR a.owner = %(owner)s)),
       (SELECT count(*) FROM agenda a
         WHERE a.tenant_id = %(tenant)s AND a.kind = 'task' AND a.at >= clock_timestamp() AND a.at < %(tomorrow)s
           AND (%(owner)s::uuid IS NULL OR a.owner = %(owner)s))
"""

TASKS = """
SELECT t.doc, a.at < clock_timestamp()
  FROM agenda a
  JOIN heads h ON h.tenant_id = a.tenant_id
  JOIN task_list t ON t.tenant_id = a.tenant_id AND t.read_version = h.task_list_version AND t.task_id = a.id
 WHERE a.tenant_id = %(tenant)s AND a.kind = 'task' AND a.at < %(tomorrow)s
   AND (%(owner)s::uuid IS NULL OR a.owner = %(owner)s)
 ORDER BY a.at LIMIT %(limit)s
"""

SHOWINGS = """
SELECT t.doc, count(*) OVER ()
  FROM agenda a
  JOIN heads h ON h.tenant_id = a.tenant_id
  JOIN tour_list t ON t.tenant_id = a.tenant_id AND t.read_version = h.tour_list_version AND t.tour_id = a.id
 WHERE a.tenant_id = %(tenant)s AND a.kind = 'showing'
   AND (a.at >= %(today)s AND a.at < %(tomorrow)s OR a.day = %(day)s)
   AND (%(owner)s::uuid IS NULL OR a.owner = %(owner)s)
 ORDER BY a.at NULLS LAST, a.id LIMIT %(limit)s
"""

MESSAGES = """
SELECT c.doc, x.doc, count(*) OVER ()
  FROM conversation_list x
  JOIN heads h ON h.tenant_id = x.tenant_id AND h.conversation_list_version = x.read_version
  JOIN contact_list y ON y.tenant_id = x.tenant_id AND y.read_version = h.contact_list_version
                     AND y.contact_id = x.contact_id
  JOIN contact_list c ON c.tenant_id = x.tenant_id AND c.read_version = h.contact_list_version
                     AND c.contact_id = coalesce(y.merged_into, y.contact_id)
 WHERE x.tenant_id = %(tenant)s AND x.unread
   AND (%(owner)s::uuid IS NULL OR EXISTS (
           SELECT FROM lead_list l
            WHERE l.tenant_id = x.tenant_id AND l.read_version = h.lead_list_version
              AND l.contact_id = c.contact_id AND l.assigned_to = %(owner)s
       ))
 ORDER BY x.updated_at DESC LIMIT %(limit)s
"""
"""Conversations with messages that staff have not read; an agent's are those with the contacts of the agent's leads."""

AGENTS = """
SELECT u.number, u.user_id, u.name, coalesce(l.unanswered, 0), coalesce(t.overdue, 0), coalesce(s.showings, 0)
  FROM users u
  LEFT JOIN (
           SELECT f.assigned_to, count(*) AS unanswered FROM lead_facts f
            WHERE f.tenant_id = %(tenant)s AND f.status = 'new' AND f.contacted_at IS NULL AND NOT f.suspect
            GROUP BY 1
       ) AS l ON l.assigned_to = u.user_id
  LEFT JOIN (
           SELECT a.owner, count(*) AS overdue FROM agenda a
            WHERE a.tenant_id = %(tenant)s AND a.kind = 'task' AND a.at < clock_timestamp() GROUP BY 1
       ) AS t ON t.owner = u.user_id
  LEFT JOIN (
           SELECT a.assigned_to, count(*) AS showings FROM agenda a
            WHERE a.tenant_id = %(tenant)s AND a.kind = 'showing'
              AND (a.at >= %(today)s AND a.at < %(tomorrow)s OR a.day = %(day)s)
            GROUP BY 1
       ) AS s ON s.assigned_to = u.user_id
 WHERE u.tenant_id = %(tenant)s AND NOT u.disabled
   AND (u.role = 'agent' OR l.unanswered > 0 OR t.overdue > 0 OR s.showings > 0)
 ORDER BY 4 DESC, 5 DESC, u.name
 LIMIT %(agents)s
"""

USERS = """
SELECT u.user_id, u.name FROM users u WHERE u.tenant_id = %(tenant)s AND NOT u.disabled ORDER BY u.name LIMIT %(users)s
"""
"""To whom something can be assigned."""

CHANGES = """
WITH touched AS MATERIALIZED (
    SELECT l.lead_id FROM lead_list l
      JOIN heads h ON h.tenant_id = l.tenant_id AND h.lead_list_version = l.read_version
     WHERE l.tenant_id = %(tenant)s AND l.updated_at >= %(since)s
       AND (%(owner)s::uuid IS NULL OR l.assigned_to = %(owner)s OR l.created_by = %(owner)s)
     ORDER BY l.updated_at DESC LIMIT %(touched)s
)
SELECT CASE e.type WHEN 'lead.captured' THEN 'lead' WHEN 'lead.status_changed' THEN 'status' ELSE 'activity' END,
       CASE WHEN e.type = 'lead.status_changed' THEN convert_from(e.data, 'UTF8')::json ->> 'status'
            WHEN e.type = 'lead.activity_logged' THEN convert_from(e.data, 'UTF8')::json ->> 'type'
            ELSE '' END,
       count(*)
  FROM touched t
  JOIN events e ON e.tenant_id = %(tenant)s AND e.stream_id = t.lead_id
 WHERE e.recorded_at >= %(since)s AND e.type IN ('lead.captured', 'lead.status_changed', 'lead.activity_logged')
 GROUP BY 1, 2
"""
"""Of so many leads at most that changed since."""

REQUESTED = """
SELECT count(*) FROM tour_list t
  JOIN heads h ON h.tenant_id = t.tenant_id AND h.tour_list_version = t.read_version
 WHERE t.tenant_id = %(tenant)s AND t.tour_id >= %(first)s
   AND (%(owner)s::uuid IS NULL OR t.assigned_to = %(owner)s OR t.created_by = %(owner)s)
"""
"""Showings that were requested since; ids sort by time."""

PEOPLE = """
SELECT l.lead_id, l.doc::json ->> 'name', l.doc::json ->> 'phone'
  FROM lead_list l
  JOIN heads h ON h.tenant_id = l.tenant_id AND h.lead_list_version = l.read_version
 WHERE l.tenant_id = %(tenant)s AND l.lead_id = ANY (%(leads)s)
"""
"""Of the leads that tasks are about."""

CLOCK = """
SELECT b.time_zone, clock_timestamp(), (
           SELECT u.hours FROM users u WHERE u.tenant_id = b.tenant_id AND u.user_id = %(owner)s
       )
  FROM brokerages b WHERE b.tenant_id = %(tenant)s
"""
"""The brokerage's zone, the time, and the agent's hours."""
