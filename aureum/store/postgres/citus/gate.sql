-- The gate on Citus (aureum/http/access has its rules). The directories are on every node; a tenant's head and its counts
-- are on one, and are asked there: one caller after the other, in gate_line, which is gate_one with one more parameter for
-- how many wait, and one for whether they are counted. gate_uncounted is made of gate.
CREATE OR REPLACE FUNCTION gate_one(p_key bytea, p_host text, p_slug text, p_client text, p_form_limit integer)
RETURNS TABLE (
    ord bigint, caller_id uuid, role text, caller_tenant uuid, host_tenant uuid, tenant_id uuid, number bigint,
    slug text, plan text, country text, public_lead_count boolean, site_version integer,
    head bigint, read_version integer,
    rate_limit integer, granted integer, used_before integer, resets_at timestamptz, told_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $function$
BEGIN
    RETURN QUERY SELECT * FROM gate_line(p_key, p_host, p_slug, p_client, p_form_limit, 1, true);
END
$function$;

CREATE OR REPLACE FUNCTION gate(
    p_key bytea[], p_host text[], p_slug text[], p_client text[], p_count integer[], p_form_limit integer
) RETURNS TABLE (
    ord bigint, caller_id uuid, role text, caller_tenant uuid, host_tenant uuid, tenant_id uuid, number bigint,
    slug text, plan text, country text, public_lead_count boolean, site_version integer,
    head bigint, read_version integer,
    rate_limit integer, granted integer, used_before integer, resets_at timestamptz, told_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $function$
BEGIN
    FOR n IN 1 .. cardinality(p_key) LOOP
        FOR ord, caller_id, role, caller_tenant, host_tenant, tenant_id, number, slug, plan, country, public_lead_count,
            site_version, head, read_version, rate_limit, granted, used_before, resets_at, told_at IN
            SELECT * FROM gate_line(p_key[n], p_host[n], p_slug[n], p_client[n], p_form_limit, p_count[n], true)
        LOOP
            ord := n;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$function$;
