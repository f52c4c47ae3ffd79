-- append_events: one call appends what several commands decided, each to one stream, and updates their read models.
-- It ends in the COMMIT of the calling statement: one round trip, the head rows locked as briefly as can be.
--
-- Whatever may go wrong for one item is decided under its tenant's head lock, as data, before anything is written:
-- an item's answer is a row, never an exception that would fail the others.
--   appended  it is in the log; position is that of its last event
--   version   somebody appended to the stream first; version is what it has now
--   again     the same stream, or the same idempotency key, stands earlier in this call: send it again
--   done      the idempotency key has been used for the same request; answer is what was said then
--   reused    ... for another request
--   held      another session holds the tenant's head (only with p_skip_locked)
--   unknown   there is no such tenant
-- p_key, p_request, p_answer and p_subject are empty where an item has none. The store fills in the statements of the
-- read models below; p_rows has their rows, by name, each with its item.
CREATE OR REPLACE FUNCTION append_events(
    p_tenant uuid[], p_stream uuid[], p_expected integer[],
    p_key bytea[], p_request bytea[], p_answer bytea[], p_subject bytea[],
    e_item integer[], e_version integer[], e_type text[], e_schema smallint[], e_data bytea[], e_metadata bytea[],
    p_rows json, p_lock_timeout text, p_skip_locked boolean
) RETURNS TABLE (item integer, outcome text, "position" bigint, version integer, answer bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $function$
#variable_conflict use_column
DECLARE
    head_tenant uuid[];
    head heads[];
    accepted accepted_append[] := '{}';
    event_ord integer[] := '{}';
    event_position bigint[] := '{}';
    event_hash bytea[] := '{}';
    moved_tenant uuid[] := '{}';
    moved_position bigint[] := '{}';
    moved_hash bytea[] := '{}';
    -- Taken under the lock: never earlier than what the tenant recorded before.
    moment timestamptz;
    r record;
    last_item integer := 0;
    state text;
    tenant uuid;
    place bigint;
    chain bytea;
BEGIN
    PERFORM set_config('lock_timeout', p_lock_timeout, true);
    -- Statement 1 takes the locks, in the order of the tenants: two calls never wait for each other in a circle.
    IF p_skip_locked THEN
        SELECT array_agg(h.tenant_id), array_agg(h::heads) INTO head_tenant, head FROM (
            SELECT * FROM heads WHERE tenant_id = ANY (p_tenant) ORDER BY tenant_id FOR NO KEY UPDATE SKIP LOCKED
        ) h;
    ELSE
        SELECT array_agg(h.tenant_id), array_agg(h::heads) INTO head_tenant, head FROM (
            SELECT * FROM heads WHERE tenant_id = ANY (p_tenant) ORDER BY tenant_id FOR NO KEY UPDATE
        ) h;
    END IF;
    moment := clock_timestamp();
    -- Statement 2 looks with a new snapshot: it sees what was committed while we waited.
    FOR r IN
        SELECT i.ord, i.tenant_id, i.stream_id, i.expected, i.key, i.request,
               h.position AS head_position, h.hash AS head_hash, h.lead_list_version, h.lead_counts_version,
               d.request_hash AS done_request, d.answer AS done_answer,
               CASE WHEN i.expected <> 0 THEN (
                   SELECT max(v.version) FROM events v WHERE v.tenant_id = i.tenant_id AND v.stream_id = i.stream_id
               ) END AS found,
               CASE WHEN i.ord > first_value(i.ord) OVER (PARTITION BY i.tenant_id, i.stream_id ORDER BY i.ord)
                      OR i.key IS NOT NULL
                         AND i.ord > first_value(i.ord) OVER (PARTITION BY i.tenant_id, i.key ORDER BY i.ord)
               THEN true ELSE false END AS repeated,
               e.ord AS e_ord, e.version AS e_version, e.type, e.schema_version, e.data, e.metadata
          FROM (
                  SELECT u.tenant_id, u.stream_id, u.expected, nullif(u.key, '') AS key, u.request, u.ord
                    FROM unnest(p_tenant, p_stream, p_expected, p_key, p_request)
                         WITH ORDINALITY AS u (tenant_id, stream_id, expected, key, request, ord)
               ) AS i
          JOIN unnest(e_item, e_version, e_type, e_schema, e_data, e_metadata)
               WITH ORDINALITY AS e (item, version, type, schema_version, data, metadata, ord) ON e.item = i.ord
          LEFT JOIN unnest(head) AS h ON h.tenant_id = i.tenant_id
          LEFT JOIN idempotency_keys d
               ON d.tenant_id = i.tenant_id AND d.key = i.key AND d.recorded_at > moment - interval '24 hours'
         ORDER BY i.tenant_id, i.ord, e.ord
    LOOP
        IF r.ord <> last_item THEN
            last_item := r.ord;
            IF r.tenant_id IS DISTINCT FROM tenant THEN
                IF tenant IS NOT NULL THEN
                    moved_tenant := moved_tenant || tenant;
                    moved_position := moved_position || place;
                    moved_hash := moved_hash || chain;
                END IF;
                tenant := NULL;
                IF r.head_position IS NOT NULL THEN
                    tenant := r.tenant_id;
                    place := r.head_position;
                    chain := r.head_hash;
                END IF;
            END IF;
            state := CASE
                WHEN r.head_position IS NULL THEN 'held'
                WHEN r.done_request = r.request THEN 'done'
                WHEN r.done_request IS NOT NULL THEN 'reused'
                WHEN r.repeated THEN 'again'
                WHEN coalesce(r.found, r.expected) <> r.expected THEN 'version'
                ELSE 'appended' END;
            IF state = 'appended' THEN
                accepted := accepted
                    || ROW (r.ord, r.tenant_id, r.lead_list_version, r.lead_counts_version)::accepted_append;
            ELSE
                IF state = 'held' AND NOT EXISTS (SELECT FROM heads x WHERE x.tenant_id = r.tenant_id) THEN
                    state := 'unknown';
                END IF;
                item := r.ord; outcome := state; "position" := NULL; version := r.found; answer := NULL;
                IF state = 'done' THEN answer := r.done_answer; END IF;
                RETURN NEXT;
            END IF;
        END IF;
        IF state = 'appended' THEN
            place := place + 1;
            chain := sha256(chain || uuid_send(r.tenant_id) || uuid_send(r.stream_id) || int4send(r.e_version)
                || int8send(place) || int2send(r.schema_version) || timestamptz_send(moment)
                || int4send(octet_length(r.type)) || convert_to(r.type, 'UTF8')
                || int4send(octet_length(r.data)) || r.data || r.metadata);
            event_ord := event_ord || r.e_ord::integer;
            event_position := event_position || place;
            event_hash := event_hash || chain;
        END IF;
    END LOOP;
    IF tenant IS NOT NULL THEN
        moved_tenant := moved_tenant || tenant;
        moved_position := moved_position || place;
        moved_hash := moved_hash || chain;
    END IF;
    IF cardinality(accepted) = 0 THEN
        RETURN;
    END IF;

    INSERT INTO events (tenant_id, stream_id, version, position, type, schema_version, data, metadata, recorded_at, hash)
    SELECT i.tenant_id, i.stream_id, e.version, n.position, e.type, e.schema_version, e.data, e.metadata, moment, n.hash
      FROM unnest(event_ord, event_position, event_hash) AS n (ord, position, hash)
      JOIN unnest(e_item, e_version, e_type, e_schema, e_data, e_metadata)
           WITH ORDINALITY AS e (item, version, type, schema_version, data, metadata, ord) ON e.ord = n.ord
      JOIN unnest(p_tenant, p_stream) WITH ORDINALITY AS i (tenant_id, stream_id, ord) ON i.ord = e.item;

    UPDATE heads h SET position = n.position, hash = n.hash
      FROM unnest(moved_tenant, moved_position, moved_hash) AS n (tenant_id, position, hash)
     WHERE h.tenant_id = n.tenant_id AND h.position <> n.position;

    INSERT INTO subject_keys (tenant_id, subject_id, wrapped)
    SELECT a.tenant_id, i.stream_id, i.wrapped
      FROM unnest(accepted) AS a
      JOIN unnest(p_stream, p_subject) WITH ORDINALITY AS i (stream_id, wrapped, ord) ON i.ord = a.item
     WHERE i.wrapped <> '';

    IF EXISTS (SELECT FROM unnest(p_key) AS k WHERE k <> '') THEN
        INSERT INTO idempotency_keys AS k (tenant_id, key, request_hash, answer, recorded_at)
        SELECT a.tenant_id, i.key, i.request, i.answer, moment
          FROM unnest(accepted) AS a
          JOIN unnest(p_key, p_request, p_answer) WITH ORDINALITY AS i (key, request, answer, ord) ON i.ord = a.item
         WHERE i.key <> ''
        ON CONFLICT (tenant_id, key) DO UPDATE SET
            request_hash = excluded.request_hash, answer = excluded.answer, recorded_at = excluded.recorded_at;
    END IF;

    -- {read models}

    RETURN QUERY
    SELECT a.item, 'appended'::text, max(n.position), NULL::integer, NULL::bytea
      FROM unnest(accepted) AS a
      JOIN unnest(e_item) WITH ORDINALITY AS e (item, ord) ON e.item = a.item
      JOIN unnest(event_ord, event_position) AS n (ord, position) ON n.ord = e.ord
     GROUP BY a.item;
END
$function$;
