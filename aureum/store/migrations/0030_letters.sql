-- Who gets which mails (aureum/mail/letters).

-- As the user chose (aureum/domain/user.py); older processes, which run for a while beside this, write no choice.
ALTER TABLE users ADD COLUMN notify text NOT NULL DEFAULT 'at_once';

ALTER TABLE brokerages
    ADD COLUMN confirmations boolean NOT NULL DEFAULT true,
    ADD COLUMN reply_to text;

-- Confirmations of the last day. Addresses are digests under a key of the tenant's own: of the one form in which they are
-- compared, and of the mailbox without its tag and dots.
CREATE TABLE confirmations (
    tenant_id uuid NOT NULL,
    address bytea NOT NULL,
    mailbox bytea NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, address)
);
CREATE INDEX confirmations_mailbox ON confirmations (tenant_id, mailbox);
CREATE INDEX confirmations_newest ON confirmations (tenant_id, sent_at);
ALTER TABLE confirmations ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON confirmations TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON confirmations TO aureum_service;
