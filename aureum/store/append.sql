-- append_events: one call appends what several commands decided, each to one stream, and updates their read models.
-- It ends in the COMMIT of the calling statement: one round trip, the head rows locked as briefly as can be.
--
-- Whatever may go wrong for one item is decided under its tenant's head lock, as data, before anything is written:
-- an item's answer is a row, never an exception that would fail the others.
--   appended  it is in the log; position is that of its last event
--   version   somebody appended to the stream first; version is what it has now
--   done      the idempotency key has been used for the same request; answer is what was said then
--   reused    ... for another request
--   held      another session holds the tenant's head (only with p_skip_locked)
--   unknown   there is no such tenant
--   stale     the brokerage or its staff has changed since p_site was read; 0 says that it does not matter
--   limited   the client has sent as many forms as one may; retry_at is when it may again
--   taken     another property of the tenant has the slug
-- A stream, or an idempotency key of a tenant, must not stand twice in one call: the writer sees to that, and a unique
-- index refuses the call otherwise.
-- p_key, p_request, p_answer and p_subject are empty where an item has none; p_remember says whether any has a key.
-- p_with is another item, which stands before: both are appended or none. Its stream begins now and its tenant is the same.
-- p_slug is the slug that an item's stream begins with (empty: none).
-- p_client is whose form limit counts (empty: nobody's), p_turn how many of the same client there are up to this one.
-- Item i's events are those from e_first[i] up to e_first[i + 1]. The store fills in the statements of the
-- read models below; p_models names those that have any rows, p_rows has the rows, by name, each with its item.
CREATE OR REPLACE FUNCTION append_events(
    p_tenant uuid[], p_stream uuid[], p_expected integer[],
    p_key bytea[], p_request bytea[], p_answer bytea[], p_subject bytea[], p_remember boolean, e_first integer[],
    e_item integer[], e_version integer[], e_type text[], e_schema integer[], e_data bytea[], e_metadata bytea[],
    p_site integer[], p_client text[], p_turn integer[], p_form_limit integer, p_with integer[],
    p_slug text[],
    p_models text[], p_rows json, p_lock_timeout text, p_skip_locked boolean
) RETURNS TABLE (
    item integer, outcome text, "position" bigint, version integer, answer bytea, retry_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $function$
#variable_conflict use_column
DECLARE
    head_tenant uuid[];
    head_position bigint[];
    head_hash bytea[];
    head_site integer[];
    -- Whose form limit was counted: tenant and client.
    counted text[];
    counted_granted integer[];
    counted_start timestamptz[];
    accepted accepted_append[] := '{}';
    outcomes text[] := '{}';
    -- Of the items before, in the order in which they are decided: read models show none of them yet.
    slugs text[] := '{}';
    event_ord integer[] := '{}';
    event_position bigint[] := '{}';
    event_hash bytea[] := '{}';
    moved_tenant uuid[] := '{}';
    moved_position bigint[] := '{}';
    moved_hash bytea[] := '{}';
    -- Taken under the lock: never earlier than what the tenant recorded before.
    moment timestamptz;
    r record;
    tenant uuid;
    place bigint;
    chain bytea;
BEGIN
    PERFORM set_config('lock_timeout', p_lock_timeout, true);
    -- Statement 1 takes the locks, in the order of the tenants: two calls never wait for each other in a circle.
    IF p_skip_locked THEN
        SELECT array_agg(h.tenant_id), array_agg(h.position), array_agg(h.hash), array_agg(h.site_version)
          INTO head_tenant, head_position, head_hash, head_site
          FROM (
              SELECT * FROM heads WHERE tenant_id = ANY (p_tenant) ORDER BY tenant_id FOR NO KEY UPDATE SKIP LOCKED
          ) h;
    ELSE
        SELECT array_agg(h.tenant_id), array_agg(h.position), array_agg(h.hash), array_agg(h.site_version)
          INTO head_tenant, head_position, head_hash, head_site
          FROM (
              SELECT * FROM heads WHERE tenant_id = ANY (p_tenant) ORDER BY tenant_id FOR NO KEY UPDATE
          ) h;
    END IF;
    moment := clock_timestamp();
    IF p_form_limit > 0 AND EXISTS (SELECT FROM unnest(p_client) AS c WHERE c <> '') THEN
        WITH asking AS (
            SELECT i.tenant_id, convert_to(i.client, 'UTF8') AS bucket, moment, p_form_limit AS rate_limit, 1 AS waiting
              FROM unnest(p_tenant, p_client) AS i (tenant_id, client)
             WHERE i.client <> '' AND i.tenant_id = ANY (head_tenant)
        ), counted AS (
            -- {count requests}
        )
        SELECT array_agg(c.tenant_id || convert_from(c.bucket, 'UTF8')), array_agg(c.granted), array_agg(c.window_start)
          INTO counted, counted_granted, counted_start
          FROM counted c;
    END IF;
    -- Statement 2 looks with a new snapshot: it sees what was committed while we waited. Here and below one array is
    -- unnested and the others are looked up by its places: each array that is unnested costs as much as a small table.
    FOR r IN
        SELECT i.ord, i.tenant_id, p_stream[i.ord] AS stream_id, p_expected[i.ord] AS expected,
               p_request[i.ord] AS request, p_with[i.ord] AS together, p_slug[i.ord] AS slug,
               head_position[h.place] AS head_position, head_hash[h.place] AS head_hash,
               p_site[i.ord] <> 0 AND p_site[i.ord] <> head_site[h.place] AS stale,
               CASE WHEN p_turn[i.ord] > counted_granted[c.place]
                    THEN counted_start[c.place] + interval '60 seconds' END AS retry_at,
               d.request_hash AS done_request, d.answer AS done_answer,
               -- A stream that is to begin is not looked up: if it has begun already, the primary key says so.
               CASE WHEN p_expected[i.ord] > 0 THEN coalesce((
                   SELECT max(v.version) FROM events v WHERE v.tenant_id = i.tenant_id AND v.stream_id = p_stream[i.ord]
               ), 0) END AS found,
               p_slug[i.ord] <> '' AND EXISTS (
                   SELECT FROM property_list x
                    WHERE x.tenant_id = i.tenant_id AND x.slug = p_slug[i.ord]
                      AND x.read_version = (
                          SELECT y.property_list_version FROM heads y WHERE y.tenant_id = i.tenant_id
                      )
               ) AS taken
          FROM unnest(p_tenant) WITH ORDINALITY AS i (tenant_id, ord)
         CROSS JOIN LATERAL (SELECT array_position(head_tenant, i.tenant_id) AS place) h
         CROSS JOIN LATERAL (
             SELECT array_position(counted, i.tenant_id || p_client[i.ord]) AS place
         ) c
          LEFT JOIN idempotency_keys d
               ON p_key[i.ord] <> '' AND d.tenant_id = i.tenant_id AND d.key = p_key[i.ord]
                  AND d.recorded_at > moment - interval '24 hours'
         ORDER BY i.tenant_id, i.ord
    LOOP
        item := r.ord;
        "position" := NULL;
        version := r.found;
        answer := NULL;
        retry_at := r.retry_at;
        outcome := CASE
            WHEN r.together > 0 THEN outcomes[r.together]
            WHEN r.head_position IS NULL THEN 'held'
            WHEN r.stale THEN 'stale'
            WHEN r.retry_at IS NOT NULL THEN 'limited'
            WHEN r.done_request = r.request THEN 'done'
            WHEN r.done_request IS NOT NULL THEN 'reused'
            WHEN coalesce(r.found, r.expected) <> r.expected THEN 'version'
            WHEN r.taken OR r.slug <> '' AND r.tenant_id || r.slug = ANY (slugs) THEN 'taken'
            ELSE 'appended' END;
        outcomes[item] := outcome;
        IF outcome = 'appended' THEN
            IF r.tenant_id IS DISTINCT FROM tenant THEN
                IF tenant IS NOT NULL THEN
                    moved_tenant := moved_tenant || tenant;
                    moved_position := moved_position || place;
                    moved_hash := moved_hash || chain;
                END IF;
                tenant := r.tenant_id;
                place := r.head_position;
                chain := r.head_hash;
            END IF;
            IF r.slug <> '' THEN
                slugs := slugs || (r.tenant_id || r.slug);
            END IF;
            accepted := accepted || ROW (item, tenant)::accepted_append;
            FOR e IN e_first[item] .. e_first[item + 1] - 1 LOOP
                place := place + 1;
                chain := sha256(chain || uuid_send(tenant) || uuid_send(r.stream_id) || int4send(e_version[e])
                    || int8send(place) || int2send(e_schema[e]::smallint) || timestamptz_send(moment)
                    || int4send(octet_length(e_type[e])) || convert_to(e_type[e], 'UTF8')
                    || int4send(octet_length(e_data[e])) || e_data[e] || e_metadata[e]);
                event_ord := event_ord || e;
                event_position := event_position || place;
                event_hash := event_hash || chain;
            END LOOP;
            "position" := place;
        ELSIF outcome = 'done' THEN
            answer := r.done_answer;
        ELSIF outcome = 'held' AND NOT EXISTS (SELECT FROM heads x WHERE x.tenant_id = r.tenant_id) THEN
            outcome := 'unknown';
        END IF;
        RETURN NEXT;
    END LOOP;
    IF tenant IS NULL THEN
        RETURN;
    END IF;
    moved_tenant := moved_tenant || tenant;
    moved_position := moved_position || place;
    moved_hash := moved_hash || chain;

    INSERT INTO events (tenant_id, stream_id, version, position, type, schema_version, data, metadata, recorded_at, hash)
    SELECT p_tenant[e_item[n.e]], p_stream[e_item[n.e]], e_version[n.e], event_position[n.place], e_type[n.e],
           e_schema[n.e], e_data[n.e], e_metadata[n.e], moment, event_hash[n.place]
      FROM unnest(event_ord) WITH ORDINALITY AS n (e, place);

    UPDATE heads h SET position = moved_position[n.place], hash = moved_hash[n.place]
      FROM unnest(moved_tenant) WITH ORDINALITY AS n (tenant_id, place)
     WHERE h.tenant_id = n.tenant_id;

    INSERT INTO subject_keys (tenant_id, subject_id, wrapped)
    SELECT p_tenant[a.item], p_stream[a.item], a.wrapped
      FROM unnest(p_subject) WITH ORDINALITY AS a (wrapped, item)
     WHERE a.wrapped <> '' AND outcomes[a.item] = 'appended';

    IF p_remember THEN
        INSERT INTO idempotency_keys AS k (tenant_id, key, request_hash, answer, recorded_at)
        SELECT a.tenant_id, p_key[a.item], p_request[a.item], p_answer[a.item], moment
          FROM unnest(accepted) AS a
         WHERE p_key[a.item] <> ''
        ON CONFLICT (tenant_id, key) DO UPDATE SET
            request_hash = excluded.request_hash, answer = excluded.answer, recorded_at = excluded.recorded_at;
    END IF;

    -- {read models}
END
$function$;
