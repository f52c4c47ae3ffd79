"""The statements of the reports: leads that came in a period, and in the one before it. Each reads an index once. Those
of a whole brokerage are added up by days instead (``aureum.figures.days``).

Leads count by when they were created. Those that are suspected of being spam do not count, as in the lead count. The
status and the agent are those of now. How far a lead came is the furthest that it ever was.
"""

MEMORY = "SELECT set_config('work_mem', '32MB', true)"
"""For the transaction: what is counted fits into memory, so that no leads are sorted on the disk."""

STAFF = "coalesce(f.source_domain, '') = 'admin-manual'"
SECONDS = "extract(epoch FROM f.contacted_at - f.created_at)::float8"

FIGURES = """count(f.contacted_at) AS answered,
           count(*) FILTER (WHERE f.reached >= 1) AS contacted, count(*) FILTER (WHERE f.reached >= 2) AS qualified,
           count(*) FILTER (WHERE f.reached >= 3) AS showing, count(*) FILTER (WHERE f.reached >= 4) AS offer,
           count(*) FILTER (WHERE f.reached >= 5) AS converted,
           count(*) FILTER (WHERE f.status = 'lost') AS lost,
           count(*) FILTER (WHERE f.status = 'new' AND f.contacted_at IS NULL) AS unanswered"""

SUMS = """
SELECT grouping(p.bucket, p.source, p.status, p.assigned_to, p.staff)::integer,
       p.bucket > 0, p.bucket, p.source, p.status, p.assigned_to, p.staff, sum(p.leads)::bigint,
       sum(p.answered)::bigint, sum(p.contacted)::bigint, sum(p.qualified)::bigint, sum(p.showing)::bigint,
       sum(p.offer)::bigint, sum(p.converted)::bigint, sum(p.lost)::bigint, sum(p.unanswered)::bigint
  FROM parts p
 GROUP BY p.bucket > 0, GROUPING SETS ((), (p.staff), (p.assigned_to), (p.source, p.status), (p.bucket, p.source),
                                       (p.bucket, p.status))
"""

COUNTS = f"""
WITH parts AS MATERIALIZED (
    SELECT width_bucket(f.created_at, %(bounds)s::timestamptz[]) AS bucket, f.source, f.status, f.assigned_to,
           {STAFF} AS staff, count(*) AS leads, {FIGURES}
      FROM lead_facts f
     WHERE f.tenant_id = %(tenant)s AND f.created_at >= %(before)s AND f.created_at < %(ends)s
       AND NOT f.suspect
       AND (%(owner)s::uuid IS NULL OR f.assigned_to = %(owner)s OR f.created_by = %(owner)s)
     GROUP BY 1, 2, 3, 4, 5
){SUMS}"""  # noqa: S608  # of constants
"""The first column tells by what a row is grouped. Bucket 0 is the period before."""

TOTAL, BY_STAFF, BY_AGENT, BY_SOURCE, BY_DAY_AND_SOURCE, BY_DAY_AND_STATUS = 31, 30, 29, 19, 7, 11
"""A bit for each column that a row is not grouped by: bucket 16, source 8, status 4, agent 2, staff 1."""

TIMES = f"""
SELECT grouping(f.assigned_to, f.staff)::integer, f.current, f.assigned_to, f.staff,
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY f.seconds)
  FROM (
           SELECT f.created_at >= %(begins)s AS current, f.assigned_to,
                  {STAFF} AS staff,
                  {SECONDS} AS seconds
             FROM lead_facts f
            WHERE f.tenant_id = %(tenant)s AND f.created_at >= %(before)s AND f.created_at < %(ends)s
              AND NOT f.suspect AND f.contacted_at IS NOT NULL
              AND (%(owner)s::uuid IS NULL OR f.assigned_to = %(owner)s OR f.created_by = %(owner)s)
       ) AS f
 GROUP BY f.current, GROUPING SETS ((), (f.assigned_to), (f.staff))
"""  # noqa: S608  # of constants
"""The time from a lead's creation to the first contact: the median, and what nine of ten were below."""

TIMES_TOTAL, TIMES_BY_AGENT, TIMES_BY_STAFF = 3, 1, 2
"""A bit for each column that a row is not grouped by: agent 2, staff 1."""

NAMES = "SELECT u.user_id, u.number, u.name FROM users u WHERE u.tenant_id = %(tenant)s"
