-- How far an unfinished rebuild has come, so that the next one goes on with it (aureum/store/rebuild/claim.py). It holds for
-- 'progress_version' alone: an older program that takes the rebuild over gives out another version, and begins again.
ALTER TABLE rebuilds
    ADD COLUMN progress_version integer,
    ADD COLUMN progress_step integer,
    ADD COLUMN copies_until bigint,
    ADD COLUMN copied_stream uuid,
    ADD COLUMN done bigint;
