-- The bytes of documents (aureum/store/blobs): which there are, and their encrypted chunks, unless these are in a bucket.
CREATE TABLE documents (
    tenant_id uuid NOT NULL,
    document_id uuid NOT NULL,
    -- The envelope or the template that it belongs to; its key encrypts the chunks.
    subject_id uuid NOT NULL,
    in_bucket boolean NOT NULL,
    -- What it takes of the brokerage's quota: until it is whole, as much as it may need.
    bytes bigint NOT NULL,
    begun_at timestamptz NOT NULL,
    whole boolean NOT NULL DEFAULT false,
    -- Whether an event names it, as far as the sweep has looked.
    referred boolean NOT NULL DEFAULT false,
    -- Whether its bytes are to be deleted.
    gone boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, document_id)
);
CREATE INDEX documents_of_subject ON documents (tenant_id, subject_id);
CREATE INDEX documents_gone ON documents (tenant_id, document_id) WHERE gone;
CREATE INDEX documents_unsure ON documents (begun_at) WHERE NOT referred AND NOT gone;

CREATE TABLE document_chunks (
    tenant_id uuid NOT NULL,
    document_id uuid NOT NULL,
    n integer NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (tenant_id, document_id, n)
);
-- What is encrypted cannot be compressed.
ALTER TABLE document_chunks ALTER COLUMN data SET STORAGE EXTERNAL;

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['documents', 'document_chunks'] LOOP
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
