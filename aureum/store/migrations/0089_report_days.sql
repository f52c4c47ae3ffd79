-- What the reports add up: the leads of a day in small groups, counted by the first reader who asks for the day. Whatever
-- changes a row of lead_facts deletes the days of its lead (aureum/figures/keeping.py). An append writes nothing here.
CREATE TABLE report_days (
    tenant_id uuid NOT NULL,
    -- The midnights of the brokerage's clock.
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    part integer NOT NULL,
    -- A day without leads has one row, with 0 leads.
    source text,
    status text,
    assigned_to uuid,
    staff boolean,
    leads integer NOT NULL,
    answered integer NOT NULL,
    contacted integer NOT NULL,
    qualified integer NOT NULL,
    showing integer NOT NULL,
    offer integer NOT NULL,
    converted integer NOT NULL,
    lost integer NOT NULL,
    unanswered integer NOT NULL,
    -- Seconds until the first contact, eight bytes each (float8send).
    seconds bytea,
    PRIMARY KEY (tenant_id, begins, ends, part)
);

-- Up to which position of the log the days are kept. A process of an older version moves the checkpoint of the figures
-- without it; then all days are counted again.
CREATE TABLE report_marks (
    tenant_id uuid PRIMARY KEY,
    position bigint NOT NULL
);

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['report_days', 'report_marks'] LOOP
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
