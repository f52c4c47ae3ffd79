-- The property that has a listing's number, or two of them. Every form for a tour asks this.
-- One plain round trip instead of a transaction that sets role and tenant first: docs/decisions/hot-reads.md. It reads the
-- version that is live in its own snapshot, so that the rows of an old version may go as soon as it is old.
CREATE OR REPLACE FUNCTION properties_listed(p_tenant uuid[], p_mls_id text[])
RETURNS TABLE (ord bigint, property_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off AS $function$
BEGIN
    RETURN QUERY
    SELECT a.ord, l.property_id
      FROM unnest(p_tenant) WITH ORDINALITY AS a (tenant_id, ord)
      JOIN heads h ON h.tenant_id = a.tenant_id
     CROSS JOIN LATERAL (
         SELECT x.property_id FROM property_list x
          WHERE x.tenant_id = a.tenant_id AND x.read_version = h.property_list_version AND x.mls_id = p_mls_id[a.ord]
          LIMIT 2
     ) l;
END
$function$;
