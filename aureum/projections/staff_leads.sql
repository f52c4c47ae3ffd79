-- The staff's list of leads in numbered pages (aureum/projections/admin_leads.py): first how many there are and the ids
-- of the page, which indexes know, then the page's leads. Each shape of a question is planned for itself.

-- The filters as conditions on rows x, each of which begins with AND; 'sees' is the agent who asks, if it is one.
CREATE OR REPLACE FUNCTION staff_leads_condition(
    p_status text, p_source text, p_source_domain text, p_lost_reason text, p_assigned_to uuid,
    p_sees uuid
) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = public, pg_temp AS $function$
    SELECT concat(
        CASE WHEN p_status IS NOT NULL THEN format(' AND x.status = %L', p_status) END,
        CASE WHEN p_source IS NOT NULL THEN format(' AND x.source = %L', p_source) END,
        CASE WHEN p_source_domain IS NOT NULL THEN format(' AND x.source_domain = %L', p_source_domain) END,
        CASE WHEN p_lost_reason IS NOT NULL THEN
            format(' AND x.status = %L AND x.doc::json ->> %L = %L', 'lost', 'lostReason', p_lost_reason) END,
        CASE WHEN p_assigned_to IS NOT NULL THEN format(' AND x.assigned_to = %L', p_assigned_to) END,
        CASE WHEN p_sees IS NOT NULL THEN format(' AND (x.assigned_to = %1$L OR x.created_by = %1$L)', p_sees) END
    )
$function$;

-- The leads of a page, or one row without a lead; 'total' is how many there are on all pages.
CREATE OR REPLACE FUNCTION staff_leads_shown(p_total bigint, p_tenants uuid[], p_ids uuid[])
RETURNS TABLE (
    total bigint, brokerage_id bigint, agent bigint, number bigint, stream_version integer, lead_id uuid,
    source_domain text, doc text, details text
)
LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $function$
    SELECT p_total, b.number, u.number, x.number, x.stream_version, x.lead_id, x.source_domain, x.doc, x.details
      FROM (SELECT 1) AS one
      LEFT JOIN (
          unnest(p_tenants, p_ids) WITH ORDINALITY AS p (tenant_id, lead_id, place)
          JOIN heads h ON h.tenant_id = p.tenant_id
          JOIN brokerages b ON b.tenant_id = p.tenant_id
          JOIN lead_list x ON x.tenant_id = p.tenant_id AND x.read_version = h.lead_list_version AND x.lead_id = p.lead_id
          LEFT JOIN users u ON u.tenant_id = x.tenant_id AND u.user_id = x.assigned_to
      ) ON true
     ORDER BY p.place
$function$;

