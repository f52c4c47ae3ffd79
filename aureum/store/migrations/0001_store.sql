-- The event store: every tenant's log under one head row, the keys that protect persons, and remembered answers.
-- tenant_id leads every key, so that the tables can be distributed by it.

CREATE TABLE heads (
    tenant_id uuid PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT '\x',
    -- Which version of each read model is live for this tenant: appends read it under the lock that they hold anyway.
    lead_list_version integer NOT NULL DEFAULT 1,
    lead_counts_version integer NOT NULL DEFAULT 1,
    -- Grows whenever the brokerage or its staff changes, so that a process knows when what it remembers is stale.
    site_version integer NOT NULL DEFAULT 1
) WITH (fillfactor = 50);

CREATE TABLE events (
    tenant_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    version integer NOT NULL,
    position bigint NOT NULL,
    type text NOT NULL,
    schema_version smallint NOT NULL,
    data bytea NOT NULL,
    metadata bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, stream_id, version),
    UNIQUE (tenant_id, position)
);

-- A tenant's key, wrapped by the master key that is not in the database.
CREATE TABLE tenant_keys (
    tenant_id uuid PRIMARY KEY,
    wrapped bytea NOT NULL
);

-- A person's key, wrapped by the tenant's. Deleting the row forgets the person.
CREATE TABLE subject_keys (
    tenant_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (tenant_id, subject_id)
);

-- The first answer to an Idempotency-Key, kept for a day, encrypted.
CREATE TABLE idempotency_keys (
    tenant_id uuid NOT NULL,
    key bytea NOT NULL,
    request_hash bytea NOT NULL,
    answer bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (tenant_id, recorded_at);

-- The position up to which a consumer has applied a tenant's log.
CREATE TABLE checkpoints (
    tenant_id uuid NOT NULL,
    consumer text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (tenant_id, consumer)
);

-- Platform-wide integers of the Leads API, taken leads' in blocks of 1000: gaps and order mean nothing.
CREATE SEQUENCE brokerage_numbers;
CREATE SEQUENCE user_numbers;
CREATE SEQUENCE lead_numbers INCREMENT BY 1000;

-- What the append function accepted: one a call's item, with what its read models need from under the lock.
CREATE TYPE accepted_append AS (
    item integer,
    tenant_id uuid,
    lead_list_version integer,
    lead_counts_version integer
);

INSERT INTO heads (tenant_id) VALUES ('00000000-0000-0000-0000-000000000000');
