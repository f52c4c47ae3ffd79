-- What matters for security and is no event (aureum/store/security_log.py). A row stands for all that is alike within an
-- hour. 'sealed' holds what is personal, under the key of the user "subject_id", or of the tenant.
CREATE TABLE security_log (
    tenant_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    digest bytea NOT NULL,
    entry_id uuid NOT NULL,
    kind text NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    times integer NOT NULL,
    subject_id uuid,
    key_id uuid,
    sealed bytea,
    PRIMARY KEY (tenant_id, hour, digest)
);
CREATE INDEX security_log_last_at ON security_log (tenant_id, last_at);

ALTER TABLE security_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON security_log TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON security_log TO aureum_service;
