-- gate_one: what gate says, to a request that comes alone. The rules are the same, looked up one after the other: to set
-- up the one plan that gate has for many costs a lone request more than all else that the database does for it.
CREATE OR REPLACE FUNCTION gate_one(p_key bytea, p_host text, p_slug text, p_client text, p_form_limit integer)
RETURNS TABLE (
    ord bigint, caller_id uuid, role text, caller_tenant uuid, host_tenant uuid, tenant_id uuid, number bigint,
    slug text, plan text, country text, public_lead_count boolean, site_version integer,
    head bigint, read_version integer,
    rate_limit integer, granted integer, used_before integer, resets_at timestamptz, told_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off AS $function$
#variable_conflict use_column
DECLARE
    counted_by bytea := convert_to(p_client, 'UTF8');
BEGIN
    ord := 1;
    told_at := clock_timestamp();
    rate_limit := CASE WHEN p_client <> '' THEN p_form_limit ELSE 0 END;

    IF p_key <> '' THEN
        SELECT k.key_id, 'key', k.tenant_id, k.rate_limit, p_key INTO caller_id, role, caller_tenant, rate_limit, counted_by
          FROM api_keys k
         WHERE k.key_hash = p_key AND NOT k.revoked AND (k.expires_at IS NULL OR k.expires_at > told_at);
        IF NOT FOUND THEN
            rate_limit := CASE WHEN p_client <> '' THEN p_form_limit ELSE 0 END;
            counted_by := convert_to(p_client, 'UTF8');
            SELECT u.user_id, u.role, u.tenant_id INTO caller_id, role, caller_tenant
              FROM user_tokens t
              JOIN users u ON u.tenant_id = t.tenant_id AND u.user_id = t.user_id AND NOT u.disabled
             WHERE t.token_hash = p_key AND t.expires_at > told_at;
        END IF;
    END IF;
    SELECT d.tenant_id INTO host_tenant FROM domains d WHERE d.domain = p_host;
    IF NOT FOUND AND p_slug <> '' THEN
        SELECT b.tenant_id INTO host_tenant FROM brokerages b WHERE b.slug = p_slug;
    END IF;

    SELECT h.tenant_id, coalesce(b.number, 0), coalesce(b.slug, ''), coalesce(b.plan, ''), coalesce(b.country, 'US'),
           coalesce(b.public_lead_count, false), h.directory_version, h.position,
           0 /* {read version} */
      INTO tenant_id, number, slug, plan, country, public_lead_count, site_version, head, read_version
      FROM heads h
      LEFT JOIN brokerages b ON b.tenant_id = h.tenant_id
     WHERE h.tenant_id = coalesce(caller_tenant, host_tenant)
       AND (NOT b.disabled OR h.tenant_id = '00000000-0000-0000-0000-000000000000');
    IF NOT FOUND THEN
        RETURN;
    END IF;

    IF rate_limit > 0 AND (host_tenant IS NULL OR host_tenant = tenant_id) THEN
        WITH asking AS (
            SELECT gate_one.tenant_id, counted_by AS bucket, told_at AS moment, gate_one.rate_limit, 1 AS waiting
        ), counted AS (
            -- {count requests}
        )
        SELECT c.granted, c.used - c.granted, c.window_start + interval '60 seconds'
          INTO granted, used_before, resets_at FROM counted c;
    END IF;
    RETURN NEXT;
END
$function$;
