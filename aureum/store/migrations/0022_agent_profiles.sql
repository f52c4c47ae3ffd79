-- What routing knows of agents, and how a brokerage routes (aureum/domain/profile.py, aureum/domain/routing). Rows of
-- older processes, which run for a while beside this, have none of it.
ALTER TABLE users
    ADD COLUMN bio text,
    ADD COLUMN areas text[] NOT NULL DEFAULT '{}',
    ADD COLUMN languages text[] NOT NULL DEFAULT '{}',
    ADD COLUMN price_min text,
    ADD COLUMN price_max text,
    ADD COLUMN daily_cap integer,
    ADD COLUMN hours jsonb,
    ADD COLUMN away_from timestamptz,
    ADD COLUMN away_to timestamptz,
    ADD COLUMN is_primary boolean NOT NULL DEFAULT false;

CREATE UNIQUE INDEX users_primary ON users (tenant_id) WHERE is_primary;

-- A brokerage's routing settings; NULL while it has chosen nothing.
ALTER TABLE brokerages ADD COLUMN routing jsonb;
