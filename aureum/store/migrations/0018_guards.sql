-- What append_events takes and what it checks, without a word of what is stored.

-- An append as it is sent: one array of these a call.
CREATE TYPE append_event AS (
    version integer,
    type text,
    schema_version smallint,
    data bytea,
    metadata bytea
);
CREATE TYPE append_item AS (
    tenant_id uuid,
    stream_id uuid,
    -- The version that the stream must have; 0: it begins now.
    expected integer,
    -- The item before this one with which it goes together, from 1 on: both are appended or none. 0: none.
    leader integer,
    events append_event[],
    -- Of a stream that begins with a person: the person's key.
    subject_key bytea,
    -- Guards, each NULL where there is none: see aureum/store/guards.py.
    directory_version integer,
    counter text,
    most integer,
    once bytea,
    once_seconds integer,
    purpose text,
    name text,
    -- An idempotency key, the request under it, what is answered then and later.
    key bytea,
    request bytea,
    answer bytea
);

-- What an append needs of a head row: where the tenant's log goes on, and what a guard asks for.
CREATE TYPE log_head AS (
    tenant_id uuid,
    position bigint,
    hash bytea,
    recorded_at timestamptz,
    directory_version integer
);
DROP TYPE accepted_append;

-- Names that only one stream of a tenant may have, for each purpose. Kept for good, as streams are.
CREATE TABLE taken_names (
    tenant_id uuid NOT NULL,
    purpose text NOT NULL,
    name text NOT NULL,
    stream_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, purpose, name)
);
ALTER TABLE taken_names ENABLE ROW LEVEL SECURITY;

INSERT INTO taken_names (tenant_id, purpose, name, stream_id)
SELECT p.tenant_id, 'property slug', p.slug, p.property_id
  FROM property_list p
  JOIN heads h ON h.tenant_id = p.tenant_id AND h.property_list_version = p.read_version;

-- What began a stream a moment ago, so that the same again is not appended twice.
ALTER TABLE recent_forms RENAME TO recent_streams;
ALTER INDEX recent_forms_pkey RENAME TO recent_streams_pkey;
ALTER TABLE recent_streams RENAME COLUMN digest TO once;
ALTER TABLE recent_streams RENAME COLUMN recorded_at TO expires_at;
UPDATE recent_streams SET expires_at = expires_at + interval '10 minutes';

-- Grows with every change of the tenant's lines in the directories: its names and hosts, who may log in.
ALTER TABLE heads RENAME COLUMN site_version TO directory_version;
