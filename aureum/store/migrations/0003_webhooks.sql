-- Two stages: the projector makes messages and deliveries of events (checkpoint in the same transaction), workers
-- bring deliveries to endpoints. The queue holds only what is not finished; attempts are a log.

CREATE TABLE webhook_messages (
    tenant_id uuid NOT NULL,
    position bigint NOT NULL,
    message_id text NOT NULL,
    event text NOT NULL,
    stream_id uuid NOT NULL,
    -- The bytes that every attempt sends and every signature covers.
    body bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, position)
);

CREATE TABLE webhook_deliveries (
    tenant_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    position bigint NOT NULL,
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'leased')),
    due_at timestamptz NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    lease_owner uuid,
    lease_until timestamptz,
    PRIMARY KEY (tenant_id, endpoint_id, position),
    CHECK ((state = 'leased') = (lease_owner IS NOT NULL AND lease_until IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (tenant_id, endpoint_id, due_at, position)
    WHERE state = 'due';
CREATE INDEX webhook_deliveries_leased ON webhook_deliveries (tenant_id, endpoint_id, lease_until)
    WHERE state = 'leased';

-- One lane an endpoint, from its first delivery on: what it may hold of the workers. A claim locks it, so that the
-- deliveries in flight, which are the leased ones, are counted by one claim at a time.
CREATE TABLE webhook_lanes (
    tenant_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    -- Deliveries that may be in flight at once: one after a time-out, until a success.
    slots smallint NOT NULL DEFAULT 8 CHECK (slots BETWEEN 1 AND 8),
    PRIMARY KEY (tenant_id, endpoint_id)
) WITH (fillfactor = 50);

-- Saves of which no message could be made, because the event at position "cause" cannot be read. The projector went on
-- behind them; whoever mends the cause finds here what was not told. reason is the class of the error.
CREATE TABLE webhook_parked (
    tenant_id uuid NOT NULL,
    position bigint NOT NULL,
    stream_id uuid NOT NULL,
    cause bigint NOT NULL,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, position)
);

-- Both are the owner role's alone.
ALTER TABLE webhook_lanes ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_parked ENABLE ROW LEVEL SECURITY;

CREATE TABLE webhook_attempts (
    tenant_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    position bigint NOT NULL,
    attempt integer NOT NULL,
    started_at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    status integer,
    error text,
    answer bytea NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('delivered', 'failed', 'exhausted', 'superseded')),
    lease_owner uuid NOT NULL,
    PRIMARY KEY (tenant_id, endpoint_id, position, started_at, lease_owner)
) PARTITION BY RANGE (started_at);
CREATE TABLE webhook_attempts_default PARTITION OF webhook_attempts DEFAULT;
