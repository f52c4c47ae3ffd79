-- What Today and the reports are counted from. The worker makes the rows from the log (consumer 'figures', from the first
-- event on), and so does a reader who comes first (aureum/figures). An append writes nothing here.
CREATE TABLE lead_facts (
    tenant_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    status text NOT NULL,
    source text NOT NULL,
    source_domain text,
    suspect boolean NOT NULL,
    assigned_to uuid,
    created_by uuid,
    -- Whose work it is: the agent's, or of what has none, the user's who made it.
    owner uuid,
    -- Whether it waits in the pond, or is offered to a group.
    pond boolean NOT NULL,
    -- The first contact with the person, and the user who made it, if it was one.
    contacted_at timestamptz,
    contacted_by uuid,
    -- The furthest place in the pipeline that it ever had: 0 is new, 5 is converted.
    reached smallint NOT NULL,
    -- Whether the time for an answer is over while the lead stays with its agent.
    overdue boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, lead_id)
);
CREATE INDEX lead_facts_created ON lead_facts (tenant_id, created_at)
    INCLUDE (status, source, source_domain, suspect, assigned_to, created_by, contacted_at, reached);
CREATE INDEX lead_facts_unanswered ON lead_facts (tenant_id, overdue, created_at) INCLUDE (assigned_to)
    WHERE status = 'new' AND contacted_at IS NULL AND NOT suspect;
CREATE INDEX lead_facts_own_unanswered ON lead_facts (tenant_id, owner, overdue, created_at)
    WHERE status = 'new' AND contacted_at IS NULL AND NOT suspect;
CREATE INDEX lead_facts_pond ON lead_facts (tenant_id, lead_id) WHERE pond;

-- Open tasks that are due some time, and showings that have a time or a day.
CREATE TABLE agenda (
    tenant_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('task', 'showing')),
    id uuid NOT NULL,
    at timestamptz,
    day date,
    assigned_to uuid,
    owner uuid,
    PRIMARY KEY (tenant_id, kind, id)
);
CREATE INDEX agenda_at ON agenda (tenant_id, kind, at) WHERE at IS NOT NULL;
CREATE INDEX agenda_day ON agenda (tenant_id, kind, day) WHERE day IS NOT NULL;
CREATE INDEX agenda_own ON agenda (tenant_id, kind, owner, at);

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['lead_facts', 'agenda'] LOOP
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
