-- Rehearsals of routing settings: what was asked for, how far the worker has come, and what came of it so far.
CREATE TABLE routing_rehearsals (
    tenant_id uuid NOT NULL,
    rehearsal_id uuid NOT NULL,
    settings jsonb NOT NULL,
    -- Positions, both included, and the last one that was looked at.
    since bigint NOT NULL,
    until bigint NOT NULL,
    cursor bigint NOT NULL,
    since_time timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'completed', 'failed')),
    -- As aureum/domain/routing/rehearsal.py keeps it; NULL before the first step.
    rehearsal jsonb,
    failures integer NOT NULL DEFAULT 0,
    -- Until when a worker is at it, or was.
    held_until timestamptz,
    requested_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, rehearsal_id)
);
CREATE INDEX routing_rehearsals_running ON routing_rehearsals (tenant_id, rehearsal_id) WHERE state = 'running';

-- Of the newest rehearsals of a brokerage: lead by lead. Nothing that a visitor wrote.
CREATE TABLE routing_rehearsal_leads (
    tenant_id uuid NOT NULL,
    rehearsal_id uuid NOT NULL,
    place integer NOT NULL,
    kind text NOT NULL,
    stream_id uuid NOT NULL,
    number bigint NOT NULL,
    routed_at timestamptz NOT NULL,
    had uuid,
    would uuid,
    erased boolean NOT NULL,
    rule integer,
    reason text,
    PRIMARY KEY (tenant_id, rehearsal_id, place)
);

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['routing_rehearsals', 'routing_rehearsal_leads'] LOOP
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
