-- When the last event of each log was recorded: the next one is not recorded earlier, whatever the clock says.
ALTER TABLE heads ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT '-infinity';

UPDATE heads h SET recorded_at = e.recorded_at
  FROM events e
 WHERE e.tenant_id = h.tenant_id AND e.position = h.position;
