-- One plain round trip instead of a transaction that sets role and tenant first: docs/decisions/hot-reads.md. It reads the
-- version that is live in its own snapshot, so that the rows of an old version may go as soon as it is old.
CREATE OR REPLACE FUNCTION lead_counts_of(p_tenant uuid[])
RETURNS TABLE (ord bigint, status text, leads bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off AS $function$
BEGIN
    RETURN QUERY
    SELECT a.ord, c.status, c.leads
      FROM unnest(p_tenant) WITH ORDINALITY AS a (tenant_id, ord)
      JOIN heads h ON h.tenant_id = a.tenant_id
      JOIN lead_counts c ON c.tenant_id = h.tenant_id AND c.read_version = h.lead_counts_version
       AND NOT starts_with(c.status, 'suspect ');
END
$function$;
