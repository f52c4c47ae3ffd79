-- A rehearsal can be cancelled.
ALTER TABLE routing_rehearsals DROP CONSTRAINT routing_rehearsals_state_check;
ALTER TABLE routing_rehearsals ADD CONSTRAINT routing_rehearsals_state_check
    CHECK (state IN ('running', 'completed', 'failed', 'cancelled'));
