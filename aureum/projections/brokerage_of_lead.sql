-- The brokerage of a lead by its number, for platform admins alone (aureum/projections/admin_leads.py): a look into the
-- index for each brokerage, since it begins with the tenant.
CREATE OR REPLACE FUNCTION brokerage_of_lead(p_number bigint)
RETURNS TABLE (tenant_id uuid, number bigint, country text, "position" bigint, read_version integer)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $function$
    SELECT b.tenant_id, b.number, b.country, h.position, h.lead_list_version - 1
      FROM brokerages b
      JOIN heads h ON h.tenant_id = b.tenant_id
      JOIN lead_list l ON l.tenant_id = h.tenant_id AND l.read_version = h.lead_list_version
     WHERE l.number = p_number AND NOT b.disabled
$function$;
