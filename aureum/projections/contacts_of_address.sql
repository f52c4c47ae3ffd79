-- The contacts that have an address. Every new contact with an address asks for them, so all that come at the same moment
-- share one plain round trip (docs/decisions/hot-reads.md). Erased persons and the new contact itself are left out.
CREATE OR REPLACE FUNCTION contacts_of_address(p_tenant uuid[], p_email_key uuid[], p_own uuid[], p_limit integer[])
RETURNS TABLE (ord bigint, contact_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
SET enable_seqscan = off AS $function$
BEGIN
    RETURN QUERY
    SELECT a.ord, l.contact_id
      FROM unnest(p_tenant) WITH ORDINALITY AS a (tenant_id, ord)
      JOIN heads h ON h.tenant_id = a.tenant_id
     CROSS JOIN LATERAL (
         SELECT coalesce(x.merged_into, x.contact_id) AS contact_id FROM contact_list x
          WHERE x.tenant_id = a.tenant_id AND x.read_version = h.contact_list_version
            AND x.email_key >= p_email_key[a.ord] AND x.email_key <= p_email_key[a.ord]
            AND x.contact_id <> p_own[a.ord]
            AND EXISTS (
                    SELECT FROM subject_keys k WHERE k.tenant_id = x.tenant_id AND k.subject_id = x.contact_id
                )
          ORDER BY x.email_key, x.contact_id LIMIT p_limit[a.ord]
     ) l;
END
$function$;
