-- The recipients of envelopes that were sent (aureum/projections/envelope_recipients.py), by a digest of the address, which
-- is NULL once nobody is to find the envelope by it.
CREATE TABLE envelope_recipients (
    tenant_id uuid NOT NULL,
    envelope_id uuid NOT NULL,
    recipient_id uuid NOT NULL,
    address uuid,
    state text NOT NULL,
    envelope_state text NOT NULL,
    may_read boolean NOT NULL,
    PRIMARY KEY (tenant_id, envelope_id, recipient_id)
);
CREATE INDEX envelope_recipients_address ON envelope_recipients (tenant_id, address, envelope_id)
 WHERE address IS NOT NULL;
ALTER TABLE envelope_recipients ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON envelope_recipients TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON envelope_recipients TO aureum_service;

-- When to look at an envelope again (aureum/projections/envelope_timers.py); NULL: never.
CREATE TABLE envelope_timers (
    tenant_id uuid NOT NULL,
    envelope_id uuid NOT NULL,
    due_at timestamptz,
    version integer NOT NULL,
    -- How often it was taken up since then and not ended.
    failures smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, envelope_id)
);
CREATE INDEX envelope_timers_due ON envelope_timers (due_at) WHERE due_at IS NOT NULL;
ALTER TABLE envelope_timers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON envelope_timers TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON envelope_timers TO aureum_service;
