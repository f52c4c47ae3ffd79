-- The tours in whose search text the words of an address stand, newest first, with the users who may see them
-- (aureum/http/portal/client_tours.py, which judges the addresses themselves). It runs as the owner, because the index of
-- searches is the owner's alone.
CREATE OR REPLACE FUNCTION tours_of_address(p_tenant uuid, p_words text, p_limit integer)
RETURNS TABLE (tour_id uuid, stream_version integer, doc text, assigned_to uuid, created_by uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET jit = off AS $function$
DECLARE
    -- First, by itself: within the statement, the planner would call it several times to estimate.
    ids uuid[] := search_ids('tour_list', 'tour_id', p_tenant, p_words);
BEGIN
    RETURN QUERY
    SELECT t.tour_id, t.stream_version, t.doc, t.assigned_to, t.created_by FROM tour_list t
     WHERE t.tenant_id = p_tenant AND t.tour_id = ANY (ids)
       AND t.read_version = (SELECT h.tour_list_version FROM heads h WHERE h.tenant_id = p_tenant)
     ORDER BY t.tour_id DESC LIMIT p_limit;
END
$function$;
