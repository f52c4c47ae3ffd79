-- The address at which a user's calendar reads the user's showings (aureum/domain/calendar_feed.py), by the hash of its
-- secret; none of one that was revoked.
CREATE TABLE calendar_feeds (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_hash bytea,
    details boolean NOT NULL,
    made_at timestamptz NOT NULL,
    stream_version integer NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);
CREATE UNIQUE INDEX calendar_feeds_hash ON calendar_feeds (token_hash);
ALTER TABLE calendar_feeds ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON calendar_feeds TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON calendar_feeds TO aureum_service;
