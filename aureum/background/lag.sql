-- How far the followers are behind the logs of all tenants (aureum/background/lag.py).
CREATE OR REPLACE FUNCTION follower_lags() RETURNS TABLE (consumer text, events bigint, oldest_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $function$
    -- Of a log that a follower has not looked at yet it has no row.
    -- The events are asked for those alone in which something is ahead: mostly that is none.
    SELECT f.consumer, COALESCE(sum(h.position - COALESCE(c.position, 0)), 0)::int8,
           min(CASE WHEN h.position > COALESCE(c.position, 0) THEN (
               SELECT e.recorded_at FROM events e
                WHERE e.tenant_id = h.tenant_id AND e.position = COALESCE(c.position, 0) + 1
           ) END)
      FROM (SELECT DISTINCT consumer FROM checkpoints) f
     CROSS JOIN heads h
      LEFT JOIN checkpoints c ON c.tenant_id = h.tenant_id AND c.consumer = f.consumer
     GROUP BY f.consumer
     ORDER BY f.consumer
$function$;
