-- Of several tenants those whose logs have gone on, with the aggregates of the new events; NULL where these are more than
-- p_far (aureum/http/panel/listeners.py). It tells kinds of resources, and nothing of any of them.
CREATE OR REPLACE FUNCTION logs_changed(p_tenants uuid[], p_seen bigint[], p_far bigint)
RETURNS TABLE (tenant_id uuid, "position" bigint, kinds text[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $function$
    SELECT h.tenant_id, h.position, (
               SELECT array_agg(DISTINCT split_part(e.type, '.', 1)) FROM events e
                WHERE e.tenant_id = h.tenant_id AND e.position > a.seen AND e.position <= h.position
                  AND h.position - a.seen <= p_far
           )
      FROM unnest(p_tenants, p_seen) AS a (tenant_id, seen)
      JOIN heads h ON h.tenant_id = a.tenant_id AND h.position > a.seen
$function$;
