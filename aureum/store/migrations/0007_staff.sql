-- Staff who log in. Tokens and failures are no events: they are what a process needs to know for a while.

ALTER TABLE brokerages ADD COLUMN stream_version integer NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN stream_version integer NOT NULL DEFAULT 1;
ALTER TABLE users
    ADD COLUMN stream_version integer NOT NULL DEFAULT 1,
    ADD COLUMN disabled boolean NOT NULL DEFAULT false,
    ADD COLUMN joined_at timestamptz NOT NULL DEFAULT now();

-- A directory like api_keys: the gate finds the tenant by the hash.
CREATE TABLE user_tokens (
    token_hash bytea PRIMARY KEY,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX user_tokens_user ON user_tokens (tenant_id, user_id);
CREATE INDEX user_tokens_expiry ON user_tokens (expires_at);

-- Failed logins of one account from one address, counted for 15 minutes from the first. The key is a hash of both.
-- Unlogged: a crash only forgives.
CREATE UNLOGGED TABLE login_failures (
    account_and_address bytea PRIMARY KEY,
    failures integer NOT NULL,
    since timestamptz NOT NULL
);

-- Both are the owner role's alone.
ALTER TABLE user_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE login_failures ENABLE ROW LEVEL SECURITY;
