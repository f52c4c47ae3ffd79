-- What people read, made from the events by aureum/projections. read_version tells a live read model from one that is
-- being rebuilt beside it; the head row says which is live.

CREATE TABLE lead_list (
    tenant_id uuid NOT NULL,
    read_version integer NOT NULL,
    lead_id uuid NOT NULL,
    number bigint NOT NULL,
    stream_version integer NOT NULL,
    status text NOT NULL,
    source text NOT NULL,
    assigned_to uuid,
    updated_at timestamptz NOT NULL,
    doc text NOT NULL,
    PRIMARY KEY (tenant_id, read_version, lead_id)
) WITH (fillfactor = 85);
CREATE INDEX lead_list_number ON lead_list (tenant_id, read_version, number);
CREATE INDEX lead_list_status ON lead_list (tenant_id, read_version, status, lead_id);

CREATE TABLE lead_counts (
    tenant_id uuid NOT NULL,
    read_version integer NOT NULL,
    status text NOT NULL,
    leads bigint NOT NULL,
    PRIMARY KEY (tenant_id, read_version, status)
) WITH (fillfactor = 50);

-- Directory tables: read by the gate, by login and by the command line, to find the tenant in the first place.
CREATE TABLE brokerages (
    tenant_id uuid PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    plan text NOT NULL,
    time_zone text NOT NULL,
    country text NOT NULL,
    public_lead_count boolean NOT NULL,
    disabled boolean NOT NULL,
    opened_at timestamptz NOT NULL
);

CREATE TABLE domains (
    domain text PRIMARY KEY,
    tenant_id uuid NOT NULL
);

CREATE TABLE users (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    number bigint NOT NULL UNIQUE,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    role text NOT NULL,
    password_hash text,
    takes_leads boolean NOT NULL,
    specialties text[] NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);

CREATE TABLE api_keys (
    tenant_id uuid NOT NULL,
    key_id uuid NOT NULL,
    key_hash bytea NOT NULL UNIQUE,
    name text NOT NULL,
    prefix text NOT NULL,
    rate_limit integer NOT NULL,
    revoked boolean NOT NULL,
    issued_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, key_id)
);

CREATE TABLE webhook_endpoints (
    tenant_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    stream_version integer NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL,
    registered_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, endpoint_id)
);

-- Requests counted in windows of 60 seconds. Unlogged: a GET never waits for a disk, and a crash only forgives.
CREATE UNLOGGED TABLE rate_limits (
    tenant_id uuid NOT NULL,
    bucket bytea NOT NULL,
    window_start timestamptz NOT NULL,
    allowed integer NOT NULL,
    used integer NOT NULL,
    -- What the last gate let through: how one statement tells its caller.
    granted integer NOT NULL,
    PRIMARY KEY (tenant_id, bucket)
) WITH (fillfactor = 50);
