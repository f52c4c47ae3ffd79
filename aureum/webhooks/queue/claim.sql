-- claim_deliveries: leases due deliveries of several tenants to one worker, in one round trip. Called by the owner role.
--
-- Every statement names one tenant and never waits: a lane or a delivery that another worker holds is passed over.
-- A tenant's statements are three, each with a new snapshot: lock lanes that are due; claim, which counts what is in
-- flight now that the lanes are ours; set when the lanes are due next.
--
-- p_room is what each tenant may get, p_limit what all may; p_share what one endpoint may hold. p_host_room and
-- p_host_pause say how many more attempts some hosts may get, and for how many seconds those that get none are to be left
-- alone; every other host may get p_host_share.
--
-- A lane may hold as many deliveries as it has slots: one while it is tried whether its breaker may close, or if it has an
-- order. Of what is due, live deliveries come before replayed ones, the same number from each lane as far as it goes. In
-- an order only the first of a row counts: the lane's (fifo), or that of each of sixteen rows of resources (keyed).
-- "filled": the lane, its host or the claim got all that it may, or the lane has an order: others may be due once this one
-- has ended.
CREATE OR REPLACE FUNCTION claim_deliveries(
    p_tenant uuid[], p_room integer[], p_limit integer, p_share integer, p_plans text[],
    p_host text[], p_host_room integer[], p_host_pause float8[], p_host_share integer,
    p_owner uuid, p_lease_seconds float8
) RETURNS TABLE (
    tenant_id uuid, endpoint_id uuid, "position" bigint, attempt integer, base integer,
    message_id text, event text, body bytea, recorded_at timestamptz, claimed_at timestamptz,
    stream_version integer, host text, mode text, slots smallint, troubled boolean, filled boolean
)
LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off AS $function$
#variable_conflict use_column
DECLARE
    tenant uuid;
    tenant_room integer;
    taken integer := 0;
    taken_hosts text[] := '{}';
    taken_endpoints uuid[];
    lanes uuid[];
    lane_versions integer[];
    lane_hosts text[];
    lane_modes text[];
    lane_rates integer[];
    lane_slots smallint[];
    lane_troubles boolean[];
    lane_rooms integer[];
    lane_tokens float8[];
    place integer;
    r record;
