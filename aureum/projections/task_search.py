"""Tasks by words of their title. Their rows keep no text for a search, so the newest are looked at themselves."""

MOST = 5_000
"""How many tasks a search looks at, the newest of those that the caller may see."""

FOUND = """
SELECT t.doc
  FROM (
           SELECT x.task_id, x.doc, x.doc::json ->> 'title' AS title
             FROM task_list x
            WHERE x.tenant_id = %(tenant)s
              AND x.read_version = (SELECT h.task_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
              AND (%(visible_to)s::uuid IS NULL OR x.assigned_to = %(visible_to)s OR x.created_by = %(visible_to)s)
            ORDER BY x.task_id DESC LIMIT %(most)s
       ) t
 WHERE NOT EXISTS (SELECT FROM unnest(%(words)s::text[]) AS w WHERE strpos(lower(t.title), lower(w)) = 0)
 ORDER BY t.task_id DESC LIMIT %(limit)s
"""
"""Those whose title has all words, newest first."""
