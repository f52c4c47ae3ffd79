-- Leads that wait for something until a moment: to be claimed, or for the first contact with their agent. The worker
-- makes the rows from the log (consumer 'timers'), looks when they are due, and decides anew then (aureum/timers).
CREATE TABLE timers (
    tenant_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    -- The version of the lead that it was set for.
    version integer NOT NULL,
    -- How often it was taken up since then and not ended: it is taken up again after a pause that grows.
    failures smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, lead_id)
);
CREATE INDEX timers_due ON timers (due_at);
ALTER TABLE timers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON timers TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON timers TO aureum_service;

-- No lead that came before is passed on.
INSERT INTO checkpoints (tenant_id, consumer, position) SELECT tenant_id, 'timers', position FROM heads;
