-- Searching is one for all lists (docs/decisions/search.md): 'search' of a list's table is what a row is found by, and
-- is copied behind the log into this table, whose index finds any part of it. It comes with PostgreSQL, and the owner of
-- a database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE searched_texts (
    tenant_id uuid NOT NULL,
    list text NOT NULL,
    read_version integer NOT NULL,
    id uuid NOT NULL,
    search text NOT NULL,
    PRIMARY KEY (tenant_id, list, read_version, id)
);
-- What is pending is sorted in by the worker, and never by a transaction that holds a head row.
CREATE INDEX searched_texts_parts ON searched_texts USING gin (tenant_id, list, search gin_trgm_ops)
    WITH (gin_pending_list_limit = 65536);
-- The owner role alone reads and writes this.
ALTER TABLE searched_texts ENABLE ROW LEVEL SECURITY;

-- Contacts had keys of their own for it, which cost each of them two thirds of its row.
DROP INDEX contact_list_found_by;
ALTER TABLE contact_list ALTER COLUMN found_by SET DEFAULT '';

-- Any filters of the staff's list together, and any page of it, are found in this index alone, without a row.
ALTER TABLE lead_list DROP CONSTRAINT lead_list_pkey, ADD PRIMARY KEY (tenant_id, read_version, lead_id)
    INCLUDE (status, source, source_domain, assigned_to, created_by);
