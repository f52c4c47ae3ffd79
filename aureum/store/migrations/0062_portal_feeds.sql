-- The calendar feeds of clients (aureum/commands/portal/feeds.py): one of an address, by the hash of its secret. They are
-- rows like the sessions of clients, not events.
CREATE TABLE portal_feeds (
    tenant_id uuid NOT NULL,
    -- A digest with the brokerage's key, and the address sealed with it.
    address_key bytea NOT NULL,
    address bytea NOT NULL,
    token_hash bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, address_key)
);
CREATE UNIQUE INDEX portal_feeds_token ON portal_feeds (tenant_id, token_hash);

-- It is the owner role's alone.
ALTER TABLE portal_feeds ENABLE ROW LEVEL SECURITY;
