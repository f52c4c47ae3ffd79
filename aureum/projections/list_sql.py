"""The SQL that a list's declaration is turned into when a database is brought up to date: its table, its indexes, and
the functions that read its pages. Why those are functions: docs/decisions/hot-reads.md."""

from aureum.projections.document_list import DocumentList, View
from aureum.projections.list_filters import Index

UNSEARCHED = Index("{id}", "unsearched", called="unsearched")
"""Rows that changed since they were copied for searching."""

TABLE = """
CREATE TABLE {table} (
    tenant_id uuid NOT NULL,
    read_version integer NOT NULL,
{defined},
    PRIMARY KEY (tenant_id, read_version, {id})
) WITH (fillfactor = 85)
"""

PAGE = """
-- Which index serves a page depends on the filters that are given: so it is planned for them each time. A plan for all
-- cases would read all of a brokerage to find the few that are rare, and even to find the newest, since it expects the
-- filters to leave next to nothing.
CREATE OR REPLACE FUNCTION {view}_page(
    p_tenant uuid, {parameters}, p_before uuid, p_limit integer
) RETURNS TABLE (docs text, last_id uuid, found bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $function$
BEGIN
    RETURN QUERY
    SELECT array_to_string((array_agg(l.doc))[1:p_limit], ','), (array_agg(l.id))[least(count(*), p_limit)], count(*)
      FROM (
          SELECT {doc} AS doc, x.{id} AS id FROM {table} x
           WHERE x.tenant_id = p_tenant AND x.{id} < p_before
             AND x.read_version = (SELECT h.{table}_version FROM heads h WHERE h.tenant_id = p_tenant)
             {standing}{conditions}
           ORDER BY x.{id} DESC LIMIT p_limit + 1
      ) l;
END
$function$;
"""
"""It reads the version that is live in its own snapshot, not one that a gate told some time before: so the rows of an
old version may go as soon as it is old. ``found`` counts one more than the limit if another page follows."""

CONDITION = """
             AND (p_{name} IS NULL OR {holds})"""

PLACED = """
                 AND ({place} IS NULL OR {holds})"""

PAGES = """
-- Pages without filters of all the requests that wait at the same moment: each is one tenant's, from before an id on.
-- One plan serves them all, an index from its end.
CREATE OR REPLACE FUNCTION {view}_pages(p_tenant uuid[], p_before uuid[], p_limit integer[])
RETURNS TABLE (ord bigint, docs text, last_id uuid, found bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off AS $function$
BEGIN
    RETURN QUERY
    SELECT a.ord, p.docs, p.last_id, p.found
      FROM unnest(p_tenant) WITH ORDINALITY AS a (tenant_id, ord)
      LEFT JOIN heads h ON h.tenant_id = a.tenant_id
     CROSS JOIN LATERAL (
          SELECT array_to_string((array_agg(l.doc))[1:p_limit[a.ord]], ',') AS docs,
                 (array_agg(l.id))[least(count(*), p_limit[a.ord])] AS last_id, count(*) AS found
            FROM (
                SELECT {doc} AS doc, x.{id} AS id FROM {table} x
                 WHERE x.tenant_id = a.tenant_id AND x.read_version = h.{table}_version AND x.{id} < p_before[a.ord]
                 {standing}
                 ORDER BY x.{id} DESC LIMIT p_limit[a.ord] + 1
            ) l
     ) p;
END
$function$;
"""


