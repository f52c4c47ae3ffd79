-- Mail: one row a mail, from the event that makes it until thirty days after its end; and addresses that bounced.

CREATE TABLE mails (
    tenant_id uuid NOT NULL,
    mail_id uuid NOT NULL,
    -- What it is: one mail of a kind for one event and one address, of which only a digest stands here.
    position bigint NOT NULL,
    kind text NOT NULL,
    recipient bytea NOT NULL,
    -- The person whose data it holds, and whose key seals it; the user it goes to.
    subject_id uuid,
    user_id uuid,
    -- Sealed: address, name and subject line; the bytes of the mail; what the server answered last.
    about bytea NOT NULL,
    message bytea,
    answer bytea,
    state text NOT NULL CHECK (state IN ('due', 'leased', 'sent', 'failed')),
    -- How many attempts were made; how many of them before a person had it sent again: the schedule counts from there.
    attempt integer NOT NULL DEFAULT 0,
    base integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    lease_owner uuid,
    lease_until timestamptz,
    error text,
    -- When its event was stored; since when it is to be sent: a person may have it sent again.
    recorded_at timestamptz NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, mail_id)
);
CREATE UNIQUE INDEX mails_once ON mails (tenant_id, position, kind, recipient);
CREATE INDEX mails_due ON mails (tenant_id, due_at) WHERE state = 'due';
CREATE INDEX mails_leased ON mails (tenant_id, lease_until) WHERE state = 'leased';
CREATE INDEX mails_subject ON mails (tenant_id, subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX mails_ended ON mails (tenant_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX mails_failed ON mails (tenant_id, mail_id) WHERE state = 'failed';
ALTER TABLE mails SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_limit = 2000
);

CREATE TABLE mail_bounces (
    tenant_id uuid NOT NULL,
    recipient bytea NOT NULL,
    times integer NOT NULL,
    bounced_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, recipient)
);

-- No one is told of what happened before mail was sent at all.
INSERT INTO checkpoints (tenant_id, consumer, position) SELECT tenant_id, 'mail', position FROM heads;

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['mails', 'mail_bounces'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I TO aureum_service '
            'USING (tenant_id = nullif(current_setting(''aureum.tenant_id'', true), '''')::uuid)',
            tenant_table
        );
        EXECUTE format('GRANT SELECT ON %I TO aureum_service', tenant_table);
    END LOOP;
END
$$;
