-- Holds tenants' heads until the end of the transaction, as a look into what became of an append does
-- (aureum/store/in_doubt.py): a call that is under way has ended then.
CREATE OR REPLACE FUNCTION hold_heads(p_tenants uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $function$
BEGIN
    PERFORM FROM heads h WHERE h.tenant_id = ANY (p_tenants) ORDER BY h.tenant_id FOR SHARE;
END
$function$;
