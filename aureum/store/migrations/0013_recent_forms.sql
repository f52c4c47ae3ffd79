-- What visitors have sent in the last ten minutes, so that a form that is sent twice is one: a digest of who sent what,
-- and the stream that began with it. It holds nothing that a person wrote. The owner role alone reads and writes this.
-- After a crash of the server it is empty, like the counts of requests: a form need not wait for the disk twice.
CREATE UNLOGGED TABLE recent_forms (
    tenant_id uuid NOT NULL,
    digest bytea NOT NULL,
    stream_id uuid NOT NULL,
    -- Of the stream as the form left it: once it has grown, the same form is a new one.
    version integer NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);
ALTER TABLE recent_forms ENABLE ROW LEVEL SECURITY;
