-- Who rebuilds which read model of which tenant. A rebuild renews its lease in every transaction in which it writes, so
-- that whoever lost the lease writes nothing more. The owner role alone reads and writes this.

CREATE TABLE rebuilds (
    tenant_id uuid NOT NULL,
    read_model text NOT NULL,
    -- The version that was given out last: no version is ever given out twice.
    read_version integer NOT NULL,
    owner uuid,
    claimed_at timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, read_model)
);
ALTER TABLE rebuilds ENABLE ROW LEVEL SECURITY;
