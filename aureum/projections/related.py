"""What belongs to a contact or property in other lists: leads, tasks and showings. Indexes that there are find it."""

from aureum.domain.routing.reasons import CLOSED

MOST = 20
"""Of each kind, the newest."""

LOOKED_THROUGH = 2_000
"""The newest leads whose pages are looked at for a listing. An index of pages would make each form cost more."""

SEEN = "(%(visible_to)s::uuid IS NULL OR x.assigned_to = %(visible_to)s OR x.created_by = %(visible_to)s)"
"""As in ``document_list``."""

LEADS_OF_CONTACT = f"""
SELECT x.doc FROM lead_list x
 WHERE x.tenant_id = %(tenant)s AND x.contact_id >= %(contact)s AND x.contact_id <= %(contact)s
   AND x.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND {SEEN}
 ORDER BY x.contact_id DESC, x.lead_id DESC LIMIT {MOST}
"""  # noqa: S608  # of constants
"""A range and this order, as in ``people``: so the index of the contact serves both."""

TASKS_OF_CONTACT = f"""
SELECT x.doc FROM task_list x
 WHERE x.tenant_id = %(tenant)s AND x.contact_id >= %(contact)s AND x.contact_id <= %(contact)s
   AND x.read_version = (SELECT h.task_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND {SEEN}
 ORDER BY x.contact_id DESC, x.task_id DESC LIMIT {MOST}
"""  # noqa: S608  # as above

SERVING = f"""
SELECT c.id, l.assigned_to, l.touched_at
  FROM unnest(%(contacts)s::uuid[]) AS c (id)
 CROSS JOIN LATERAL (
     SELECT (array_agg(n.assigned_to ORDER BY n.open DESC, n.lead_id DESC)
             FILTER (WHERE n.assigned_to IS NOT NULL))[1] AS assigned_to,
            max(n.touched_at) AS touched_at
       FROM (
           SELECT x.assigned_to, x.lead_id, x.status NOT IN ({", ".join(f"'{status}'" for status in CLOSED)}) AS open,
                  (x.doc::json ->> 'updatedAt')::timestamptz AS touched_at
             FROM lead_list x
            WHERE x.tenant_id = %(tenant)s AND x.contact_id >= c.id AND x.contact_id <= c.id
              AND x.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
              AND {SEEN}
            ORDER BY x.contact_id DESC, x.lead_id DESC LIMIT {MOST}
       ) n
 ) l
"""  # noqa: S608  # as above
"""Of each contact the agent of its newest open lead that has one, else of its newest lead; and when one of its leads
changed last."""

SHOWINGS_OF_PROPERTY = f"""
SELECT n.doc FROM (
    (SELECT x.doc, x.tour_id FROM tour_list x
      WHERE x.tenant_id = %(tenant)s AND x.listing_id = %(listing)s
        AND x.read_version = (SELECT h.tour_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
        AND (strpos(x.doc, %(named)s) > 0 OR strpos(x.doc, '"propertyId":null') > 0) AND {SEEN}
      ORDER BY x.tour_id DESC LIMIT {MOST})
    UNION ALL
    (SELECT x.doc, x.tour_id FROM tour_list x
      WHERE x.tenant_id = %(tenant)s AND x.listing_id IS NULL
        AND x.read_version = (SELECT h.tour_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
        AND strpos(x.doc, %(named)s) > 0 AND {SEEN}
      ORDER BY x.tour_id DESC LIMIT {MOST})
) n
 ORDER BY n.tour_id DESC LIMIT {MOST}
"""  # noqa: S608  # as above
"""Those of its listing id, and those that name it without one. *named* is how a document names the property."""

LEADS_OF_PAGE = f"""
SELECT n.doc FROM (
    SELECT x.doc, x.lead_id FROM lead_list x
     WHERE x.tenant_id = %(tenant)s
       AND x.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
       AND {SEEN}
     ORDER BY x.lead_id DESC LIMIT {LOOKED_THROUGH}
) n
 WHERE n.doc ~ %(page)s
 ORDER BY n.lead_id DESC LIMIT {MOST}
"""  # noqa: S608  # as above
"""Those of the newest leads that were sent from a page of the listing; *page* is the pattern of its address."""
