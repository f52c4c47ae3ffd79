-- The reads that are asked most, and the one that row security would keep from its index, as functions with the tenant
-- as their parameter: one plain round trip instead of a transaction that sets role and tenant first. Why, and what
-- guards them: docs/decisions/hot-reads.md.

-- They read the version that is live in their own snapshot, not the one that a gate told some time before: so the rows
-- of an old version may go as soon as it is old.

-- The functions that read pages are made of the lists' declarations: aureum/projections/list_sql.py.

CREATE OR REPLACE FUNCTION lead_counts_of(p_tenant uuid[])
RETURNS TABLE (ord bigint, status text, leads bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $function$
BEGIN
    RETURN QUERY
    SELECT a.ord, c.status, c.leads
      FROM unnest(p_tenant) WITH ORDINALITY AS a (tenant_id, ord)
      JOIN heads h ON h.tenant_id = a.tenant_id
      JOIN lead_counts c ON c.tenant_id = h.tenant_id AND c.read_version = h.lead_counts_version
       AND NOT starts_with(c.status, 'suspect ');
END
$function$;

-- Asked by every form for a tour: which property has the listing's number, or which two.
CREATE OR REPLACE FUNCTION properties_listed(p_tenant uuid[], p_mls_id text[])
RETURNS TABLE (ord bigint, property_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $function$
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
