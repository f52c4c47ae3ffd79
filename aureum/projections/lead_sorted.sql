-- The list of leads in another order than the newest first (aureum/projections/lead_sorted.py), a page at a time: the
-- documents joined by commas, where the page ends, and one more than the limit if another page follows. An order that
-- an index has is read from it, however many leads there are. Any other is made of the leads that the filters or a
-- search leave, up to a bound; beyond it 'many' is -1.
CREATE OR REPLACE FUNCTION lead_sorted(
    p_tenant uuid, p_words text, {parameters}, p_sort text, p_key bigint, p_after uuid, p_limit integer
) RETURNS TABLE (docs text, last_key bigint, last_id uuid, many bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $function$
DECLARE
    statuses text[] := '{statuses}';
    most CONSTANT integer := {most};
    -- A moment in microseconds.
    moment timestamptz := timestamptz 'epoch' + p_key * interval '1 microsecond';
    live integer;
    ids uuid[];
    docs_found text[];
    keys bigint[];
    last_ids uuid[];
BEGIN
    SELECT h.lead_list_version INTO live FROM heads h WHERE h.tenant_id = p_tenant;
    IF p_sort = '-status' THEN
        SELECT array_agg(s.status ORDER BY s.place DESC) INTO statuses
          FROM unnest(statuses) WITH ORDINALITY AS s (status, place);
    END IF;

    IF p_words IS NOT NULL OR p_sort IN ('name', '-name') THEN
        IF p_words IS NOT NULL THEN
            ids := search_ids('lead_list', 'lead_id', p_tenant, p_words);
            SELECT array_agg(c.lead_id) INTO ids FROM (
                SELECT x.lead_id FROM unnest(ids) AS f (id)
                 CROSS JOIN LATERAL (
                     SELECT * FROM lead_list y
                      WHERE y.tenant_id = p_tenant AND y.read_version = live AND y.lead_id = f.id OFFSET 0
                 ) x
                 WHERE true {conditions}
                 LIMIT most + 1) c;
        ELSE
            SELECT array_agg(c.lead_id) INTO ids FROM (
                SELECT x.lead_id FROM lead_list x
                 WHERE x.tenant_id = p_tenant AND x.read_version = live {conditions}
                 LIMIT most + 1) c;
        END IF;
        IF cardinality(ids) > most THEN
            RETURN QUERY SELECT NULL::text, NULL::bigint, NULL::uuid, -1::bigint;
            RETURN;
        END IF;
        -- The page goes on behind the lead where the one before ended; if that has left the list, behind its place.
        WITH placed AS MATERIALIZED (
            SELECT x.lead_id, x.doc, row_number() OVER (
                       ORDER BY CASE p_sort WHEN 'name' THEN lower(x.doc::json ->> 'name') END,
                                CASE p_sort WHEN '-name' THEN lower(x.doc::json ->> 'name') END DESC,
                                CASE p_sort WHEN 'updatedAt' THEN x.updated_at END,
                                CASE p_sort WHEN '-updatedAt' THEN x.updated_at END DESC,
                                CASE WHEN p_sort IN ('status', '-status') THEN array_position(statuses, x.status) END,
                                CASE p_sort WHEN 'createdAt' THEN x.lead_id END,
                                x.lead_id DESC
                   ) AS place
              FROM lead_list x
             WHERE x.tenant_id = p_tenant AND x.read_version = live AND x.lead_id = ANY (ids)
        )
        SELECT array_agg(l.doc), array_agg(l.place), array_agg(l.lead_id) INTO docs_found, keys, last_ids FROM (
            SELECT p.doc, p.place, p.lead_id FROM placed p
             WHERE p_after IS NULL
                OR p.place > coalesce((SELECT a.place FROM placed a WHERE a.lead_id = p_after), p_key)
             ORDER BY p.place LIMIT p_limit + 1
        ) l;
    ELSIF p_sort = 'createdAt' THEN
        SELECT array_agg(l.doc), array_agg(0), array_agg(l.lead_id) INTO docs_found, keys, last_ids FROM (
            SELECT x.doc, x.lead_id FROM lead_list x
             WHERE x.tenant_id = p_tenant AND x.read_version = live
               AND (p_after IS NULL OR x.lead_id > p_after) {conditions}
             ORDER BY x.lead_id LIMIT p_limit + 1
        ) l;
    ELSIF p_sort = 'updatedAt' THEN
        SELECT array_agg(l.doc), array_agg(l.key), array_agg(l.lead_id) INTO docs_found, keys, last_ids FROM (
            SELECT x.doc, x.lead_id, (extract(epoch FROM x.updated_at) * 1000000)::bigint AS key FROM lead_list x
             WHERE x.tenant_id = p_tenant AND x.read_version = live
               AND (p_after IS NULL OR (x.updated_at, x.lead_id) > (moment, p_after)) {conditions}
             ORDER BY x.updated_at, x.lead_id LIMIT p_limit + 1
        ) l;
    ELSIF p_sort = '-updatedAt' THEN
        SELECT array_agg(l.doc), array_agg(l.key), array_agg(l.lead_id) INTO docs_found, keys, last_ids FROM (
            SELECT x.doc, x.lead_id, (extract(epoch FROM x.updated_at) * 1000000)::bigint AS key FROM lead_list x
             WHERE x.tenant_id = p_tenant AND x.read_version = live
               AND (p_after IS NULL OR (x.updated_at, x.lead_id) < (moment, p_after)) {conditions}
             ORDER BY x.updated_at DESC, x.lead_id DESC LIMIT p_limit + 1
        ) l;
    ELSE
        -- One status after the other, from the index that knows each of them newest first.
        SELECT array_agg(l.doc), array_agg(l.key), array_agg(l.lead_id) INTO docs_found, keys, last_ids FROM (
            SELECT o.doc, o.lead_id, s.place AS key
              FROM unnest(statuses) WITH ORDINALITY AS s (status, place)
             CROSS JOIN LATERAL (
                 SELECT x.doc, x.lead_id FROM lead_list x
                  WHERE x.tenant_id = p_tenant AND x.read_version = live AND x.status = s.status
                    AND (p_after IS NULL OR s.place > p_key OR x.lead_id < p_after) {conditions}
                  ORDER BY x.lead_id DESC LIMIT p_limit + 1
             ) o
             WHERE p_after IS NULL OR s.place >= p_key
             ORDER BY s.place, o.lead_id DESC LIMIT p_limit + 1
        ) l;
    END IF;
    many := coalesce(cardinality(last_ids), 0);
    docs := array_to_string(docs_found[1:p_limit], ',');
    last_key := keys[least(many, p_limit)];
    last_id := last_ids[least(many, p_limit)];
    RETURN NEXT;
END
$function$;
