-- Envelopes that the worker is to seal (aureum/projections/sealings.py); without a time: nothing is to be done.
CREATE TABLE sealings (
    tenant_id uuid NOT NULL,
    envelope_id uuid NOT NULL,
    due_at timestamptz,
    version integer NOT NULL,
    -- How often it was taken up since then and not ended, why the last try failed, and whether it waits for an operator.
    failures smallint NOT NULL DEFAULT 0,
    error text,
    parked boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, envelope_id)
);
CREATE INDEX sealings_due ON sealings (due_at) WHERE due_at IS NOT NULL AND NOT parked;
CREATE INDEX sealings_failing ON sealings (tenant_id, envelope_id) WHERE error IS NOT NULL;
ALTER TABLE sealings ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON sealings TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON sealings TO aureum_service;
