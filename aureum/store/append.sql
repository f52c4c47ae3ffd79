-- append_events: one call appends what several commands decided, each to one stream, and updates their read models.
-- It ends in the COMMIT of the calling statement: one round trip, the head rows locked as briefly as can be.
--
-- Whatever may go wrong for one item is decided under its tenant's head lock, as data, before anything is written:
-- an item's answer is a row, never an exception that would fail the others.
--   appended  it is in the log; position is that of its last event
--   version   the stream has grown since it was read; version is what it has now
--   done      the idempotency key has been used for the same request; answer is what was said then
--   reused    ... for another request
--   held      another session holds the tenant's head (only with p_skip_locked)
--   unknown   there is no such tenant
-- and, where a guard (aureum/store/guards.py) does not hold:
--   stale     the tenant's lines in the directories have changed since directory_version
--   again     the same has begun a stream within its time, and that stream is unchanged; answer is the stream
--   limited   the counter has reached its limit; retry_at is when it begins again
--   taken     another stream has the name
--   full      choices of a turn have been chosen as often as they may in the window; answer has their ids
-- told_at is what the database's clock says.
--
-- A stream, an idempotency key, what is appended once, or a name, must not stand twice in one call: the writer sees to
-- that, and a unique index refuses the call otherwise. It sees to it, too, that no prior stands twice for one tenant.
-- p_priors are by their places in p_turns what earlier streams are found by; the nil UUID is none. The choices of a turn
-- are left out (NULL) if those of the tenant's turn before it, in the order of items, are the same.
-- p_items are explained where their type is made (migrations/0018_guards.sql); p_tenants are theirs, each once. The store
-- fills in the statements of the read models below; p_models names those that have any rows, p_rows has the rows of
-- each, every row with its item.
-- p_writer is the connection that this call came on, p_until the latest moment at which anything is appended: a call that
-- was held up on its way is refused as a whole (AU001).
CREATE OR REPLACE FUNCTION append_events(
    p_tenants uuid[], p_items append_item[], p_models text[], p_rows json[], p_writer uuid, p_until float8,
    p_lock_timeout text, p_skip_locked boolean, p_turns append_turn[] DEFAULT '{}', p_priors uuid[] DEFAULT '{}'
) RETURNS TABLE (
    item integer, outcome text, "position" bigint, version integer, answer bytea, retry_at timestamptz,
    told_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
-- Whatever is looked up has an index. A plan that is made while tables are empty would read them whole, and stay.
-- Such a plan counts as so dear that up to PostgreSQL 17 it would be compiled first (jit), which takes half a second.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $function$
#variable_conflict use_column
DECLARE
    -- Arrays are NULL until something is in them. To begin each with an empty one would cost every call an expression.
    lock_timeout text;
    -- The heads that this call holds, in the order of the tenants.
    held log_head[];
    moment timestamptz;
    r record;
    i append_item;
    e append_event;
    -- The tenant whose items are decided; its head as it is after those before (NULL: not held), and its place.
    tenant uuid;
    head log_head;
    place integer := 0;
    -- The tenant's own: the moment, or its last one where the clock of the database has gone back since. So times of a
    -- log never go back, and neither does what is filtered by them.
    recorded timestamptz;
    again uuid;
    counter integer;
    -- By item: what became of it; whose log it is in (NULL: in none); for read models, when the event before its last one
    -- was recorded in that log.
    outcomes text[];
    tenants uuid[];
    recorded_before timestamptz[];
    -- What is written in the end.
    new_events events[];
    new_subject_keys subject_keys[];
    new_answers idempotency_keys[];
    new_names taken_names[];
    new_streams recent_streams[];
    -- Counters in this minute: "used" before this call, "granted" in it.
    counters text[];
    counts rate_limits[];
    -- Turns: the place in p_turns by item. Of the one that the item's append chooses, its place among the choices and,
    -- if this call has chosen it before, in new_turns. Which choices are full.
    turn_of integer[];
    t append_turn;
    best integer[];
    chosen append_choice;
    times integer;
    full_choices bytea;
    new_turns turns[];
    -- Whether this call has chosen for the tenant before.
    once_more boolean;
    -- The tenant's last choices, and what was looked up of them: whose turn it is, which are full, and if only the order
    -- counts, the places of all in it. Where those that are chosen in this order begin in new_turns, and how many they are.
    line_choices append_choice[];
    line_choice integer;
    line_full bytea;
    line_places integer[];
    line_begins integer;
    moved integer;
    place_in_line integer;
    -- Of a person that the tenant knows (no column has this variable's name): the agent who is chosen without a turn, and
    -- the texts that are replaced.
    asker uuid;
    earlier_one uuid;
    earlier_shown text;
    replaced text[];
    -- Whether the chosen one takes the placeholder's place, and nothing else is replaced.
    plainly boolean;
    -- Whether all streams that are appended to begin.
    all_begin boolean := true;
    late_models text[];
    late_rows text[];
    late text[];
    -- The read models that change.
    changed_models text[];
    rows json;
BEGIN
    -- An assignment of this kind is evaluated without a statement of its own.
    lock_timeout := set_config('lock_timeout', p_lock_timeout, true);
    -- Statement 1 takes the locks, in the order of the tenants: two calls never wait for each other in a circle.
    IF p_skip_locked THEN
        held := ARRAY(
            SELECT ROW (h.tenant_id, h.position, h.hash, h.recorded_at, h.directory_version)::log_head
              FROM heads h
             WHERE h.tenant_id = ANY (p_tenants)
             ORDER BY h.tenant_id
               FOR NO KEY UPDATE SKIP LOCKED
        );
    ELSE
        held := ARRAY(
            SELECT ROW (h.tenant_id, h.position, h.hash, h.recorded_at, h.directory_version)::log_head
              FROM heads h
             WHERE h.tenant_id = ANY (p_tenants)
             ORDER BY h.tenant_id
               FOR NO KEY UPDATE
        );
    END IF;
    moment := clock_timestamp();
    told_at := moment;

    FOR n IN 1 .. cardinality(p_turns) LOOP
        turn_of[p_turns[n].item] := n;
    END LOOP;
    -- Statement 2 looks up all that decides. It has a new snapshot: it sees what was committed while we waited.
    FOR r IN
        SELECT i.item, done.request_hash AS done_request, done.answer AS done_answer, same.stream_id AS same_stream,
               same.version AS same_version, same.expires_at AS same_until, count.window_start, count.used,
               -- A stream that is to begin is not looked up: if it has begun already, the primary key says so.
               CASE WHEN i.expected > 0 THEN coalesce((
                   SELECT max(v.version) FROM events v WHERE v.tenant_id = i.tenant_id AND v.stream_id = i.stream_id
               ), 0) END AS version,
               EXISTS (
                   SELECT FROM taken_names t
                    WHERE t.tenant_id = i.tenant_id AND t.purpose = i.purpose AND t.name = i.name
               ) AS taken,
               turn.choice, turn.full_choices, turn.places, own.prior, prior.known,
               moment > to_timestamp(p_until) OR EXISTS (
                   SELECT FROM given_up_writers g WHERE g.writer = p_writer
               ) AS given_up
          FROM unnest(p_items) WITH ORDINALITY AS i (
                   tenant_id, stream_id, expected, leader, events, subject_key,
                   directory_version, counter, most, once, once_seconds, purpose, name, key, request, answer, item
               )
          LEFT JOIN LATERAL (
              SELECT d.request_hash, d.answer FROM idempotency_keys d
               WHERE d.tenant_id = i.tenant_id AND d.key = i.key AND d.recorded_at > moment - interval '24 hours'
               LIMIT 1
          ) done ON true
          LEFT JOIN LATERAL (
              SELECT s.stream_id, s.version, s.expires_at FROM recent_streams s
               WHERE s.tenant_id = i.tenant_id AND s.once = i.once
               LIMIT 1
          ) same ON true
          LEFT JOIN LATERAL (
              SELECT c.window_start, c.used FROM rate_limits c
               WHERE c.tenant_id = i.tenant_id AND c.bucket = convert_to(i.counter, 'UTF8')
                 AND c.window_start > moment - interval '60 seconds'
               LIMIT 1
          ) count ON true
          LEFT JOIN LATERAL (
              SELECT w.*, nullif(p_priors[turn_of[i.item]], '00000000-0000-0000-0000-000000000000') AS prior
                FROM unnest(p_turns[turn_of[i.item] : turn_of[i.item]]) AS w
          ) own ON turn_of[i.item] IS NOT NULL
          LEFT JOIN LATERAL (
              SELECT (min(ARRAY[CASE WHEN own.fewest THEN c.times ELSE 0 END, c.last, c.place]))[3] AS choice,
                     string_agg(uuid_send(c.id), '') FILTER (WHERE c.times >= c.most) AS full_choices,
                     CASE WHEN NOT own.fewest AND count(c.most) = 0
                          THEN array_agg(c.place ORDER BY c.last, c.place) END AS places
                FROM (
                    SELECT n.id, n.most, n.place, coalesce(s.position, 0) AS last,
                           CASE WHEN s.window_name = own.window_name THEN s.times ELSE 0 END AS times
                      FROM unnest(own.choices) WITH ORDINALITY AS n (id, shown, most, place)
                      LEFT JOIN turns s ON s.tenant_id = i.tenant_id AND s.name = n.id
                ) c
          ) turn ON own.choices IS NOT NULL
          LEFT JOIN LATERAL (
-- {known}
          ) prior ON own.prior IS NOT NULL
         ORDER BY i.tenant_id, i.item
    LOOP
        -- The caller may have given up waiting, and have asked what became of this. Asking names the writer first and
        -- takes the heads then; so it either waits for this call or is seen here.
        IF r.given_up THEN
            RAISE EXCEPTION 'nobody waits for this any more' USING ERRCODE = 'AU001';
        END IF;
        i := p_items[r.item];
        IF i.tenant_id IS DISTINCT FROM tenant THEN
            tenant := i.tenant_id;
            IF held[place + 1].tenant_id = tenant THEN
                place := place + 1;
                head := held[place];
            ELSE
                head := NULL;
            END IF;
            recorded := greatest(moment, head.recorded_at);
        END IF;
        again := NULL;
        IF r.same_stream IS NOT NULL AND head.tenant_id IS NOT NULL THEN
            SELECT k.subject_id INTO again FROM subject_keys k
             -- An erased person who comes again begins another stream.
             WHERE r.same_until > moment AND k.tenant_id = tenant AND k.subject_id = r.same_stream
               AND NOT EXISTS (
                       SELECT FROM events v
                        WHERE v.tenant_id = tenant AND v.stream_id = r.same_stream AND v.version > r.same_version
                   );
            IF again IS NULL THEN
                DELETE FROM recent_streams s WHERE s.tenant_id = tenant AND s.once = i.once;
            END IF;
        END IF;
        IF i.counter IS NOT NULL THEN
            counter := array_position(counters, tenant || i.counter);
            IF counter IS NULL THEN
                counters := counters || (tenant || i.counter);
                counts := counts || ROW (
                    tenant, convert_to(i.counter, 'UTF8'), coalesce(r.window_start, moment), i.most, coalesce(r.used, 0), 0
                )::rate_limits;
                counter := cardinality(counters);
            END IF;
        END IF;
        chosen := NULL;
        full_choices := NULL;
        IF turn_of[r.item] IS NOT NULL THEN
            t := p_turns[turn_of[r.item]];
            once_more := new_turns[cardinality(new_turns)].tenant_id = tenant;
            IF t.choices IS NULL THEN
                t.choices := line_choices;
            ELSE
                line_choices := t.choices;
                line_choice := r.choice;
                line_full := r.full_choices;
                line_places := CASE WHEN NOT coalesce(once_more, false) THEN r.places END;
                line_begins := coalesce(cardinality(new_turns), 0);
                moved := 0;
            END IF;
            IF line_places IS NOT NULL THEN
                -- Agents that earlier items have chosen have gone to its end, one after the other.
                place_in_line := moved % cardinality(line_places) + 1;
                best := ARRAY[
                    line_places[place_in_line],
                    CASE WHEN moved >= cardinality(line_places) THEN line_begins + place_in_line END
                ];
            ELSIF once_more THEN
                -- Including the choices of earlier items.
                SELECT (min(ARRAY[CASE WHEN t.fewest THEN c.times ELSE 0 END, c.last, c.place, c.found]))[3:4],
                       string_agg(uuid_send(c.id), '') FILTER (WHERE c.times >= c.most)
                  INTO best, full_choices
                  FROM (
                      SELECT n.id, n.most, n.place, m.found, coalesce(m.position, s.position, 0) AS last,
                             CASE WHEN m.window_name = t.window_name THEN m.times ELSE 0 END
                             + CASE WHEN s.window_name = t.window_name
                                     AND coalesce(m.window_name, s.window_name) = s.window_name
                                    THEN s.times ELSE 0 END AS times
                        FROM unnest(t.choices) WITH ORDINALITY AS n (id, shown, most, place)
                        LEFT JOIN turns s ON s.tenant_id = tenant AND s.name = n.id
                        LEFT JOIN unnest(new_turns) WITH ORDINALITY AS m (
                                  tenant_id, name, position, window_name, times, found
                              ) ON m.tenant_id = tenant AND m.name = n.id
                  ) c;
            ELSE
                best := ARRAY[line_choice, NULL];
                full_choices := line_full;
            END IF;
            chosen := t.choices[best[1]];
        END IF;
        outcome := CASE
            WHEN i.leader > 0 THEN outcomes[i.leader]
            WHEN head.tenant_id IS NULL THEN 'held'
            WHEN i.directory_version <> head.directory_version THEN 'stale'
            WHEN again IS NOT NULL THEN 'again'
            WHEN r.done_request = i.request THEN 'done'
            WHEN r.done_request IS NOT NULL THEN 'reused'
            WHEN i.counter IS NOT NULL AND counts[counter].used + counts[counter].granted >= i.most THEN 'limited'
            WHEN r.version <> i.expected THEN 'version'
            WHEN r.taken THEN 'taken'
            WHEN full_choices IS NOT NULL THEN 'full'
            ELSE 'appended' END;
        item := r.item;
        outcomes[item] := outcome;
        version := r.version;
        IF outcome = 'appended' THEN
            tenants[item] := tenant;
            all_begin := all_begin AND i.expected = 0;
            earlier_one := NULL;
            replaced := NULL;
            IF r.known THEN
                -- Two items with the same prior are never in one call, so what this one appends is not asked for in it.
                asker := r.prior;
                SELECT e.one, e.shown, e.replaced INTO earlier_one, earlier_shown, replaced FROM (
-- {prior}
                ) e;
                IF earlier_one IS NOT NULL THEN
                    chosen := ROW (earlier_one, earlier_shown, NULL)::append_choice;
                END IF;
            END IF;
            plainly := chosen.id IS NOT NULL AND replaced IS NULL;
            recorded_before[item] := CASE WHEN cardinality(i.events) = 1 THEN head.recorded_at ELSE recorded END;
            FOREACH e IN ARRAY i.events LOOP
                IF turn_of[r.item] IS NULL OR plainly AND chosen.id = t.placeholder THEN
                    NULL;
                ELSIF plainly THEN
                    e.data := convert_to(
                        replace(convert_from(e.data, 'UTF8'), t.placeholder::text, chosen.id::text), 'UTF8'
                    );
                ELSE
                    e.data := convert_to(with_chosen(
                        convert_from(e.data, 'UTF8'), t.placeholder, t.placeholder_shown, chosen, replaced
                    ), 'UTF8');
                END IF;
                head.position := head.position + 1;
                head.hash := sha256(head.hash || uuid_send(tenant) || uuid_send(i.stream_id) || int4send(e.version)
                    || int8send(head.position) || int2send(e.schema_version) || timestamptz_send(recorded)
                    || int4send(octet_length(e.type)) || convert_to(e.type, 'UTF8')
                    || int4send(octet_length(e.data)) || e.data || e.metadata);
                head.recorded_at := recorded;
                new_events := new_events || ROW (
                    tenant, i.stream_id, e.version, head.position, e.type, e.schema_version, e.data, e.metadata, recorded,
                    head.hash
                )::events;
            END LOOP;
            held[place] := head;
            IF turn_of[r.item] IS NOT NULL THEN
                FOR n IN 1 .. cardinality(t.rows) LOOP
                    late_models := late_models || t.models[n];
                    late_rows := late_rows || CASE
                        WHEN plainly THEN replace(
                            replace(t.rows[n], t.placeholder::text, chosen.id::text), t.placeholder_shown, chosen.shown
                        )
                        ELSE with_chosen(t.rows[n], t.placeholder, t.placeholder_shown, chosen, replaced) END;
                END LOOP;
            END IF;
            IF chosen.id IS NULL OR earlier_one IS NOT NULL THEN
                NULL;
            ELSIF best[2] IS NULL THEN
                new_turns := new_turns || ROW (tenant, chosen.id, head.position, t.window_name, 1)::turns;
            ELSE
                times := CASE WHEN new_turns[best[2]].window_name = t.window_name
                              THEN new_turns[best[2]].times ELSE 0 END + 1;
                new_turns[best[2]] := ROW (tenant, chosen.id, head.position, t.window_name, times)::turns;
            END IF;
            moved := moved + CASE WHEN chosen.id IS NULL OR earlier_one IS NOT NULL THEN 0 ELSE 1 END;
            IF i.subject_key IS NOT NULL THEN
                new_subject_keys := new_subject_keys || ROW (tenant, i.stream_id, i.subject_key)::subject_keys;
            END IF;
            IF i.key IS NOT NULL THEN
                new_answers := new_answers || ROW (tenant, i.key, i.request, i.answer, moment)::idempotency_keys;
            END IF;
            IF i.name IS NOT NULL THEN
                new_names := new_names || ROW (tenant, i.purpose, i.name, i.stream_id)::taken_names;
            END IF;
            IF i.once IS NOT NULL THEN
                new_streams := new_streams || ROW (
                    tenant, i.once, i.stream_id, e.version, moment + make_interval(secs => i.once_seconds)
                )::recent_streams;
            END IF;
            IF i.counter IS NOT NULL THEN
                counts[counter].granted := counts[counter].granted + 1;
            END IF;
        ELSIF outcome = 'held' AND NOT EXISTS (SELECT FROM heads h WHERE h.tenant_id = tenant) THEN
            outcome := 'unknown';
        END IF;
        "position" := CASE WHEN outcome = 'appended' THEN head.position END;
        answer := CASE outcome
            WHEN 'appended' THEN uuid_send(chosen.id)
            WHEN 'done' THEN r.done_answer
            WHEN 'again' THEN uuid_send(again)
            WHEN 'full' THEN full_choices END;
        retry_at := CASE WHEN outcome = 'limited' THEN counts[counter].window_start + interval '60 seconds' END;
        RETURN NEXT;
    END LOOP;
    IF tenants IS NULL THEN
        RETURN;
    END IF;

    INSERT INTO events (tenant_id, stream_id, version, position, type, schema_version, data, metadata, recorded_at, hash)
    SELECT n.tenant_id, n.stream_id, n.version, n.position, n.type, n.schema_version, n.data, n.metadata, n.recorded_at,
           n.hash
      FROM unnest(new_events) AS n;

    UPDATE heads h SET position = n.position, hash = n.hash, recorded_at = n.recorded_at
      FROM unnest(held) AS n
     WHERE h.tenant_id = n.tenant_id AND h.position < n.position;

    IF cardinality(new_subject_keys) > 0 THEN
        INSERT INTO subject_keys (tenant_id, subject_id, wrapped)
        SELECT n.tenant_id, n.subject_id, n.wrapped FROM unnest(new_subject_keys) AS n;
    END IF;
    IF cardinality(new_answers) > 0 THEN
        INSERT INTO idempotency_keys AS k (tenant_id, key, request_hash, answer, recorded_at)
        SELECT n.tenant_id, n.key, n.request_hash, n.answer, n.recorded_at FROM unnest(new_answers) AS n
        ON CONFLICT (tenant_id, key) DO UPDATE SET
            request_hash = excluded.request_hash, answer = excluded.answer, recorded_at = excluded.recorded_at;
    END IF;
    IF cardinality(new_names) > 0 THEN
        INSERT INTO taken_names (tenant_id, purpose, name, stream_id)
        SELECT n.tenant_id, n.purpose, n.name, n.stream_id FROM unnest(new_names) AS n;
    END IF;
    IF cardinality(new_streams) > 0 THEN
        INSERT INTO recent_streams (tenant_id, once, stream_id, version, expires_at)
        SELECT n.tenant_id, n.once, n.stream_id, n.version, n.expires_at FROM unnest(new_streams) AS n;
    END IF;
    IF cardinality(new_turns) > 0 THEN
        INSERT INTO turns AS s (tenant_id, name, position, window_name, times)
        SELECT n.tenant_id, n.name, n.position, n.window_name, n.times FROM unnest(new_turns) AS n
        ON CONFLICT (tenant_id, name) DO UPDATE SET
            position = excluded.position, window_name = excluded.window_name,
            times = CASE WHEN s.window_name = excluded.window_name THEN s.times ELSE 0 END + excluded.times;
    END IF;
    -- What another append counts in the same row meanwhile is not forgotten.
    IF cardinality(counts) > 0 THEN
        INSERT INTO rate_limits AS c (tenant_id, bucket, window_start, allowed, used, granted)
        SELECT n.tenant_id, n.bucket, n.window_start, n.allowed, n.used + n.granted, n.granted
          FROM unnest(counts) AS n
         WHERE n.granted > 0
         ORDER BY n.tenant_id, n.bucket
        ON CONFLICT (tenant_id, bucket) DO UPDATE SET
            window_start = greatest(c.window_start, excluded.window_start), allowed = excluded.allowed,
            used = CASE WHEN c.window_start < excluded.window_start THEN 0 ELSE c.used END + excluded.granted,
            granted = excluded.granted;
    END IF;

    -- {read models}
END
$function$;

-- A text of an append with each of 'replaced', by turns the old text and what stands in its place; then with the one
-- whom the append chose in the placeholder's place, or null if that is none. The text is JSON, or JSON with documents in
-- it as texts.
CREATE OR REPLACE FUNCTION with_chosen(
    p_text text, p_placeholder uuid, p_placeholder_shown text, p_chosen append_choice, p_replaced text[]
) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = public, pg_temp AS $function$
BEGIN
    FOR n IN 1 .. coalesce(cardinality(p_replaced), 0) / 2 LOOP
        p_text := coalesce(replace(p_text, p_replaced[2 * n - 1], p_replaced[2 * n]), p_text);
    END LOOP;
    IF p_chosen.id IS NULL THEN
        p_text := replace(p_text, '\"' || p_placeholder || '\"', 'null');
        p_text := replace(p_text, '\"' || p_placeholder_shown || '\"', 'null');
        RETURN replace(p_text, '"' || p_placeholder || '"', 'null');
    END IF;
    IF p_chosen.id = p_placeholder THEN
        RETURN p_text;
    END IF;
    RETURN replace(replace(p_text, p_placeholder::text, p_chosen.id::text), p_placeholder_shown, p_chosen.shown);
END
$function$;
