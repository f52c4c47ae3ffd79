-- How the public pages and mails of a brokerage look. Of the logo the read model has the digest and the media type.
ALTER TABLE brokerages
    ADD COLUMN color text,
    ADD COLUMN logo text,
    ADD COLUMN logo_media text;

-- The bytes of the logo. The event that sets it names them by their digest.
CREATE TABLE brokerage_logos (
    tenant_id uuid NOT NULL,
    digest text NOT NULL,
    image bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, digest)
);
ALTER TABLE brokerage_logos ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON brokerage_logos TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON brokerage_logos TO aureum_service;
