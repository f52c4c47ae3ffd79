-- Logins are shown as they were given, and found by their address in one form, which two older ones may share: those
-- have different values in email, which is unique.
ALTER TABLE users ADD COLUMN shown_email text, ADD COLUMN address text;
UPDATE users SET address = email;
CREATE INDEX users_address ON users (address);

-- What a migration leaves to the program, which alone has the keys and knows the rules; aureum/cli/upgrade.py does it.
CREATE TABLE data_steps (
    name text PRIMARY KEY,
    done_at timestamptz
);
INSERT INTO data_steps (name, done_at)
SELECT 'addresses', CASE WHEN NOT EXISTS (SELECT FROM events) THEN now() END;
