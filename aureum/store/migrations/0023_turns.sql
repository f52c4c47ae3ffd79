-- Whose turn it is: for each of those among whom appends choose, where in the log the last append stands that chose it,
-- and how many did in its latest window. See Turn in aureum/store/guards.py.
CREATE TABLE turns (
    tenant_id uuid NOT NULL,
    name uuid NOT NULL,
    position bigint NOT NULL,
    window_name text NOT NULL,
    times integer NOT NULL,
    PRIMARY KEY (tenant_id, name)
);
ALTER TABLE turns ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON turns TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON turns TO aureum_service;

-- What append_events is told beside the items: between whom the append of an item chooses.
CREATE TYPE append_choice AS (
    id uuid,
    shown text,
    most integer
);
CREATE TYPE append_turn AS (
    item integer,
    placeholder uuid,
    placeholder_shown text,
    window_name text,
    fewest boolean,
    choices append_choice[],
    -- Rows of read models in which the placeholder stands, as JSON, and the names of their read models.
    models text[],
    rows text[]
);
