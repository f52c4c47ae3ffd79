-- Which part of a tenant's log stands in the archive, and the hash of the chain at its end (aureum/store/archive.py). The
-- table of the archived events is made when something is archived for the first time.
CREATE TABLE archives (
    tenant_id uuid NOT NULL,
    last_position bigint NOT NULL,
    first_position bigint NOT NULL,
    hash bytea NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, last_position)
);

ALTER TABLE archives ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON archives TO aureum_service
       USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON archives TO aureum_service;
