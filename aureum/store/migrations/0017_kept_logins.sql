-- A login that a new password does not end: that of the user who sets it, until this moment.
ALTER TABLE user_tokens ADD COLUMN kept_until timestamptz;
