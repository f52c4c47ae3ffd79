-- What is to be done next about envelopes that are signed at DocuSign (aureum/projections/docusign_envelopes.py); without a
-- time: nothing.
CREATE TABLE docusign_envelopes (
    tenant_id uuid NOT NULL,
    envelope_id uuid NOT NULL,
    provider_id text,
    step text,
    due_at timestamptz,
    version integer NOT NULL,
    -- How often it was taken up since then and not ended.
    failures smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, envelope_id)
);
CREATE INDEX docusign_envelopes_due ON docusign_envelopes (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX docusign_envelopes_provider ON docusign_envelopes (tenant_id, provider_id) WHERE provider_id IS NOT NULL;
ALTER TABLE docusign_envelopes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON docusign_envelopes TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON docusign_envelopes TO aureum_service;