SEARCH = """
-- What is frequent is soon found among the newest. What is rare the index finds; it knows no order, so all that it
-- finds is asked for.
CREATE OR REPLACE FUNCTION {view}_search(
    p_tenant uuid, p_words text, {parameters}, p_before uuid, p_limit integer
) RETURNS TABLE (docs text, last_id uuid, many bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $function$
DECLARE
    live integer;
    ids uuid[];
BEGIN
    SELECT h.{table}_version INTO live FROM heads h WHERE h.tenant_id = p_tenant;
    EXECUTE $query$
        SELECT array_to_string((array_agg(l.doc))[1:$1], ','), (array_agg(l.id))[least(count(*), $1)], count(*)
          FROM (
              SELECT {doc} AS doc, x.{id} AS id
                FROM (
                    SELECT * FROM {table} y
                     WHERE y.tenant_id = $2 AND y.read_version = $3 AND y.{id} < $4
                     ORDER BY y.{id} DESC LIMIT 12 * $1
                ) x
               WHERE true {standing}{placed}$query$ || search_condition(p_words, 'x.search') || $query$
               ORDER BY x.{id} DESC LIMIT $1 + 1
          ) l $query$
       INTO docs, last_id, many USING p_limit, p_tenant, live, p_before{values};
    IF many > p_limit THEN
        RETURN NEXT;
        RETURN;
    END IF;
    ids := search_ids('{table}', '{id}', p_tenant, p_words);
    RETURN QUERY
    SELECT array_to_string((array_agg(l.doc))[1:p_limit], ','), (array_agg(l.id))[least(count(*), p_limit)], count(*)
      FROM (
          SELECT {doc} AS doc, x.{id} AS id
            FROM (SELECT f.id FROM unnest(ids) AS f (id) WHERE f.id < p_before) f
           CROSS JOIN LATERAL (
               SELECT * FROM {table} y
                WHERE y.tenant_id = p_tenant AND y.read_version = live AND y.{id} = f.id OFFSET 0
           ) x
           WHERE true {standing}{conditions}
           ORDER BY f.id DESC LIMIT p_limit + 1
      ) l;
END
$function$;
"""


def table(model: DocumentList) -> str:
    """The statement that makes the table."""
    required = (model.id, "stream_version", "updated_at", *model.docs)
    defined = [f"    {column}{' NOT NULL' if name in required else ''}" for name, column in columns(model).items()]
    return model.statement(TABLE).replace("{defined}", ",\n".join(defined))


def columns(model: DocumentList) -> dict[str, str]:
    """By name, each column behind tenant and version as it is defined. Columns that the declaration no longer has stay
    in the database: an older program may still write them."""
    defined = {name: f"{name} {kind}" for name, kind in model.columns.items()}
    return defined | ({"unsearched": "unsearched boolean NOT NULL DEFAULT false"} if model.searched else {})


def indexes(model: DocumentList) -> dict[str, str]:
    """By its name, what stands behind ``ON`` to make each index that the filters declare."""
    declared = [index for view in model.views for one in view.filters for index in one.indexes]
    declared += model.indexes
    if model.searched:
        declared.append(UNSEARCHED)
    return {
        f"{model.table}_{index.name}": model.statement(
            f"{{table}} USING {index.method} (tenant_id, read_version, {index.columns})"
            + (f" WHERE {index.where}" if index.where else "")
        )
        for index in declared
    }


def functions(model: DocumentList) -> str:
    """The functions that read pages."""
    return "".join(page(model, view) for view in model.views)


def parameters(view: View) -> list[str]:
    """The filters of a view as parameters of a function."""
    return [f"p_{one.name} {one.kind}" for one in view.filters]


def conditions(view: View) -> list[str]:
    """What they ask of rows ``x``, each beginning with AND."""
    return [
        CONDITION.replace("{name}", one.name).replace("{holds}", one.holds).replace("{value}", f"p_{one.name}")
        for one in view.filters
    ]


def page(model: DocumentList, view: View) -> str:
    """Those of one view."""
    placed = [
        PLACED.replace("{place}", f"${place}").replace("{holds}", one.holds).replace("{value}", f"${place}")
        for place, one in enumerate(view.filters, 5)
    ]
    text = PAGE + PAGES + (SEARCH if model.searched else "")
    for place, name in {
        "{view}": view.name,
        "{parameters}": ", ".join(parameters(view)),
        "{doc}": view.doc,
        "{conditions}": "".join(conditions(view)),
        "{placed}": "".join(placed),
        "{standing}": "" if view.standing is None else f"AND {view.standing.holds}",
        "{values}": "".join(f", p_{one.name}" for one in view.filters),
    }.items():
        text = text.replace(place, name)
    return model.statement(text)