-- Of one brokerage.
CREATE OR REPLACE FUNCTION staff_leads(
    p_tenant uuid, p_words text, p_status text, p_source text, p_source_domain text, p_lost_reason text, p_agent bigint,
    p_sees uuid, p_limit integer, p_skipped bigint
) RETURNS TABLE (
    total bigint, brokerage_id bigint, agent bigint, number bigint, stream_version integer, lead_id uuid,
    source_domain text, doc text, details text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $function$
DECLARE
    live integer;
    counted integer;
    assignee uuid;
    filters text;
    many bigint;
    wanted bigint;
    ids uuid[];
BEGIN
    SELECT h.lead_list_version, h.lead_counts_version INTO live, counted FROM heads h WHERE h.tenant_id = p_tenant;
    IF p_agent IS NOT NULL THEN
        -- A number that no user has finds nothing.
        SELECT u.user_id INTO assignee FROM users u WHERE u.number = p_agent;
        assignee := coalesce(assignee, '00000000-0000-0000-0000-000000000000');
    END IF;
    filters := staff_leads_condition(p_status, p_source, p_source_domain, p_lost_reason, assignee, p_sees);

    IF p_words IS NOT NULL THEN
        ids := search_ids('lead_list', 'lead_id', p_tenant, p_words);
        IF filters <> '' THEN
            EXECUTE 'SELECT array_agg(x.lead_id ORDER BY x.lead_id DESC) FROM lead_list x'
                    ' WHERE x.tenant_id = $1 AND x.read_version = $2 AND x.lead_id = ANY ($3)' || filters
               INTO ids USING p_tenant, live, ids;
        END IF;
        many := coalesce(cardinality(ids), 0);
        ids := ids[p_skipped + 1 : p_skipped + p_limit];
    ELSE
        IF p_source IS NULL AND p_source_domain IS NULL AND p_lost_reason IS NULL AND p_agent IS NULL AND p_sees IS NULL THEN
            SELECT coalesce(sum(c.leads), 0) INTO many FROM lead_counts c
             WHERE c.tenant_id = p_tenant AND c.read_version = counted
               AND (p_status IS NULL OR c.status IN (p_status, 'suspect ' || p_status));
        ELSE
            EXECUTE 'SELECT count(*) FROM lead_list x WHERE x.tenant_id = $1 AND x.read_version = $2' || filters
               INTO many USING p_tenant, live;
        END IF;
        wanted := least(p_limit, many - p_skipped);
        IF wanted > 0 AND p_skipped <= many / 2 THEN
            EXECUTE 'SELECT array_agg(p.lead_id) FROM (SELECT x.lead_id FROM lead_list x'
                    ' WHERE x.tenant_id = $1 AND x.read_version = $2' || filters ||
                    ' ORDER BY x.lead_id DESC OFFSET $3 LIMIT $4) p'
               INTO ids USING p_tenant, live, p_skipped, wanted;
        ELSIF wanted > 0 THEN
            -- It is nearer from the end.
            EXECUTE 'SELECT array_agg(p.lead_id ORDER BY p.lead_id DESC) FROM (SELECT x.lead_id FROM lead_list x'
                    ' WHERE x.tenant_id = $1 AND x.read_version = $2' || filters ||
                    ' ORDER BY x.lead_id OFFSET $3 LIMIT $4) p'
               INTO ids USING p_tenant, live, many - p_skipped - wanted, wanted;
        END IF;
    END IF;
    RETURN QUERY SELECT * FROM staff_leads_shown(many, array_fill(p_tenant, ARRAY[coalesce(cardinality(ids), 0)]), ids);
END
$function$;

-- Of all brokerages that are not disabled, each in the version that is live for it: for platform admins, as the owner.
CREATE OR REPLACE FUNCTION staff_leads_of_all(
    p_words text, p_status text, p_source text, p_source_domain text, p_lost_reason text, p_agent bigint, p_sees uuid,
    p_limit integer, p_skipped bigint
) RETURNS TABLE (
    total bigint, brokerage_id bigint, agent bigint, number bigint, stream_version integer, lead_id uuid,
    source_domain text, doc text, details text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $function$
DECLARE
    of_agent uuid;
    filters text;
    many bigint;
    tenants uuid[];
    ids uuid[];
BEGIN
    IF p_agent IS NOT NULL THEN
        SELECT u.tenant_id INTO of_agent
          FROM users u
          JOIN brokerages b ON b.tenant_id = u.tenant_id AND NOT b.disabled
         WHERE u.number = p_agent;
        RETURN QUERY
        SELECT * FROM staff_leads(of_agent, p_words, p_status, p_source, p_source_domain, p_lost_reason, p_agent, p_sees,
                                  p_limit, p_skipped);
        RETURN;
    END IF;
    filters := staff_leads_condition(p_status, p_source, p_source_domain, p_lost_reason, NULL, p_sees);

    IF p_words IS NOT NULL THEN
        EXECUTE 'WITH live AS MATERIALIZED ('
                '    SELECT h.tenant_id, h.lead_list_version, h.lead_list_searched'
                '      FROM heads h JOIN brokerages b ON b.tenant_id = h.tenant_id AND NOT b.disabled'
                '), found AS MATERIALIZED ('
                '    SELECT f.tenant_id, f.lead_id FROM ('
                '        SELECT s.tenant_id, s.read_version, s.id FROM searched_texts s WHERE s.list = ''lead_list'''
                || search_condition(p_words, 's.search') ||
                '        OFFSET 0'
                '    ) s'
                '    JOIN live h ON h.tenant_id = s.tenant_id AND h.lead_list_version = s.read_version'
                '    JOIN lead_list f ON f.tenant_id = s.tenant_id AND f.read_version = s.read_version AND f.lead_id = s.id'
                '     AND NOT f.unsearched'
                '     UNION ALL'
                '    SELECT x.tenant_id, x.lead_id FROM live h CROSS JOIN LATERAL ('
                -- By their ids first, brokerage by brokerage, and their texts then.
                '        SELECT x.tenant_id, x.lead_id, x.search FROM lead_list x'
                '         WHERE x.tenant_id = h.tenant_id AND x.read_version = h.lead_list_version'
                '           AND x.lead_id > h.lead_list_searched OFFSET 0'
                '    ) x WHERE true' || search_condition(p_words, 'x.search') ||
                '     UNION ALL'
                '    SELECT x.tenant_id, x.lead_id FROM lead_list x JOIN live h ON h.tenant_id = x.tenant_id'
                '       AND h.lead_list_version = x.read_version AND x.lead_id <= h.lead_list_searched'
                '     WHERE x.unsearched' || search_condition(p_words, 'x.search') ||
                ')' || CASE WHEN filters = '' THEN '' ELSE
                ', chosen AS MATERIALIZED ('
                '    SELECT f.* FROM found f JOIN live h ON h.tenant_id = f.tenant_id'
                '      JOIN lead_list x ON x.tenant_id = f.tenant_id AND x.read_version = h.lead_list_version'
                '       AND x.lead_id = f.lead_id' || filters || ')' END ||
                ', page AS (SELECT * FROM ' || CASE WHEN filters = '' THEN 'found' ELSE 'chosen' END ||
                '     ORDER BY lead_id DESC OFFSET $1 LIMIT $2)'
                ' SELECT (SELECT count(*) FROM ' || CASE WHEN filters = '' THEN 'found' ELSE 'chosen' END || '),'
                '        array_agg(p.tenant_id), array_agg(p.lead_id) FROM page p'
           INTO many, tenants, ids USING p_skipped, p_limit;
    ELSE
        IF p_source IS NULL AND p_source_domain IS NULL AND p_lost_reason IS NULL AND p_sees IS NULL THEN
            SELECT coalesce(sum(c.leads), 0) INTO many
              FROM heads h
              JOIN brokerages b ON b.tenant_id = h.tenant_id AND NOT b.disabled
              JOIN lead_counts c ON c.tenant_id = h.tenant_id AND c.read_version = h.lead_counts_version
             WHERE p_status IS NULL OR c.status IN (p_status, 'suspect ' || p_status);
        ELSE
            EXECUTE 'SELECT coalesce(sum(n.leads), 0) FROM heads h'
                    '  JOIN brokerages b ON b.tenant_id = h.tenant_id AND NOT b.disabled'
                    ' CROSS JOIN LATERAL (SELECT count(*) AS leads FROM lead_list x'
                    '     WHERE x.tenant_id = h.tenant_id AND x.read_version = h.lead_list_version' || filters || ') n'
               INTO many;
        END IF;
        IF p_skipped < many THEN
            EXECUTE 'SELECT array_agg(p.tenant_id), array_agg(p.lead_id) FROM ('
                    '    SELECT p.tenant_id, p.lead_id FROM heads h'
                    '      JOIN brokerages b ON b.tenant_id = h.tenant_id AND NOT b.disabled'
                    '     CROSS JOIN LATERAL (SELECT x.tenant_id, x.lead_id FROM lead_list x'
                    '         WHERE x.tenant_id = h.tenant_id AND x.read_version = h.lead_list_version' || filters ||
                    '         ORDER BY x.lead_id DESC LIMIT $1 + $2) p'
                    '     ORDER BY p.lead_id DESC OFFSET $1 LIMIT $2) p'
               INTO tenants, ids USING p_skipped, p_limit;
        END IF;
    END IF;
    RETURN QUERY SELECT * FROM staff_leads_shown(many, tenants, ids);
END
$function$;
