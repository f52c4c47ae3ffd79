-- Links in mails at which a user chooses a password (aureum/commands/password_links.py).

-- When the invitation was sent that the user has not followed yet.
ALTER TABLE users ADD COLUMN invited_at timestamptz;

-- A directory like user_tokens: the link names nothing but its token, of which only the hash is kept. The append of a new
-- password deletes all links of the user.
CREATE TABLE password_links (
    token_hash bytea PRIMARY KEY,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    purpose text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX password_links_user ON password_links (tenant_id, user_id);
CREATE INDEX password_links_expiry ON password_links (expires_at);

-- Passwords that were forgotten, until the worker sends the link. One row for each request, with or without a user, so
-- that it takes as long whether there is one or not.
CREATE TABLE reset_requests (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid,
    user_id uuid,
    asked_at timestamptz NOT NULL DEFAULT now()
);

-- Both are the owner role's alone.
ALTER TABLE password_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE reset_requests ENABLE ROW LEVEL SECURITY;
