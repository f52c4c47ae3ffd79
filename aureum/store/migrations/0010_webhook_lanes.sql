-- Webhooks that are managed, replayed, ordered and held back: what endpoints may ask for, lanes that know when they are
-- due and how their endpoint fares, replays as durable jobs.

ALTER TABLE webhook_endpoints
    -- host:port, what limits and breakers of a host go by.
    ADD COLUMN host text NOT NULL DEFAULT '',
    ADD COLUMN mode text NOT NULL DEFAULT 'parallel',
    ADD COLUMN rate_limit integer,
    ADD COLUMN description text,
    ADD COLUMN overlap_until timestamptz,
    -- Why, since when, and in which version of the stream it was disabled; and enabled again after that.
    ADD COLUMN disabled text,
    ADD COLUMN disabled_at timestamptz,
    ADD COLUMN disabled_version integer,
    ADD COLUMN enabled_version integer,
    ADD COLUMN removed boolean NOT NULL DEFAULT false,
    ADD COLUMN updated_at timestamptz;
UPDATE webhook_endpoints
   SET updated_at = registered_at,
       host = (regexp_match(url, '^https?://(\[[^\]]*\]|[^/:?#]*)'))[1] || ':'
              || coalesce((regexp_match(url, '^https?://(?:\[[^\]]*\]|[^/:?#]*):([0-9]+)'))[1],
                          CASE WHEN url LIKE 'https:%' THEN '443' ELSE '80' END);
ALTER TABLE webhook_endpoints ALTER COLUMN updated_at SET NOT NULL;

ALTER TABLE webhook_lanes
    -- No later than the first of its deliveries that may be claimed, as far as breaker and rate limit let it. A claim
    -- sets it anew; whatever makes a delivery due brings it forward.
    ADD COLUMN next_due timestamptz NOT NULL DEFAULT 'infinity',
    -- How the endpoint fares, from its first failure until a success that ends it: failures in a row; attempts and
    -- failures in a window; since when it has not succeeded once.
    ADD COLUMN failures integer NOT NULL DEFAULT 0,
    ADD COLUMN window_tried integer NOT NULL DEFAULT 0,
    ADD COLUMN window_failed integer NOT NULL DEFAULT 0,
    ADD COLUMN window_from timestamptz,
    ADD COLUMN failing_since timestamptz,
    -- The breaker: how often it opened without a success in between (0: closed), and until when it is open.
    ADD COLUMN openings integer NOT NULL DEFAULT 0,
    ADD COLUMN open_until timestamptz,
    -- The rate limit's bucket: what was in it, and when.
    ADD COLUMN tokens double precision,
    ADD COLUMN tokens_at timestamptz;
UPDATE webhook_lanes SET next_due = now();
-- Who is due at all, and which of a tenant's thousands.
CREATE INDEX webhook_lanes_due ON webhook_lanes (next_due) WHERE next_due < 'infinity';
CREATE INDEX webhook_lanes_due_of_tenant ON webhook_lanes (tenant_id, next_due) WHERE next_due < 'infinity';

ALTER TABLE webhook_deliveries
    -- The replay that made it, below live ones in priority; none for those that follow the log.
    ADD COLUMN replay_id uuid,
    -- Of a keyed endpoint: which of its sixteen rows the resource's events stand in.
    ADD COLUMN key smallint,
    -- Attempts before somebody had it delivered again: the schedule counts from here.
    ADD COLUMN base integer NOT NULL DEFAULT 0;
DROP INDEX webhook_deliveries_due;
CREATE INDEX webhook_deliveries_due
    ON webhook_deliveries (tenant_id, endpoint_id, (replay_id IS NOT NULL), due_at, position) WHERE state = 'due';
CREATE INDEX webhook_deliveries_keyed ON webhook_deliveries (tenant_id, endpoint_id, key, position) WHERE key IS NOT NULL;
CREATE INDEX webhook_deliveries_replay ON webhook_deliveries (tenant_id, replay_id) WHERE replay_id IS NOT NULL;

CREATE TABLE webhook_replays (
    tenant_id uuid NOT NULL,
    replay_id uuid NOT NULL,
    stream_version integer NOT NULL,
    endpoint_id uuid NOT NULL,
    since bigint NOT NULL,
    until bigint NOT NULL,
    events text[] NOT NULL,
    which text NOT NULL,
    cause text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'completed', 'cancelled')),
    -- Progress: the last position that was looked at, and the deliveries made.
    cursor bigint NOT NULL,
    queued bigint NOT NULL DEFAULT 0,
    requested_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, replay_id)
);
CREATE INDEX webhook_replays_running ON webhook_replays (tenant_id, replay_id) WHERE state = 'running';
ALTER TABLE webhook_replays ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON webhook_replays TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON webhook_replays TO aureum_service;

-- What the API shows of an endpoint comes from its lane as well.
CREATE POLICY own_tenant ON webhook_lanes TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON webhook_lanes TO aureum_service;
