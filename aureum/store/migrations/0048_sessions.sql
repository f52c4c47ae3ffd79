-- What users see of their sessions: an id that is no secret, where and with what they logged in, and the last use to the
-- minute (aureum/http/access/uses.py). Older processes, which run for a while beside this, write none of it.
ALTER TABLE user_tokens
    ADD COLUMN session_id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN started_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN used_at timestamptz,
    ADD COLUMN client text,
    ADD COLUMN device text;

-- The last use of a key to the minute, and when it ends by itself.
ALTER TABLE api_keys
    ADD COLUMN used_at timestamptz,
    ADD COLUMN expires_at timestamptz;
