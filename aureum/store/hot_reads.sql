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
      JOIN lead_counts c ON c.tenant_id = h.tenant_id AND c.read_version = h.lead_counts_version;
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

-- What is frequent is soon found among the newest; so is what seems to be, one contact in 75, if one reads on. What is
-- rare the index finds; it knows no order, so all that it finds is read. If that is a lot, it was not rare, only old, and
-- one has to read on from the newest all the same. The index is asked for 'query', which finds a few too many; of each
-- word then its pattern must hold, or its typo.
CREATE OR REPLACE FUNCTION contact_search(
    p_tenant uuid, p_query text, p_words text, p_updated_since timestamptz, p_before uuid, p_limit integer
) RETURNS TABLE (docs text, last_id uuid, many bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $function$
DECLARE
    live integer;
    query tsquery := p_query;
    patterns text[];
    typos tsquery[];
    most integer := 40 * p_limit;
    -- One or two letters cost the index more.
    reach integer := CASE WHEN p_query LIKE '%:*%' THEN 40 ELSE 12 END * p_limit;
BEGIN
    IF p_updated_since IS NOT NULL THEN
        PERFORM set_config('plan_cache_mode', 'force_custom_plan', true);
    END IF;
    SELECT h.contact_list_version INTO live FROM heads h WHERE h.tenant_id = p_tenant;
    SELECT array_agg(w.pattern), array_agg(w.typo) INTO patterns, typos
      FROM json_to_recordset(p_words::json) AS w (pattern text, typo tsquery);

    FOR attempt IN 1..2 LOOP
        SELECT array_to_string((array_agg(l.doc))[1:p_limit], ','), (array_agg(l.contact_id))[least(count(*), p_limit)],
               count(*)
          INTO docs, last_id, many
          FROM (
              SELECT x.doc, x.contact_id
                FROM (
                    SELECT * FROM contact_list c
                     WHERE c.tenant_id = p_tenant AND c.read_version = live AND c.contact_id < p_before
                       AND (p_updated_since IS NULL OR c.updated_at >= p_updated_since)
                     ORDER BY c.contact_id DESC LIMIT reach
                ) x
               WHERE x.found_by @@ query
                 AND NOT EXISTS (
                     SELECT FROM unnest(patterns, typos) AS w (pattern, typo)
                      WHERE x.search NOT LIKE w.pattern AND NOT x.found_by @@ w.typo
                 )
               ORDER BY x.contact_id DESC LIMIT p_limit + 1
          ) l;
        IF many > p_limit OR reach IS NULL THEN
            RETURN NEXT;
            RETURN;
        END IF;

        IF many * 75 < reach THEN
            RETURN QUERY
            WITH candidates AS MATERIALIZED (
                SELECT c.read_version, c.contact_id FROM contact_list c
                 WHERE c.tenant_id = p_tenant AND c.found_by @@ query LIMIT most
            )
            SELECT array_to_string((array_agg(l.doc))[1:p_limit], ','),
                   (array_agg(l.contact_id))[least(count(*), p_limit)], count(*)
              FROM (
                  SELECT x.doc, x.contact_id
                    FROM (
                        SELECT c.contact_id FROM candidates c
                         WHERE c.read_version = live AND c.contact_id < p_before ORDER BY c.contact_id DESC
                    ) c
                    CROSS JOIN LATERAL (
                        SELECT * FROM contact_list y
                         WHERE y.tenant_id = p_tenant AND y.read_version = live AND y.contact_id = c.contact_id
                    ) x
                   WHERE (p_updated_since IS NULL OR x.updated_at >= p_updated_since)
                     AND NOT EXISTS (
                         SELECT FROM unnest(patterns, typos) AS w (pattern, typo)
                          WHERE x.search NOT LIKE w.pattern AND NOT x.found_by @@ w.typo
                     )
                   ORDER BY c.contact_id DESC LIMIT p_limit + 1
              ) l
            HAVING (SELECT count(*) FROM candidates) < most;
            IF FOUND THEN
                RETURN;
            END IF;
        END IF;
        reach := NULL;
    END LOOP;
END
$function$;
