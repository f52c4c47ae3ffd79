-- What a queue needs to stay small: its tables are vacuumed when one row in a hundred is dead, and quickly.

ALTER TABLE webhook_deliveries SET (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_limit = 2000,
    autovacuum_analyze_scale_factor = 0.05
);
ALTER TABLE webhook_lanes SET (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_limit = 2000
);
ALTER TABLE checkpoints SET (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200
);

-- Lanes of removed endpoints are looked for among all lanes, once a minute.
CREATE INDEX webhook_endpoints_removed ON webhook_endpoints (tenant_id, endpoint_id) WHERE removed;
