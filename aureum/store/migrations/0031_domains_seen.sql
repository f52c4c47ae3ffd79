-- At which of their domains brokerages are reached (aureum/http/access/arrivals.py).
CREATE TABLE domains_seen (
    tenant_id uuid NOT NULL,
    domain text NOT NULL,
    first_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, domain)
);

-- Since when a domain is a brokerage's, and when its owners were told that nothing arrives at it.
ALTER TABLE domains
    ADD COLUMN added_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN silence_told_at timestamptz;

-- What the next digest of a user tells of: nothing personal, the digest is made of what these are by then.
CREATE TABLE digest_items (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    position bigint NOT NULL,
    kind text NOT NULL,
    stream_id uuid NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, user_id, position, kind)
);

-- On which days of the brokerage's clock a user got one: one a day, whatever happens.
CREATE TABLE digests (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    day date NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id, day)
);

-- Persons besides the subject of a mail whose data it holds.
ALTER TABLE mails ADD COLUMN also_about uuid[];

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['domains_seen', 'digest_items', 'digests'] LOOP
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
