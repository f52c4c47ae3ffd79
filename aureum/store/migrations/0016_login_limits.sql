-- Failed logins are counted for more than an account and an address together: also for an address, a network and an
-- account alone. "account_and_address" is a hash of whichever it is; "next_at" is when those who fail often may try again.
ALTER TABLE login_failures ADD COLUMN next_at timestamptz;
CREATE INDEX login_failures_since ON login_failures (since);

-- Where an account has logged in from before, by the same hash of account and address: there, failures elsewhere slow
-- nothing down. Kept for 90 days after the last login.
CREATE TABLE login_addresses (
    account_and_address bytea PRIMARY KEY,
    last_at timestamptz NOT NULL
);
CREATE INDEX login_addresses_last_at ON login_addresses (last_at);

-- The owner role's alone.
ALTER TABLE login_addresses ENABLE ROW LEVEL SECURITY;
