-- Pages of lists without filters, which are what is asked most, of all the requests that wait at the same moment: each is
-- one tenant's, from before an id on, so many. As in hot_reads.sql they read the live version; 'found' counts one more
-- than the limit if another page follows. Without filters one plan serves all of them: an index from its end.

CREATE OR REPLACE FUNCTION lead_pages(p_tenant uuid[], p_before uuid[], p_limit integer[])
RETURNS TABLE (ord bigint, docs text, last_id uuid, found bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $function$
BEGIN
    RETURN QUERY
    SELECT a.ord, p.docs, p.last_id, p.found
      FROM unnest(p_tenant) WITH ORDINALITY AS a (tenant_id, ord)
      LEFT JOIN heads h ON h.tenant_id = a.tenant_id
     CROSS JOIN LATERAL (
          SELECT array_to_string((array_agg(l.doc))[1:p_limit[a.ord]], ',') AS docs,
                 (array_agg(l.lead_id))[least(count(*), p_limit[a.ord])] AS last_id, count(*) AS found
            FROM (
                SELECT x.doc, x.lead_id FROM lead_list x
                 WHERE x.tenant_id = a.tenant_id AND x.read_version = h.lead_list_version AND x.lead_id < p_before[a.ord]
                 ORDER BY x.lead_id DESC LIMIT p_limit[a.ord] + 1
            ) l
     ) p;
END
$function$;

CREATE OR REPLACE FUNCTION property_pages(p_tenant uuid[], p_before uuid[], p_limit integer[])
RETURNS TABLE (ord bigint, docs text, last_id uuid, found bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $function$
BEGIN
    RETURN QUERY
    SELECT a.ord, p.docs, p.last_id, p.found
      FROM unnest(p_tenant) WITH ORDINALITY AS a (tenant_id, ord)
      LEFT JOIN heads h ON h.tenant_id = a.tenant_id
     CROSS JOIN LATERAL (
          SELECT array_to_string((array_agg(l.doc))[1:p_limit[a.ord]], ',') AS docs,
                 (array_agg(l.property_id))[least(count(*), p_limit[a.ord])] AS last_id, count(*) AS found
            FROM (
                SELECT x.doc, x.property_id FROM property_list x
                 WHERE x.tenant_id = a.tenant_id AND x.read_version = h.property_list_version AND x.property_id < p_before[a.ord]
                 ORDER BY x.property_id DESC LIMIT p_limit[a.ord] + 1
            ) l
     ) p;
END
$function$;

CREATE OR REPLACE FUNCTION contact_pages(p_tenant uuid[], p_before uuid[], p_limit integer[])
RETURNS TABLE (ord bigint, docs text, last_id uuid, found bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $function$
BEGIN
    RETURN QUERY
    SELECT a.ord, p.docs, p.last_id, p.found
      FROM unnest(p_tenant) WITH ORDINALITY AS a (tenant_id, ord)
      LEFT JOIN heads h ON h.tenant_id = a.tenant_id
     CROSS JOIN LATERAL (
          SELECT array_to_string((array_agg(l.doc))[1:p_limit[a.ord]], ',') AS docs,
                 (array_agg(l.contact_id))[least(count(*), p_limit[a.ord])] AS last_id, count(*) AS found
            FROM (
                SELECT x.doc, x.contact_id FROM contact_list x
                 WHERE x.tenant_id = a.tenant_id AND x.read_version = h.contact_list_version AND x.contact_id < p_before[a.ord]
                 ORDER BY x.contact_id DESC LIMIT p_limit[a.ord] + 1
            ) l
     ) p;
END
$function$;

CREATE OR REPLACE FUNCTION task_pages(p_tenant uuid[], p_before uuid[], p_limit integer[])
RETURNS TABLE (ord bigint, docs text, last_id uuid, found bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $function$
BEGIN
    RETURN QUERY
    SELECT a.ord, p.docs, p.last_id, p.found
      FROM unnest(p_tenant) WITH ORDINALITY AS a (tenant_id, ord)
      LEFT JOIN heads h ON h.tenant_id = a.tenant_id
     CROSS JOIN LATERAL (
          SELECT array_to_string((array_agg(l.doc))[1:p_limit[a.ord]], ',') AS docs,
                 (array_agg(l.task_id))[least(count(*), p_limit[a.ord])] AS last_id, count(*) AS found
            FROM (
                SELECT x.doc, x.task_id FROM task_list x
                 WHERE x.tenant_id = a.tenant_id AND x.read_version = h.task_list_version AND x.task_id < p_before[a.ord]
                 ORDER BY x.task_id DESC LIMIT p_limit[a.ord] + 1
            ) l
     ) p;
END
$function$;

CREATE OR REPLACE FUNCTION showing_pages(p_tenant uuid[], p_before uuid[], p_limit integer[])
RETURNS TABLE (ord bigint, docs text, last_id uuid, found bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $function$
BEGIN
    RETURN QUERY
    SELECT a.ord, p.docs, p.last_id, p.found
      FROM unnest(p_tenant) WITH ORDINALITY AS a (tenant_id, ord)
      LEFT JOIN heads h ON h.tenant_id = a.tenant_id
     CROSS JOIN LATERAL (
          SELECT array_to_string((array_agg(l.doc))[1:p_limit[a.ord]], ',') AS docs,
                 (array_agg(l.tour_id))[least(count(*), p_limit[a.ord])] AS last_id, count(*) AS found
            FROM (
                SELECT x.doc, x.tour_id FROM tour_list x
                 WHERE x.tenant_id = a.tenant_id AND x.read_version = h.tour_list_version AND x.tour_id < p_before[a.ord]
                 ORDER BY x.tour_id DESC LIMIT p_limit[a.ord] + 1
            ) l
     ) p;
END
$function$;

CREATE OR REPLACE FUNCTION tour_pages(p_tenant uuid[], p_before uuid[], p_limit integer[])
RETURNS TABLE (ord bigint, docs text, last_id uuid, found bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $function$
BEGIN
    RETURN QUERY
    SELECT a.ord, p.docs, p.last_id, p.found
      FROM unnest(p_tenant) WITH ORDINALITY AS a (tenant_id, ord)
      LEFT JOIN heads h ON h.tenant_id = a.tenant_id
     CROSS JOIN LATERAL (
          SELECT array_to_string((array_agg(l.doc))[1:p_limit[a.ord]], ',') AS docs,
                 (array_agg(l.tour_id))[least(count(*), p_limit[a.ord])] AS last_id, count(*) AS found
            FROM (
                SELECT left(x.leads_doc, -1) || ',"assigned_agent_id":' || coalesce((
                           SELECT u.number::text FROM users u WHERE u.tenant_id = x.tenant_id AND u.user_id = x.assigned_to
                       ), 'null') || '}' AS doc,
                       x.tour_id FROM tour_list x
                 WHERE x.tenant_id = a.tenant_id AND x.read_version = h.tour_list_version AND x.tour_id < p_before[a.ord]
                 ORDER BY x.tour_id DESC LIMIT p_limit[a.ord] + 1
            ) l
     ) p;
END
$function$;
