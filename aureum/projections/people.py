"""The sender of a form, as far as the brokerage knows: the contact with the same address and name, the person's leads
and tours, and the agent who serves them (``aureum.domain.people``).

An append from a form asks this under the lock of the brokerage's log. So two forms that a new client sends at the same
moment go to one agent, whichever processes take them; and a form of a stranger costs the same round trip, and asks the
same, as one of a client.

What is known replaces texts of the event and of the rows of read models. A text that stands in a document within a row
has the placeholder of the turn in it: nothing that a visitor types can look like it.
"""

from aureum.domain.routing.reasons import CLOSED

MOST = 10
"""How many of a person's newest leads, and newest tours, are looked at, so that no number of forms makes the next one
slow."""

LEADS = """
                  SELECT l.lead_id, l.assigned_to, l.status NOT IN ({closed}) AS open, l.doc
                    FROM lead_list l
                   WHERE l.tenant_id = h.tenant_id AND l.read_version = h.lead_list_version
                     AND l.{by} >= {value} AND l.{by} <= {value}
                     AND EXISTS (
                             SELECT FROM subject_keys k WHERE k.tenant_id = l.tenant_id AND k.subject_id = l.lead_id
                         )
                   ORDER BY l.{by} DESC, l.lead_id DESC LIMIT {most}"""
"""A range and this order, though it is one value: an index that begins with it serves both. By an equality the planner
may take the primary key for the order, and read all leads of the brokerage for those of one person."""

TOURS = """
      SELECT a.assigned_to, a.doc FROM (
                  SELECT t.tour_id, t.assigned_to, t.status NOT IN ('completed', 'cancelled') AS open, t.doc
                    FROM tour_list t
                   WHERE n.assigned_to IS NULL
                     AND t.tenant_id = h.tenant_id AND t.read_version = h.tour_list_version
                     AND t.person >= {person} AND t.person <= {person}
                     AND EXISTS (
                             SELECT FROM subject_keys k WHERE k.tenant_id = t.tenant_id AND k.subject_id = t.tour_id
                         )
                   ORDER BY t.person DESC, t.tour_id DESC LIMIT {most}
             ) a
       WHERE a.assigned_to IS NOT NULL ORDER BY a.open DESC, a.tour_id DESC LIMIT 1"""

KNOWN = """
SELECT c.contact_id, coalesce(c.doc::json ->> 'mergedInto', c.doc::json ->> 'id') AS contact,
       n.lead_id, n.lead_doc::json ->> 'id' AS lead,
       u.user_id AS agent, coalesce(n.agent_doc, v.doc)::json ->> 'assignedToId' AS shown,
       CASE WHEN u.user_id IS NULL THEN NULL
            WHEN u.disabled THEN 'disabled'
            WHEN NOT u.takes_leads THEN 'takes_no_leads'
            WHEN (u.away_from IS NOT NULL OR u.away_to IS NOT NULL)
             AND coalesce(u.away_from <= {at}, true) AND coalesce(u.away_to > {at}, true) THEN 'away'
            WHEN c.contact_id IS NOT NULL THEN 'contact'
            ELSE 'lead'
       END AS known,
       CASE WHEN c.contact_id IS NULL AND n.assigned_to IS NULL THEN 'showing' END AS said_by
  FROM heads h
  LEFT JOIN LATERAL (
      SELECT coalesce(x.merged_into, x.contact_id) AS contact_id, x.doc FROM contact_list x
       WHERE x.tenant_id = h.tenant_id AND x.read_version = h.contact_list_version
         AND x.person >= {person} AND x.person <= {person}
         AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = x.tenant_id AND k.subject_id = x.contact_id)
       ORDER BY x.person, x.contact_id LIMIT 1
  ) c ON true
  LEFT JOIN LATERAL (
      WITH asked AS MATERIALIZED (
              ({by_person}
              ) UNION ALL ({by_contact}
              )
      )
      SELECT o.lead_id, o.doc AS lead_doc, s.assigned_to, s.doc AS agent_doc
        FROM (VALUES (1)) AS once
        LEFT JOIN (
            SELECT * FROM asked a WHERE a.open ORDER BY a.assigned_to IS NULL, a.lead_id DESC LIMIT 1
        ) o ON true
        LEFT JOIN (
            SELECT * FROM asked a WHERE a.assigned_to IS NOT NULL ORDER BY a.open DESC, a.lead_id DESC LIMIT 1
        ) s ON true
  ) n ON true
  LEFT JOIN LATERAL ({tours}
  ) v ON true
  LEFT JOIN LATERAL (
      SELECT a.user_id, a.disabled, a.takes_leads, a.away_from, a.away_to FROM users a
       WHERE a.tenant_id = h.tenant_id
         AND a.user_id = CASE WHEN n.assigned_to IS NULL THEN v.assigned_to ELSE n.assigned_to END
       LIMIT 1
  ) u ON true
 WHERE h.tenant_id = {tenant}
"""
"""Of several contacts the one that the brokerage has had longest, and in the place of one that was merged into another
contact, that one. Of several leads the newest open one that an agent has; else the newest that an agent has had. Where
no lead has an agent, tours count in the same way, and ``said_by`` says so. Suspects are not among them: their rows say
no person. The persons of rows whose key is gone were erased."""

