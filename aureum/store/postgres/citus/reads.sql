-- What is read for several callers at the same moment (docs/decisions/hot-reads.md), on Citus one tenant after the other.
-- The rules stand with the functions of these names in aureum/projections and aureum/http.
CREATE OR REPLACE FUNCTION lead_counts_of(p_tenant uuid[])
RETURNS TABLE (ord bigint, status text, leads bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $function$
DECLARE
    tenant uuid;
BEGIN
    FOR n IN 1 .. cardinality(p_tenant) LOOP
        tenant := p_tenant[n];
        RETURN QUERY
        SELECT n::bigint, c.status, c.leads
          FROM lead_counts c
         WHERE c.tenant_id = tenant AND NOT starts_with(c.status, 'suspect ')
           AND c.read_version = (SELECT h.lead_counts_version FROM heads h WHERE h.tenant_id = tenant);
    END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION contacts_of_address(p_tenant uuid[], p_email_key uuid[], p_own uuid[], p_limit integer[])
RETURNS TABLE (ord bigint, contact_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $function$
DECLARE
    tenant uuid;
    email uuid;
    own uuid;
    most integer;
BEGIN
    FOR n IN 1 .. cardinality(p_tenant) LOOP
        tenant := p_tenant[n];
        email := p_email_key[n];
        own := p_own[n];
        most := p_limit[n];
        RETURN QUERY
        SELECT n::bigint, l.contact_id
          FROM (
              SELECT coalesce(x.merged_into, x.contact_id) AS contact_id FROM contact_list x
               WHERE x.tenant_id = tenant AND x.email_key = email AND x.contact_id <> own
                 AND x.read_version = (SELECT h.contact_list_version FROM heads h WHERE h.tenant_id = tenant)
                 AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = tenant AND k.subject_id = x.contact_id)
               ORDER BY x.contact_id LIMIT most
          ) l;
    END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION properties_listed(p_tenant uuid[], p_mls_id text[])
RETURNS TABLE (ord bigint, property_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $function$
DECLARE
    tenant uuid;
    listed text;
BEGIN
    FOR n IN 1 .. cardinality(p_tenant) LOOP
        tenant := p_tenant[n];
        listed := p_mls_id[n];
        RETURN QUERY
        SELECT n::bigint, x.property_id FROM property_list x
         WHERE x.tenant_id = tenant AND x.mls_id = listed
           AND x.read_version = (SELECT h.property_list_version FROM heads h WHERE h.tenant_id = tenant)
         LIMIT 2;
    END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION logs_changed(p_tenants uuid[], p_seen bigint[], p_far bigint)
RETURNS TABLE (tenant_id uuid, "position" bigint, kinds text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $function$
#variable_conflict use_column
DECLARE
    tenant uuid;
    seen bigint;
    last bigint;
BEGIN
    FOR n IN 1 .. cardinality(p_tenants) LOOP
        tenant := p_tenants[n];
        seen := p_seen[n];
        SELECT h.position INTO last FROM heads h WHERE h.tenant_id = tenant;
        IF last > seen THEN
            RETURN QUERY
            SELECT tenant, last, (
                       SELECT array_agg(DISTINCT split_part(e.type, '.', 1)) FROM events e
                        WHERE e.tenant_id = tenant AND e.position > seen AND e.position <= last AND last - seen <= p_far
                   );
        END IF;
    END LOOP;
END
$function$;
