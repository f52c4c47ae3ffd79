-- The hashes of the files that the worker has sealed, by which a file that is shown to the brokerage is known again.
ALTER TABLE sealings ADD COLUMN sha256 text[];
CREATE INDEX sealings_sha256 ON sealings USING gin (sha256);
