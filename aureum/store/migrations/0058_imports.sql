-- Imports of CSV files (aureum/commands/importing): what was asked for, how far it has come, what was refused. All that
-- stands in a file is sealed with the brokerage's key.
CREATE TABLE imports (
    tenant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    resource text NOT NULL,
    duplicates text NOT NULL CHECK (duplicates IN ('skip', 'update', 'make')),
    -- waiting: the file is there, and the import has not been begun. checking: a dry run.
    state text NOT NULL CHECK (state IN (
        'waiting', 'checking', 'checked', 'running', 'completed', 'failed', 'cancelled', 'undoing', 'undone'
    )),
    -- Whether the file is in import_parts. If not, the command line has it.
    stored boolean NOT NULL,
    -- The name of the file, its columns with the first rows; sealed.
    shown bytea NOT NULL,
    encoding text NOT NULL,
    separator text NOT NULL,
    -- What the file, the mapping and the policy are, as a digest with a key: a command that is run again goes on.
    same bytea NOT NULL,
    -- The rows of the file, and how many of them are done.
    rows integer NOT NULL,
    done integer NOT NULL DEFAULT 0,
    made integer NOT NULL DEFAULT 0,
    updated integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0,
    undone integer NOT NULL DEFAULT 0,
    kept integer NOT NULL DEFAULT 0,
    -- The end of the log when it was begun; its events stand behind that.
    since bigint NOT NULL DEFAULT 0,
    actor_type text NOT NULL,
    actor_id text,
    request_id text NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    problem text,
    held_until timestamptz,
    requested_at timestamptz NOT NULL,
    began_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, import_id)
);
CREATE INDEX imports_open ON imports (tenant_id, import_id) WHERE state IN ('checking', 'running', 'undoing');

-- The file, until the import has ended.
CREATE TABLE import_parts (
    tenant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    place integer NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (tenant_id, import_id, place)
);

-- Rows that were refused, with the reasons; number is that of the row in the file.
CREATE TABLE import_refused (
    tenant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    number integer NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (tenant_id, import_id, number)
);

-- What duplicates are found by, where no read model has it: digests, until the import has ended.
CREATE TABLE import_keys (
    tenant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    key uuid NOT NULL,
    stream_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, import_id, key)
);

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['imports', 'import_parts', 'import_refused', 'import_keys'] LOOP
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
