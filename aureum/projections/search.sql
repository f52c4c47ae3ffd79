-- Searching, the same for every list: docs/decisions/search.md. What a search asks comes as JSON
-- (aureum/projections/search.py): of each word 'likes', patterns one of which must hold, and where a typo is forgiven
-- 'near' and 'typo', a pattern that an index finds and the regular expression that must hold with it.

-- One pattern of LIKE as a condition on a column. Of an address the index finds what stands before the @, and the rest
-- is looked for in what it found: the letters of a domain stand in most rows of a list, and to compare the index's lists
-- of these takes twenty times as long.
CREATE OR REPLACE FUNCTION search_like(p_like text, p_column text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = public, pg_temp AS $function$
    SELECT CASE
        WHEN p_like ~ '^%[^@%]*[a-z0-9]{4}[^@%]*@[^@%]+%$'
        THEN format('%1$s LIKE %2$L AND (%1$s || '''') LIKE %3$L', p_column, split_part(p_like, '@', 1) || '@%', p_like)
        ELSE format('%s LIKE %L', p_column, p_like)
    END
$function$;

-- As conditions on a column, each of which begins with AND; the longest word first, which is likely the rarest. The index
-- is not asked for a regular expression: 'near' finds all that it can hold for, and to take it apart costs 10 ms each time.
CREATE OR REPLACE FUNCTION search_condition(p_words text, p_column text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = public, pg_temp AS $function$
BEGIN
    RETURN coalesce((
        SELECT string_agg(format(' AND (%s)', (
                   SELECT string_agg(one.holds, ' OR ') FROM (
                       SELECT search_like(l, p_column) FROM unnest(w.likes) AS l
                        UNION ALL
                       SELECT format('%1$s LIKE %2$L AND (%1$s || '''') ~ %3$L', p_column, n, w.typo) FROM unnest(w.near) AS n
                   ) AS one (holds)
               )), '' ORDER BY (SELECT min(length(l)) FROM unnest(w.likes) AS l) DESC)
          FROM json_to_recordset(p_words::json) AS w (likes text[], near text[], typo text)
    ), '');
END
$function$;

-- The ids of all that a search finds in a list, newest first: the index knows what was copied; rows that are newer than
-- that, or have changed since, are looked at themselves.
CREATE OR REPLACE FUNCTION search_ids(p_list text, p_id text, p_tenant uuid, p_words text) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET search_path = public, pg_temp AS $function$
DECLARE
    live integer;
    copied uuid;
    changed uuid[];
    newer uuid[];
    ids uuid[];
BEGIN
    EXECUTE format('SELECT %I, %I FROM heads WHERE tenant_id = $1', p_list || '_version', p_list || '_searched')
       INTO live, copied USING p_tenant;
    EXECUTE format('SELECT array_agg(%I) FROM %I WHERE tenant_id = $1 AND read_version = $2 AND unsearched', p_id, p_list)
       INTO changed USING p_tenant, live;
    EXECUTE format('SELECT array_agg(x.id) FROM (SELECT x.%2$I AS id FROM %1$I x '
                   'WHERE x.tenant_id = $1 AND x.read_version = $2 AND x.%2$I > $3%3$s ORDER BY x.%2$I DESC) x',
                   p_list, p_id, search_condition(p_words, 'x.search'))
       INTO newer USING p_tenant, live, copied;
    EXECUTE format('SELECT array_agg(s.id) FROM (SELECT s.id FROM searched_texts s '
                   'WHERE s.tenant_id = $1 AND s.list = %1$L AND s.read_version = $2 AND ($3 IS NULL OR s.id <> ALL ($3))%2$s '
                   'ORDER BY s.id DESC) s', p_list, search_condition(p_words, 's.search'))
       INTO ids USING p_tenant, live, changed;
    IF changed IS NOT NULL THEN
        EXECUTE format('SELECT array_agg(f.id ORDER BY f.id DESC) FROM (SELECT unnest($3) UNION ALL SELECT x.%2$I FROM %1$I x '
                       'WHERE x.tenant_id = $1 AND x.read_version = $2 AND x.%2$I = ANY ($4) AND x.%2$I <= $5%3$s) AS f (id)',
                       p_list, p_id, search_condition(p_words, 'x.search'))
           INTO ids USING p_tenant, live, ids, changed, copied;
    END IF;
    RETURN newer || ids;
END
$function$;

-- Copies what is newer in a list than the last copy, some rows at a time and the oldest first, and what has changed
-- since; returns how many rows. It holds the head row, as an append does: so no row comes or changes between.
CREATE OR REPLACE FUNCTION search_copy(p_list text, p_id text, p_tenant uuid, p_rows integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = public, pg_temp AS $function$
DECLARE
    live integer;
    copied uuid;
    last uuid;
    rows integer;
    others integer;
BEGIN
    EXECUTE format('SELECT %I, %I FROM heads WHERE tenant_id = $1 FOR NO KEY UPDATE',
                   p_list || '_version', p_list || '_searched')
       INTO live, copied USING p_tenant;
    EXECUTE format('WITH newer AS ('
                   '    SELECT x.%2$I AS id, x.search FROM %1$I x'
                   '     WHERE x.tenant_id = $1 AND x.read_version = $2 AND x.%2$I > $3 ORDER BY x.%2$I LIMIT $4'
                   '), done AS ('
                   '    INSERT INTO searched_texts (tenant_id, list, read_version, id, search)'
                   '    SELECT $1, %1$L, $2, n.id, coalesce(n.search, '''') FROM newer n'
                   '    ON CONFLICT (tenant_id, list, read_version, id) DO UPDATE SET search = excluded.search'
                   ') SELECT count(*), (array_agg(n.id ORDER BY n.id DESC))[1] FROM newer n', p_list, p_id)
       INTO rows, last USING p_tenant, live, copied, p_rows;
    IF last IS NOT NULL THEN
        EXECUTE format('UPDATE heads SET %I = $2 WHERE tenant_id = $1', p_list || '_searched') USING p_tenant, last;
    END IF;
    EXECUTE format('WITH changed AS ('
                   '    UPDATE %1$I x SET unsearched = false'
                   '     WHERE x.tenant_id = $1 AND x.read_version = $2 AND x.%2$I IN ('
                   '               SELECT y.%2$I FROM %1$I y'
                   '                WHERE y.tenant_id = $1 AND y.read_version = $2 AND y.unsearched LIMIT $3'
                   '           )'
                   '    RETURNING x.%2$I AS id, x.search'
                   '), done AS ('
                   '    INSERT INTO searched_texts (tenant_id, list, read_version, id, search)'
                   '    SELECT $1, %1$L, $2, c.id, coalesce(c.search, '''') FROM changed c'
                   '    ON CONFLICT (tenant_id, list, read_version, id) DO UPDATE SET search = excluded.search'
                   ') SELECT count(*) FROM changed', p_list, p_id)
       INTO others USING p_tenant, live, p_rows;
    DELETE FROM searched_texts s
     WHERE s.tenant_id = p_tenant AND s.ctid = ANY (ARRAY(
               SELECT o.ctid FROM searched_texts o
                WHERE o.tenant_id = p_tenant AND o.list = p_list AND o.read_version < live LIMIT 10 * p_rows
           ));
    RETURN rows + others;
END
$function$;