BEGIN
    -- What a crash of the database forgets of a claim is sent again, under the same id.
    PERFORM set_config('synchronous_commit', 'off', true);
    claimed_at := now();
    FOR i IN 1 .. cardinality(p_tenant) LOOP
        tenant := p_tenant[i];
        tenant_room := least(p_room[i], p_limit - taken);
        EXIT WHEN p_limit <= taken;

        SELECT array_agg(x.endpoint_id), array_agg(x.stream_version), array_agg(x.host), array_agg(x.mode),
               array_agg(x.rate_limit), array_agg(x.slots), array_agg(x.troubled), array_agg(x.room),
               array_agg(x.tokens)
          INTO lanes, lane_versions, lane_hosts, lane_modes, lane_rates, lane_slots, lane_troubles, lane_rooms,
               lane_tokens
          FROM (
              SELECT l.endpoint_id, w.stream_version, w.host, w.mode, w.rate_limit, l.slots,
                     l.window_from IS NOT NULL AS troubled,
                     CASE WHEN l.openings > 0 OR w.mode = 'fifo' THEN 1 ELSE least(l.slots, p_share) END AS room,
                     least(w.rate_limit, coalesce(
                         l.tokens + w.rate_limit * extract(epoch FROM now() - l.tokens_at), w.rate_limit
                     ))::float8 AS tokens
                FROM webhook_lanes l
                JOIN webhook_endpoints w
                     ON w.tenant_id = l.tenant_id AND w.endpoint_id = l.endpoint_id
                        AND w.disabled IS NULL AND NOT w.removed
                JOIN brokerages b ON b.tenant_id = l.tenant_id AND NOT b.disabled AND b.plan = ANY (p_plans)
               WHERE l.tenant_id = tenant AND l.next_due <= now()
                 AND CASE WHEN l.openings > 0 OR w.mode = 'fifo' THEN 1 ELSE least(l.slots, p_share) END > (
                         SELECT count(*) FROM webhook_deliveries f
                          WHERE f.tenant_id = tenant AND f.endpoint_id = l.endpoint_id AND f.state = 'leased'
                     )
                 AND NOT EXISTS (
                         SELECT FROM unnest(p_host, p_host_room, p_host_pause) AS h (host, room, pause)
                          WHERE h.host = w.host AND h.room = 0 AND h.pause = 0
                     )
               ORDER BY l.next_due
               LIMIT tenant_room
                 FOR NO KEY UPDATE OF l SKIP LOCKED
          ) AS x;
        CONTINUE WHEN lanes IS NULL;

        IF p_host && lane_hosts THEN
            -- All of the tenant's that lead to a host whose breaker is open; spread, so that they do not come back together.
            UPDATE webhook_lanes l
               SET next_due = x.next_due
              FROM (
                  SELECT y.endpoint_id,
                         claimed_at + h.pause * (1 + (hashtext(y.endpoint_id::text) & 255) / 512.0) * interval '1 second'
                             AS next_due
                    FROM webhook_lanes y
                    JOIN webhook_endpoints w ON w.tenant_id = tenant AND w.endpoint_id = y.endpoint_id
                    JOIN unnest(p_host, p_host_pause) AS h (host, pause) ON h.host = w.host
                   WHERE y.tenant_id = tenant AND y.next_due <= claimed_at AND h.pause > 0
                     FOR NO KEY UPDATE OF y SKIP LOCKED
              ) AS x
             WHERE l.tenant_id = tenant AND l.endpoint_id = x.endpoint_id;
        END IF;

        taken_endpoints := '{}';
        FOR r IN
            WITH lane AS MATERIALIZED (
                SELECT x.endpoint_id, x.place, x.mode, x.host,
                       least(x.tokens, x.room - (
                           SELECT count(*) FROM webhook_deliveries f
                            WHERE f.tenant_id = tenant AND f.endpoint_id = x.endpoint_id AND f.state = 'leased'
                       )) AS room,
                       coalesce(h.room, p_host_share)
                       - (SELECT count(*) FROM unnest(taken_hosts) AS t (host) WHERE t.host = x.host) AS host_room
                  FROM unnest(lanes, lane_modes, lane_hosts, lane_rooms, lane_tokens) WITH ORDINALITY
                       AS x (endpoint_id, mode, host, room, tokens, place)
                  LEFT JOIN unnest(p_host, p_host_room) AS h (host, room) ON h.host = x.host
            ), found AS (
                SELECT l.place AS lane, l.endpoint_id, d.position, d.due_at, c.replayed
                  FROM lane l
                 CROSS JOIN (VALUES (false), (true)) AS c (replayed)
                 CROSS JOIN LATERAL (
                           -- No lane has more slots than 8.
                           SELECT x.position, x.due_at FROM webhook_deliveries x
                            WHERE x.tenant_id = tenant AND x.endpoint_id = l.endpoint_id
                              AND x.state = 'due' AND x.due_at <= now() AND (x.replay_id IS NOT NULL) = c.replayed
                              AND (x.key IS NULL OR l.mode = 'parallel')
                            ORDER BY x.due_at, x.position LIMIT 8
                       ) AS d
                 WHERE l.mode <> 'fifo' AND l.host_room > 0
                UNION ALL
                SELECT l.place, l.endpoint_id, d.position, d.due_at, c.replayed
                  FROM lane l
                 CROSS JOIN (VALUES (false), (true)) AS c (replayed)
                 CROSS JOIN LATERAL (
                           SELECT x.position, x.due_at, x.state FROM webhook_deliveries x
                            WHERE x.tenant_id = tenant AND x.endpoint_id = l.endpoint_id
                              AND (x.replay_id IS NOT NULL) = c.replayed
                            ORDER BY x.position LIMIT 1
                       ) AS d
                 WHERE l.mode = 'fifo' AND l.host_room > 0 AND d.state = 'due' AND d.due_at <= now()
                UNION ALL
                SELECT l.place, l.endpoint_id, d.position, d.due_at, c.replayed
                  FROM lane l
                 CROSS JOIN (VALUES (false), (true)) AS c (replayed)
                 CROSS JOIN generate_series(0, 15) AS k (key)
                 CROSS JOIN LATERAL (
                           SELECT x.position, x.due_at, x.state FROM webhook_deliveries x
                            WHERE x.tenant_id = tenant AND x.endpoint_id = l.endpoint_id AND x.key = k.key
                              AND (x.replay_id IS NOT NULL) = c.replayed
                            ORDER BY x.position LIMIT 1
                       ) AS d
                 WHERE l.mode = 'keyed' AND l.host_room > 0 AND d.state = 'due' AND d.due_at <= now()
            ), placed AS (
                SELECT f.*, l.room, l.host, l.host_room,
                       row_number() OVER (PARTITION BY f.lane ORDER BY f.replayed, f.due_at, f.position) AS place
                  FROM found f
                  JOIN lane l ON l.place = f.lane
            ), of_host AS (
                SELECT p.*, row_number() OVER (PARTITION BY p.host ORDER BY p.replayed, p.place, p.due_at) AS host_place
                  FROM placed p
                 WHERE p.place <= p.room
            ), chosen AS (
                SELECT h.lane, h.endpoint_id, h.position, h.place = h.room OR h.host_place = h.host_room AS filled
                  FROM of_host h
                 WHERE h.host_place <= h.host_room
                 ORDER BY h.replayed, h.place, h.due_at
                 LIMIT tenant_room
            ), held AS (
                SELECT c.lane, c.filled, d.endpoint_id, d.position
                  FROM chosen c
                 CROSS JOIN LATERAL (
                           SELECT x.endpoint_id, x.position FROM webhook_deliveries x
                            WHERE x.tenant_id = tenant AND x.endpoint_id = c.endpoint_id AND x.position = c.position
                              AND x.state = 'due'
                              FOR NO KEY UPDATE SKIP LOCKED
                       ) AS d
            )
            UPDATE webhook_deliveries d
               SET state = 'leased', attempt = d.attempt + 1, lease_owner = p_owner,
                   lease_until = claimed_at + p_lease_seconds * interval '1 second'
              FROM held h, webhook_messages m
             WHERE d.tenant_id = tenant AND d.endpoint_id = h.endpoint_id AND d.position = h.position
               AND m.tenant_id = tenant AND m.position = h.position
            RETURNING h.lane, h.filled, d.endpoint_id, d.position, d.attempt, d.base,
                      m.message_id, m.event, m.body, m.recorded_at
        LOOP
            tenant_id := tenant;
            endpoint_id := r.endpoint_id;
            "position" := r.position;
            attempt := r.attempt;
            base := r.base;
            message_id := r.message_id;
            event := r.event;
            body := r.body;
            recorded_at := r.recorded_at;
            place := r.lane;
            stream_version := lane_versions[place];
            host := lane_hosts[place];
            mode := lane_modes[place];
            slots := lane_slots[place];
            troubled := lane_troubles[place];
            filled := r.filled OR mode <> 'parallel';
            taken_endpoints := taken_endpoints || endpoint_id;
            taken_hosts := taken_hosts || host;
            taken := taken + 1;
            RETURN NEXT;
        END LOOP;

        UPDATE webhook_lanes l
           SET tokens = x.left_over, tokens_at = CASE WHEN x.rate IS NOT NULL THEN claimed_at END,
               next_due = greatest(
                   x.full_at,
                   -- Put off a moment ago: its host is to be left alone.
                   CASE WHEN l.next_due > claimed_at THEN l.next_due END,
                   claimed_at,
                   coalesce(CASE
                       WHEN x.mode = 'fifo' THEN (
                           SELECT min(d.due_at)
                             FROM (VALUES (false), (true)) AS c (replayed)
                            CROSS JOIN LATERAL (
                                      SELECT q.due_at, q.state FROM webhook_deliveries q
                                       WHERE q.tenant_id = tenant AND q.endpoint_id = x.endpoint_id
                                         AND (q.replay_id IS NOT NULL) = c.replayed
                                       ORDER BY q.position LIMIT 1
                                  ) AS d
                            WHERE d.state = 'due'
                       )
                       WHEN x.mode = 'keyed' THEN (
                           SELECT min(d.due_at)
                             FROM (VALUES (false), (true)) AS c (replayed)
                            CROSS JOIN generate_series(0, 16) AS k (key)
                            CROSS JOIN LATERAL (
                                      (SELECT q.due_at, q.state FROM webhook_deliveries q
                                        WHERE q.tenant_id = tenant AND q.endpoint_id = x.endpoint_id AND q.key = k.key
                                          AND (q.replay_id IS NOT NULL) = c.replayed
                                        ORDER BY q.position LIMIT 1)
                                      UNION ALL
                                      -- What was made before the endpoint had an order stands in no row.
                                      (SELECT q.due_at, q.state FROM webhook_deliveries q
                                        WHERE k.key = 16 AND q.tenant_id = tenant AND q.endpoint_id = x.endpoint_id
                                          AND q.state = 'due' AND (q.replay_id IS NOT NULL) = c.replayed
                                          AND q.key IS NULL
                                        ORDER BY q.due_at LIMIT 1)
                                  ) AS d
                            WHERE d.state = 'due'
                       )
                       ELSE (
                           SELECT min(d.due_at)
                             FROM (VALUES (false), (true)) AS c (replayed)
                            CROSS JOIN LATERAL (
                                      SELECT q.due_at FROM webhook_deliveries q
                                       WHERE q.tenant_id = tenant AND q.endpoint_id = x.endpoint_id
                                         AND q.state = 'due' AND (q.replay_id IS NOT NULL) = c.replayed
                                       ORDER BY q.due_at LIMIT 1
                                  ) AS d
                       ) END, 'infinity')
               )
          FROM (
              SELECT u.*, claimed_at + greatest(1 - u.left_over, 0) / u.rate * interval '1 second' AS full_at
                FROM (
                    SELECT u.endpoint_id, u.mode, u.rate,
                           u.tokens - (SELECT count(*) FROM unnest(taken_endpoints) AS t (id) WHERE t.id = u.endpoint_id)
                               AS left_over
                      FROM unnest(lanes, lane_modes, lane_rates, lane_tokens) AS u (endpoint_id, mode, rate, tokens)
                ) AS u
              OFFSET 0
          ) AS x
         WHERE l.tenant_id = tenant AND l.endpoint_id = x.endpoint_id;
    END LOOP;
END
$function$;
