-- gate: who asks, which brokerage, on which plan, may they, and how far its log has come; one statement for all the
-- requests that wait at the same moment. A line of the arrays is one (key, host, client) with the number of requests
-- that wait behind it; 'granted' of them may pass, 'used' had passed before. Empty text stands for "none".
--
-- A caller is an API key or a user by the token of its login; role says which. A platform admin who
-- belongs to no brokerage is of the platform's tenant, which has no row in brokerages.
--
-- A key's bucket is the key, a form's the client's address; users are not counted. It is plpgsql since that keeps its plans: before PostgreSQL
-- 18 a function in plain SQL is planned at each call.
CREATE OR REPLACE FUNCTION gate(
    p_key bytea[], p_host text[], p_slug text[], p_client text[], p_count integer[], p_form_limit integer
) RETURNS TABLE (
    ord bigint, caller_id uuid, role text, caller_tenant uuid, host_tenant uuid, tenant_id uuid, number bigint,
    slug text, plan text, country text, public_lead_count boolean, site_version integer,
    head bigint, read_version integer,
    rate_limit integer, granted integer, used_before integer, resets_at timestamptz, told_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off AS $function$
#variable_conflict use_column
BEGIN
RETURN QUERY
WITH asked AS (
    SELECT a.key, p_host[a.ord] AS host, p_slug[a.ord] AS slug, p_client[a.ord] AS client,
           p_count[a.ord] AS waiting, a.ord, clock_timestamp() AS moment
      FROM unnest(p_key) WITH ORDINALITY AS a (key, ord)
), found AS (
    SELECT a.ord, a.key, a.client, a.waiting, a.moment, k.rate_limit AS key_limit,
           coalesce(k.key_id, u.user_id) AS caller_id,
           CASE WHEN k.key_id IS NOT NULL THEN 'key' ELSE u.role END AS role,
           coalesce(k.tenant_id, u.tenant_id) AS caller_tenant,
           coalesce(d.tenant_id, s.tenant_id) AS host_tenant
      FROM asked a
      LEFT JOIN api_keys k ON k.key_hash = a.key AND NOT k.revoked AND (k.expires_at IS NULL OR k.expires_at > a.moment)
      LEFT JOIN user_tokens t ON t.token_hash = a.key AND t.expires_at > a.moment
      LEFT JOIN users u ON u.tenant_id = t.tenant_id AND u.user_id = t.user_id AND NOT u.disabled
      LEFT JOIN domains d ON d.domain = a.host
      LEFT JOIN brokerages s ON s.slug = a.slug
), known AS (
    SELECT f.*, h.tenant_id, coalesce(b.number, 0) AS number, coalesce(b.slug, '') AS slug,
           coalesce(b.plan, '') AS plan, coalesce(b.country, 'US') AS country,
           coalesce(b.public_lead_count, false) AS public_lead_count, h.directory_version AS site_version, h.position AS head,
           0 /* {read version} */ AS read_version,
           CASE WHEN f.key_limit IS NOT NULL THEN f.key_limit WHEN f.client <> '' THEN p_form_limit ELSE 0
           END AS rate_limit,
           CASE WHEN f.key_limit IS NOT NULL THEN f.key ELSE convert_to(f.client, 'UTF8') END AS bucket
      FROM found f
      JOIN heads h ON h.tenant_id = coalesce(f.caller_tenant, f.host_tenant)
      LEFT JOIN brokerages b ON b.tenant_id = h.tenant_id
     WHERE NOT b.disabled OR h.tenant_id = '00000000-0000-0000-0000-000000000000'
), asking AS (
    SELECT k.tenant_id, k.bucket, k.moment, k.rate_limit, k.waiting FROM known k
     WHERE k.rate_limit > 0 AND (k.host_tenant IS NULL OR k.host_tenant = k.tenant_id)
), counted AS (
    -- {count requests}
)
SELECT k.ord, k.caller_id, k.role, k.caller_tenant, k.host_tenant, k.tenant_id, k.number, k.slug, k.plan,
       k.country, k.public_lead_count, k.site_version, k.head, k.read_version, k.rate_limit,
       -- Lines that share a bucket are served in their order.
       greatest(0, least(k.waiting, c.granted - (
           sum(k.waiting) OVER (PARTITION BY k.tenant_id, k.bucket ORDER BY k.ord) - k.waiting)))::integer,
       c.used - c.granted + (
           sum(k.waiting) OVER (PARTITION BY k.tenant_id, k.bucket ORDER BY k.ord) - k.waiting)::integer,
       c.window_start + interval '60 seconds',
       k.moment
  FROM known k
  LEFT JOIN counted c ON c.tenant_id = k.tenant_id AND c.bucket = k.bucket;
END
$function$;
