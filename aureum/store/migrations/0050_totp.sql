-- Logins with a second step. The secret stands sealed in the events alone.
ALTER TABLE users ADD COLUMN totp boolean NOT NULL DEFAULT false;

-- The last code of each user that was taken, by its half minute: none is taken twice. The owner role's alone.
CREATE TABLE totp_uses (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    step bigint NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);
ALTER TABLE totp_uses ENABLE ROW LEVEL SECURITY;
