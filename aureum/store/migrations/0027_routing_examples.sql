-- Leads that were given to another agent than the one they had. Routing learns from them where a brokerage wants it.
CREATE TABLE routing_examples (
    tenant_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    -- Whose the lead became; NULL if it is no example.
    agent_id uuid,
    reassigned_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, lead_id)
);
CREATE INDEX routing_examples_newest ON routing_examples (tenant_id, agent_id, reassigned_at DESC, lead_id DESC);
ALTER TABLE routing_examples ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON routing_examples TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON routing_examples TO aureum_service;

-- Of earlier leads: those that were routed, by their last assignment.
INSERT INTO routing_examples (tenant_id, lead_id, agent_id, reassigned_at)
SELECT a.tenant_id, a.stream_id, (a.data ->> 'assigned_to')::uuid, a.recorded_at
  FROM (
           SELECT DISTINCT ON (e.tenant_id, e.stream_id)
                  e.tenant_id, e.stream_id, e.recorded_at, convert_from(e.data, 'UTF8')::jsonb AS data
             FROM events e
            WHERE e.type = 'lead.assigned'
            ORDER BY e.tenant_id, e.stream_id, e.version DESC
       ) AS a
 WHERE a.data ->> 'previous' IS NOT NULL AND a.data ->> 'assigned_to' IS NOT NULL
   AND EXISTS (
           SELECT FROM events r
            WHERE r.tenant_id = a.tenant_id AND r.stream_id = a.stream_id AND r.type IN ('lead.captured', 'lead.cleared')
              AND jsonb_typeof(convert_from(r.data, 'UTF8')::jsonb -> 'routing') = 'object'
       );
