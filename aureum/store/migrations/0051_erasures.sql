-- Persons who are to be erased, or were (aureum/commands/erasing.py): which streams held what was known of each. Nothing
-- here is personal.
CREATE TABLE erasures (
    tenant_id uuid NOT NULL,
    erasure_id uuid NOT NULL,
    subjects uuid[] NOT NULL,
    -- Those that the Leads API has for the leads among them.
    numbers bigint[] NOT NULL,
    reason text NOT NULL,
    requested_at timestamptz NOT NULL,
    -- When all of them were erased; and when what requests under way may have written meanwhile was removed as well.
    ended_at timestamptz,
    settled_at timestamptz,
    PRIMARY KEY (tenant_id, erasure_id)
);
CREATE INDEX erasures_open ON erasures (tenant_id, erasure_id) WHERE settled_at IS NULL;
CREATE INDEX erasures_subjects ON erasures USING gin (tenant_id, subjects);
ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON erasures TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON erasures TO aureum_service;
