-- The two reads that are asked most, as functions with the tenant as their parameter: one plain round trip instead of a
-- transaction that sets role and tenant first. Why, and what guards them: docs/decisions/hot-reads.md.

CREATE OR REPLACE FUNCTION lead_page(
    p_tenant uuid, p_read_version integer, p_status text, p_source text, p_assigned_to uuid, p_updated_since timestamptz,
    p_before uuid, p_limit integer
) RETURNS TABLE (docs text, last_id uuid, found bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $function$
BEGIN
    -- The plain list has a statement of its own: its plan never carries the filters.
    IF p_status IS NULL AND p_source IS NULL AND p_assigned_to IS NULL AND p_updated_since IS NULL THEN
        RETURN QUERY
        SELECT string_agg(l.doc, ',' ORDER BY l.lead_id DESC), (array_agg(l.lead_id ORDER BY l.lead_id))[1], count(*)
          FROM (
              SELECT x.doc, x.lead_id FROM lead_list x
               WHERE x.tenant_id = p_tenant AND x.read_version = p_read_version AND x.lead_id < p_before
               ORDER BY x.lead_id DESC LIMIT p_limit
          ) l;
    ELSE
        RETURN QUERY
        SELECT string_agg(l.doc, ',' ORDER BY l.lead_id DESC), (array_agg(l.lead_id ORDER BY l.lead_id))[1], count(*)
          FROM (
              SELECT x.doc, x.lead_id FROM lead_list x
               WHERE x.tenant_id = p_tenant AND x.read_version = p_read_version AND x.lead_id < p_before
                 AND (p_status IS NULL OR x.status = p_status)
                 AND (p_source IS NULL OR x.source = p_source)
                 AND (p_assigned_to IS NULL OR x.assigned_to = p_assigned_to)
                 AND (p_updated_since IS NULL OR x.updated_at >= p_updated_since)
               ORDER BY x.lead_id DESC LIMIT p_limit
          ) l;
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION lead_counts_of(p_tenant uuid, p_read_version integer)
RETURNS TABLE (status text, leads bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $function$
    SELECT c.status, c.leads FROM lead_counts c WHERE c.tenant_id = p_tenant AND c.read_version = p_read_version
$function$;
