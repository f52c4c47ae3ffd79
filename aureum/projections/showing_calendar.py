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
  FROM (
      (SELECT x.doc, x.stream_version, x.tour_id
         FROM (
             SELECT y.doc, y.stream_version, y.tour_id, y.starts_at
               FROM tour_list y
              WHERE y.tenant_id = %(tenant)s
                AND y.read_version = (SELECT h.tour_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
                AND y.status = 'pending'
                AND (%(assigned_to)s::uuid IS NULL OR y.assigned_to = %(assigned_to)s)
                AND (%(visible_to)s::uuid IS NULL OR y.assigned_to = %(visible_to)s OR y.created_by = %(visible_to)s)
              ORDER BY y.tour_id DESC LIMIT 2000
         ) x
        WHERE x.starts_at IS NULL
        ORDER BY x.tour_id DESC LIMIT %(limit)s)
      UNION ALL
      (SELECT x.doc, x.stream_version, x.tour_id
         FROM tour_list x
        WHERE x.tenant_id = %(tenant)s
          AND x.read_version = (SELECT h.tour_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
          AND x.status = 'confirmed' AND x.starts_at IS NULL
          AND (%(assigned_to)s::uuid IS NULL OR x.assigned_to = %(assigned_to)s)
          AND (%(visible_to)s::uuid IS NULL OR x.assigned_to = %(visible_to)s OR x.created_by = %(visible_to)s)
        ORDER BY x.tour_id DESC LIMIT %(limit)s)
  ) l
 ORDER BY l.tour_id DESC LIMIT %(limit)s
"""
"""Those that are not over and have no time yet, newest first: of the newest pending ones, which an index on the time
would make dearer for every form, and of all confirmed ones."""

PLACES = """
SELECT p.doc
  FROM property_list p
 WHERE p.tenant_id = %(tenant)s AND p.property_id = ANY (%(properties)s)
   AND p.read_version = (SELECT h.property_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""
"""The properties that showings are of."""
