-- Properties, contacts, tasks, tours and newsletter subscribers as people read them: one row a resource, with the
-- resource as it goes over the wire in doc. The head row says which version of each is live (0002_read_models.sql).

-- So that an index of what contacts are found by can begin with the tenant. It comes with PostgreSQL, and the owner of a
-- database may create it.
CREATE EXTENSION IF NOT EXISTS btree_gin;

CREATE SEQUENCE tour_numbers INCREMENT BY 1000;

ALTER TABLE heads
    ADD COLUMN property_list_version integer NOT NULL DEFAULT 1,
    ADD COLUMN contact_list_version integer NOT NULL DEFAULT 1,
    ADD COLUMN task_list_version integer NOT NULL DEFAULT 1,
    ADD COLUMN tour_list_version integer NOT NULL DEFAULT 1,
    ADD COLUMN subscriber_list_version integer NOT NULL DEFAULT 1;

-- Read models take their live version from the head row itself, of which the append holds the lock.
ALTER TYPE accepted_append DROP ATTRIBUTE lead_list_version, DROP ATTRIBUTE lead_counts_version;

-- Filled by a rebuild where there were leads before: aureum projections rebuild lead_list.
ALTER TABLE lead_list
    ADD COLUMN created_by uuid,
    ADD COLUMN source_domain text,
    -- What staff search in, lower case.
    ADD COLUMN search text NOT NULL DEFAULT '',
    -- What only the admin's view shows, as JSON.
    ADD COLUMN details text NOT NULL DEFAULT '{}';
CREATE INDEX lead_list_assigned ON lead_list (tenant_id, read_version, assigned_to, lead_id);

CREATE TABLE property_list (
    tenant_id uuid NOT NULL,
    read_version integer NOT NULL,
    property_id uuid NOT NULL,
    stream_version integer NOT NULL,
    slug text NOT NULL,
    status text NOT NULL,
    is_featured boolean NOT NULL,
    mls text NOT NULL,
    mls_id text,
    updated_at timestamptz NOT NULL,
    doc text NOT NULL,
    PRIMARY KEY (tenant_id, read_version, property_id)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX property_list_slug ON property_list (tenant_id, read_version, slug);
CREATE UNIQUE INDEX property_list_mls ON property_list (tenant_id, read_version, mls_id, mls);
CREATE INDEX property_list_status ON property_list (tenant_id, read_version, status, property_id);

CREATE TABLE contact_list (
    tenant_id uuid NOT NULL,
    read_version integer NOT NULL,
    contact_id uuid NOT NULL,
    stream_version integer NOT NULL,
    type text NOT NULL,
    -- Name and e-mail without case and accents; and what the contact is found by: their parts of three letters, their
    -- words with each letter left out once, the tags, the type (aureum/projections/contact_search.py).
    search text NOT NULL,
    found_by tsvector NOT NULL,
    updated_at timestamptz NOT NULL,
    doc text NOT NULL,
    PRIMARY KEY (tenant_id, read_version, contact_id)
-- Rows are larger than others, and searched: not worth compressing.
) WITH (fillfactor = 85, toast_tuple_target = 8160);
CREATE INDEX contact_list_type ON contact_list (tenant_id, read_version, type, contact_id);
CREATE INDEX contact_list_found_by ON contact_list USING gin (tenant_id, found_by) WITH (gin_pending_list_limit = 256);

CREATE TABLE task_list (
    tenant_id uuid NOT NULL,
    read_version integer NOT NULL,
    task_id uuid NOT NULL,
    stream_version integer NOT NULL,
    status text NOT NULL,
    assigned_to uuid,
    created_by uuid,
    updated_at timestamptz NOT NULL,
    doc text NOT NULL,
    PRIMARY KEY (tenant_id, read_version, task_id)
) WITH (fillfactor = 85);
CREATE INDEX task_list_status ON task_list (tenant_id, read_version, status, task_id);
CREATE INDEX task_list_assigned ON task_list (tenant_id, read_version, assigned_to, task_id);

-- The same tour twice: as the Aureum API shows it (doc), and as the Leads API does (leads_doc).
CREATE TABLE tour_list (
    tenant_id uuid NOT NULL,
    read_version integer NOT NULL,
    tour_id uuid NOT NULL,
    number bigint NOT NULL,
    stream_version integer NOT NULL,
    status text NOT NULL,
    listing_id text,
    assigned_to uuid,
    created_by uuid,
    updated_at timestamptz NOT NULL,
    doc text NOT NULL,
    leads_doc text NOT NULL,
    PRIMARY KEY (tenant_id, read_version, tour_id)
) WITH (fillfactor = 85);
CREATE INDEX tour_list_number ON tour_list (tenant_id, read_version, number);
CREATE INDEX tour_list_status ON tour_list (tenant_id, read_version, status, tour_id);
CREATE INDEX tour_list_listing ON tour_list (tenant_id, read_version, listing_id, tour_id);

CREATE TABLE subscriber_list (
    tenant_id uuid NOT NULL,
    read_version integer NOT NULL,
    subscriber_id uuid NOT NULL,
    stream_version integer NOT NULL,
    subscribed boolean NOT NULL,
    updated_at timestamptz NOT NULL,
    doc text NOT NULL,
    PRIMARY KEY (tenant_id, read_version, subscriber_id)
) WITH (fillfactor = 85);

-- Links to unsubscribe with: 128 random bits, of which only the hash is kept. They do not expire.
CREATE TABLE unsubscribe_tokens (
    tenant_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    subscriber_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, token_hash)
);

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY[
        'property_list', 'contact_list', 'task_list', 'tour_list', 'subscriber_list', 'unsubscribe_tokens'
    ] LOOP
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