IN_TEXTS = """
SELECT CASE WHEN w.known IN ('contact', 'lead') THEN w.agent END AS one, w.shown,
       CASE WHEN coalesce(w.known, w.contact, w.lead) IS NOT NULL THEN ARRAY[
           '"known":null', s.said,
           '\\"routed_to\\":\\"' || t.placeholder || '\\",\\"routing\\":{\\"known\\":null',
           '\\"routed_to\\":\\"' || t.placeholder || '\\",\\"routing\\":{' || replace(s.said, '"', '\\"'),
           '"contact_id":null', '"contact_id":"' || w.contact_id || '"',
           '\\"assignedToId\\":\\"' || t.placeholder_shown || '\\",\\"contactId\\":null',
           '\\"assignedToId\\":\\"' || t.placeholder_shown || '\\",\\"contactId\\":\\"' || w.contact || '\\"',
           '"lead_id":null', '"lead_id":"' || w.lead_id || '"',
           '\\"assignedToId\\":\\"' || t.placeholder_shown || '\\",\\"status\\":',
           '\\"assignedToId\\":\\"' || t.placeholder_shown || '\\",\\"leadId\\":\\"' || w.lead || '\\",\\"status\\":'
       ] END AS replaced
  FROM ({known}) w
 CROSS JOIN LATERAL (
           SELECT '"known":"' || w.known || '"' || CASE WHEN w.known = 'lead' AND w.said_by IS NOT NULL
                                                        THEN ',"by":"' || w.said_by || '"' ELSE '' END AS said
       ) s
"""
"""The second look of ``append_events``, at a person who is known: the agent of the lead or tour, how read models show
the agent, and by turns the texts that are replaced and their replacements. A lead has no other lead in it, and a tour
no contact. ``t`` is the append's turn."""

IS_KNOWN = """
              SELECT EXISTS (
                         SELECT FROM contact_list x
                          WHERE x.tenant_id = h.tenant_id AND x.read_version = h.contact_list_version
                            AND x.person >= {person} AND x.person <= {person}
                     ) OR EXISTS (
                         SELECT FROM lead_list x
                          WHERE x.tenant_id = h.tenant_id AND x.read_version = h.lead_list_version
                            AND x.person >= {person} AND x.person <= {person}
                     ) OR EXISTS (
                         SELECT FROM tour_list x
                          WHERE x.tenant_id = h.tenant_id AND x.read_version = h.tour_list_version
                            AND x.person >= {person} AND x.person <= {person}
                     ) AS known
                FROM heads h WHERE h.tenant_id = {tenant}"""
"""The first look at every person, in the statement that reads all else that decides. Most are strangers, who need no
second look. A range as in ``LEADS``."""


def known(tenant: str, person: str, at: str) -> str:
    """``KNOWN`` with these terms of SQL."""
    statement = KNOWN
    for place, text in {
        "{by_person}": LEADS.replace("{by}", "person").replace("{value}", "{person}"),
        "{by_contact}": LEADS.replace("{by}", "contact_id").replace("{value}", "c.contact_id"),
        "{tours}": TOURS,
        "{closed}": ", ".join(f"'{status}'" for status in CLOSED),
        "{most}": str(MOST),
        "{tenant}": tenant,
        "{person}": person,
        "{at}": at,
    }.items():
        statement = statement.replace(place, text)
    return statement.strip()


IN_APPEND = IN_TEXTS.replace("{known}", known("tenant", "asker", "moment")).strip()

KNOWN_IN_APPEND = IS_KNOWN.replace("{tenant}", "i.tenant_id").replace("{person}", "own.prior").strip("\n")

LOOKED_UP = f"""
SELECT p.person, w.contact_id, w.agent, w.known, w.said_by
  FROM unnest(%(persons)s::uuid[]) AS p (person)
 CROSS JOIN LATERAL (
{known("%(tenant)s", "p.person", "now()")}
 ) w
 WHERE coalesce(w.known, w.contact::text) IS NOT NULL
"""  # noqa: S608  # of constants
"""Several persons beforehand; those whom the brokerage knows."""
