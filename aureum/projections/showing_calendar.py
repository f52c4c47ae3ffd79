"""Showings by the time that was fixed for them, as a calendar reads them; and those for which none is fixed yet."""

BETWEEN = """
SELECT x.doc, x.stream_version
  FROM tour_list x
 WHERE x.tenant_id = %(tenant)s
   AND x.read_version = (SELECT h.tour_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND x.starts_at >= %(since)s AND x.starts_at < %(before)s
   AND (%(assigned_to)s::uuid IS NULL OR x.assigned_to = %(assigned_to)s)
   AND (%(visible_to)s::uuid IS NULL OR x.assigned_to = %(visible_to)s OR x.created_by = %(visible_to)s)
 ORDER BY x.starts_at, x.tour_id LIMIT %(limit)s
"""
"""Those that begin within a span of time, the first one first."""

UNSCHEDULED = """
SELECT l.doc, l.stream_version
  FROM unnest(ARRAY['pending', 'confirmed']) AS s (status)
 CROSS JOIN LATERAL (
           SELECT x.doc, x.stream_version, x.tour_id
             FROM tour_list x
            WHERE x.tenant_id = %(tenant)s
              AND x.read_version = (SELECT h.tour_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
              AND x.status = s.status AND x.starts_at IS NULL
              AND (%(assigned_to)s::uuid IS NULL OR x.assigned_to = %(assigned_to)s)
              AND (%(visible_to)s::uuid IS NULL OR x.assigned_to = %(visible_to)s OR x.created_by = %(visible_to)s)
            ORDER BY x.tour_id DESC LIMIT %(limit)s
      ) l
 ORDER BY l.tour_id DESC LIMIT %(limit)s
"""
"""Those that are not over and have no time yet, newest first. Status by status, so that an index knows the order."""

PLACES = """
SELECT p.doc
  FROM property_list p
 WHERE p.tenant_id = %(tenant)s AND p.property_id = ANY (%(properties)s)
   AND p.read_version = (SELECT h.property_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""
"""The properties that showings are of."""
