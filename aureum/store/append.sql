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
--   again     the client has sent the same form within ten minutes, and what it made is unchanged; answer is its stream
--   taken     another property of the tenant has the slug
-- told_at is what the database's clock says.
-- A stream, a form, or an idempotency key of a tenant, must not stand twice in one call: the writer sees to that, and a unique
-- index refuses the call otherwise.
-- p_key, p_request, p_answer and p_subject are empty where an item has none; p_remember says whether any has a key.
-- p_with is another item, which stands before: both are appended or none. Its tenant is the same; that its
-- stream has not grown meanwhile, the primary key says.
-- p_slug is the slug that an item's stream begins with (empty: none).
-- p_client is whose form limit counts (empty: nobody's), p_turn how many of the same client there are up to this one.
-- Forms that are not stored, being sent again, do not count.
-- p_digest is of who sent a form and what it says (empty: it is no form, or may be sent twice); there are none at all
-- where no item has one.
-- p_writer is the connection that this call came on, p_until the latest moment at which anything is appended: a call that
-- was held up on its way is refused as a whole (AU001).
-- Item i's events are those from e_first[i] up to e_first[i + 1]. The store fills in the statements of the
-- read models below; p_models names those that have any rows, p_rows has the rows, by name, each with its item.
CREATE OR REPLACE FUNCTION append_events(
    p_tenant uuid[], p_stream uuid[], p_expected integer[],
    p_key bytea[], p_request bytea[], p_answer bytea[], p_subject bytea[], p_remember boolean, e_first integer[],
    e_item integer[], e_version integer[], e_type text[], e_schema integer[], e_data bytea[], e_metadata bytea[],
    p_site integer[], p_client text[], p_turn integer[], p_digest bytea[], p_form_limit integer,
    p_with integer[],
    p_slug text[],
    p_models text[], p_rows json, p_writer uuid, p_until float8, p_lock_timeout text, p_skip_locked boolean
) RETURNS TABLE (
    item integer, outcome text, "position" bigint, version integer, answer bytea, retry_at timestamptz,
    told_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $function$
#variable_conflict use_column
DECLARE
    head_tenant uuid[];
    head_position bigint[];
    head_hash bytea[];
    head_recorded timestamptz[];
    head_site integer[];
    -- Forms that were sent before: the item, and the stream that the first one began (none where a key tells).
    made integer;
    again_item integer[] := '{}';
    again_stream uuid[] := '{}';
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
    event_recorded timestamptz[] := '{}';
    moved_tenant uuid[] := '{}';
    moved_position bigint[] := '{}';
    moved_hash bytea[] := '{}';
    moved_recorded timestamptz[] := '{}';
    -- For read models, by item: when the event before the item's last one was recorded in the tenant's log.
    recorded_before timestamptz[] := '{}';
    moment timestamptz;
    -- The tenant's own: the moment, or its last one where the clock of the database has gone back since. So times of a
    -- log never go back, and neither does what is filtered by them.
    recorded timestamptz;
    r record;
    tenant uuid;
    place bigint;
    chain bytea;
BEGIN
    PERFORM set_config('lock_timeout', p_lock_timeout, true);
    -- Statement 1 takes the locks, in the order of the tenants: two calls never wait for each other in a circle.
    IF p_skip_locked THEN
        SELECT array_agg(h.tenant_id), array_agg(h.position), array_agg(h.hash), array_agg(h.recorded_at),
               array_agg(h.site_version)
          INTO head_tenant, head_position, head_hash, head_recorded, head_site
          FROM (
              SELECT * FROM heads WHERE tenant_id = ANY (p_tenant) ORDER BY tenant_id FOR NO KEY UPDATE SKIP LOCKED
          ) h;
    ELSE
        SELECT array_agg(h.tenant_id), array_agg(h.position), array_agg(h.hash), array_agg(h.recorded_at),
               array_agg(h.site_version)
          INTO head_tenant, head_position, head_hash, head_recorded, head_site
          FROM (
              SELECT * FROM heads WHERE tenant_id = ANY (p_tenant) ORDER BY tenant_id FOR NO KEY UPDATE
          ) h;
    END IF;
    -- Whoever sent this has given up waiting, and may have asked what became of it. Asking names the writer first and
    -- takes the heads then; so it either waits for this call or is seen here.
    IF clock_timestamp() > to_timestamp(p_until) OR EXISTS (SELECT FROM given_up_writers g WHERE g.writer = p_writer) THEN
        RAISE EXCEPTION 'nobody waits for this any more' USING ERRCODE = 'AU001';
    END IF;
    moment := clock_timestamp();
    -- Statement 2 and those that follow look with a new snapshot: they see what was committed while we waited.
    IF cardinality(p_digest) > 0 THEN
        -- A form that is sent again finds the first one; any other leaves what the next one finds. If it is not appended
        -- after all, that names a stream without a key, which counts for nothing.
        INSERT INTO recent_forms AS f (tenant_id, digest, stream_id, version, recorded_at)
        SELECT p_tenant[i.ord], i.digest, p_stream[i.ord], e_version[e_first[i.ord + 1] - 1], moment
          FROM unnest(p_digest) WITH ORDINALITY AS i (digest, ord)
         WHERE i.digest <> '' AND p_tenant[i.ord] = ANY (head_tenant)
        ON CONFLICT (tenant_id, digest) DO UPDATE SET
               stream_id = excluded.stream_id, version = excluded.version, recorded_at = excluded.recorded_at
         WHERE f.recorded_at <= excluded.recorded_at - interval '10 minutes'
            OR EXISTS (
                   SELECT FROM events e
                    WHERE e.tenant_id = f.tenant_id AND e.stream_id = f.stream_id AND e.version > f.version
               )
            -- Whoever was erased and comes again begins anew.
            OR NOT EXISTS (SELECT FROM subject_keys s WHERE s.tenant_id = f.tenant_id AND s.subject_id = f.stream_id);
        GET DIAGNOSTICS made = ROW_COUNT;
        IF made < cardinality(array_remove(p_digest, '')) THEN
            SELECT coalesce(array_agg(i.ord), '{}'), coalesce(array_agg(f.stream_id), '{}')
              INTO again_item, again_stream
              FROM unnest(p_digest) WITH ORDINALITY AS i (digest, ord)
             CROSS JOIN LATERAL (
                 SELECT x.stream_id FROM recent_forms x
                  WHERE x.tenant_id = p_tenant[i.ord] AND x.digest = i.digest
                  LIMIT 1
             ) f
             WHERE i.digest <> '' AND p_tenant[i.ord] = ANY (head_tenant) AND f.stream_id <> p_stream[i.ord];
        END IF;
    END IF;
    IF p_form_limit > 0 AND EXISTS (SELECT FROM unnest(p_client) AS c WHERE c <> '') THEN
        IF p_remember THEN
            SELECT again_item || coalesce(array_agg(i.ord), '{}') INTO again_item
              FROM unnest(p_key) WITH ORDINALITY AS i (key, ord)
             WHERE i.key <> '' AND p_client[i.ord] <> ''
               AND EXISTS (
                       SELECT FROM idempotency_keys d
                        WHERE d.tenant_id = p_tenant[i.ord] AND d.key = i.key
                          AND d.recorded_at > moment - interval '24 hours'
                   );
        END IF;
        WITH asking AS (
            SELECT i.tenant_id, convert_to(p_client[i.ord], 'UTF8') AS bucket, moment, p_form_limit AS rate_limit,
                   1 AS waiting
              FROM unnest(p_tenant) WITH ORDINALITY AS i (tenant_id, ord)
             WHERE p_client[i.ord] <> '' AND i.tenant_id = ANY (head_tenant) AND i.ord <> ALL (again_item)
        ), counted AS (
            -- {count requests}
        )
        SELECT array_agg(c.tenant_id || convert_from(c.bucket, 'UTF8')), array_agg(c.granted), array_agg(c.window_start)
          INTO counted, counted_granted, counted_start
          FROM counted c;
    END IF;
    -- Here and below one array is unnested and the others are looked up by its places: each array that is unnested costs
    -- as much as a small table.
    FOR r IN
        SELECT i.ord, i.tenant_id, p_stream[i.ord] AS stream_id, p_expected[i.ord] AS expected,
               p_request[i.ord] AS request, p_with[i.ord] AS together, p_slug[i.ord] AS slug,
               head_position[h.place] AS head_position, head_hash[h.place] AS head_hash,
               head_recorded[h.place] AS head_recorded,
               p_site[i.ord] <> 0 AND p_site[i.ord] <> head_site[h.place] AS stale,
               again_stream[array_position(again_item, i.ord::integer)] AS again,
               CASE WHEN p_turn[i.ord] - CASE WHEN again_item = '{}' THEN 0 ELSE (
                        SELECT count(*) FROM unnest(again_item) AS x
                         WHERE x < i.ord AND p_tenant[x] = i.tenant_id AND p_client[x] = p_client[i.ord]
                    ) END > counted_granted[c.place]
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
        told_at := moment;
        outcome := CASE
            WHEN r.together > 0 THEN outcomes[r.together]
            WHEN r.head_position IS NULL THEN 'held'
            WHEN r.stale THEN 'stale'
            WHEN r.again IS NOT NULL THEN 'again'
            WHEN r.done_request = r.request THEN 'done'
            WHEN r.done_request IS NOT NULL THEN 'reused'
            WHEN r.retry_at IS NOT NULL THEN 'limited'
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
                    moved_recorded := moved_recorded || recorded;
                END IF;
                tenant := r.tenant_id;
                place := r.head_position;
                chain := r.head_hash;
                recorded := greatest(moment, r.head_recorded);
            END IF;
            recorded_before[item] := CASE
                WHEN place = r.head_position AND e_first[item + 1] - e_first[item] = 1 THEN r.head_recorded
                ELSE recorded END;
            IF r.slug <> '' THEN
                slugs := slugs || (r.tenant_id || r.slug);
            END IF;
            accepted := accepted || ROW (item, tenant)::accepted_append;
            FOR e IN e_first[item] .. e_first[item + 1] - 1 LOOP
                place := place + 1;
                chain := sha256(chain || uuid_send(tenant) || uuid_send(r.stream_id) || int4send(e_version[e])
                    || int8send(place) || int2send(e_schema[e]::smallint) || timestamptz_send(recorded)
                    || int4send(octet_length(e_type[e])) || convert_to(e_type[e], 'UTF8')
                    || int4send(octet_length(e_data[e])) || e_data[e] || e_metadata[e]);
                event_ord := event_ord || e;
                event_position := event_position || place;
                event_hash := event_hash || chain;
                event_recorded := event_recorded || recorded;
            END LOOP;
            "position" := place;
        ELSIF outcome = 'done' THEN
            answer := r.done_answer;
        ELSIF outcome = 'again' THEN
            answer := uuid_send(r.again);
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
    moved_recorded := moved_recorded || recorded;

    INSERT INTO events (tenant_id, stream_id, version, position, type, schema_version, data, metadata, recorded_at, hash)
    SELECT p_tenant[e_item[n.e]], p_stream[e_item[n.e]], e_version[n.e], event_position[n.place], e_type[n.e],
           e_schema[n.e], e_data[n.e], e_metadata[n.e], event_recorded[n.place], event_hash[n.place]
      FROM unnest(event_ord) WITH ORDINALITY AS n (e, place);

    UPDATE heads h SET position = moved_position[n.place], hash = moved_hash[n.place],
           recorded_at = moved_recorded[n.place]
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
