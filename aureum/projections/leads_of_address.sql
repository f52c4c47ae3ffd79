-- The leads in whose search text the words of an address stand, newest first: for the client portal, which judges the
-- addresses themselves (aureum/commands/portal/opening.py). With p_staff, the source of what staff enter, only what they or
-- programs entered: however many public forms claim the address, none of that is left out. It runs as the owner, because
-- the index of searches is the owner's alone.
CREATE OR REPLACE FUNCTION leads_of_address(p_tenant uuid, p_words text, p_staff text, p_limit integer)
RETURNS TABLE (lead_id uuid, doc text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET jit = off AS $function$
DECLARE
    -- First, by itself: within the statement, the planner would call it several times to estimate.
    ids uuid[] := search_ids('lead_list', 'lead_id', p_tenant, p_words);
BEGIN
    RETURN QUERY
    SELECT l.lead_id, l.doc FROM lead_list l
     WHERE l.tenant_id = p_tenant AND l.lead_id = ANY (ids)
       AND (p_staff IS NULL OR coalesce(l.source_domain, p_staff) = p_staff)
       AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = p_tenant)
     ORDER BY l.lead_id DESC LIMIT p_limit;
END
$function$;
