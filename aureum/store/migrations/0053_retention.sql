-- After how many months lost leads are erased; NULL: never.
ALTER TABLE brokerages ADD COLUMN erase_lost_after_months integer;

-- The leads that owners were told of, and when they are erased, unless they have changed by then. One notice a brokerage
-- at a time.
CREATE TABLE retention_notices (
    tenant_id uuid PRIMARY KEY,
    leads uuid[] NOT NULL,
    told_at timestamptz NOT NULL DEFAULT now(),
    erase_at timestamptz NOT NULL
);
CREATE INDEX retention_notices_due ON retention_notices (erase_at);
ALTER TABLE retention_notices ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON retention_notices TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON retention_notices TO aureum_service;
