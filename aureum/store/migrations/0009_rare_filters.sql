-- What a list is filtered by, where reading all of a brokerage's 100,000 rows takes too long: an agent's own (the index of
-- what is assigned to him or her has its twin for what he or she created), tours by agent, and, where rows are wide, what
-- changed since. Not so for leads, tasks and properties: there all is read in 35 ms, and an index on a column that every
-- change sets would cost each of them more.

-- Most rows were made by visitors and programs, and cost these indexes nothing.
CREATE INDEX lead_list_created ON lead_list (tenant_id, read_version, created_by, lead_id) WHERE created_by IS NOT NULL;
CREATE INDEX task_list_created ON task_list (tenant_id, read_version, created_by, task_id) WHERE created_by IS NOT NULL;
CREATE INDEX tour_list_created ON tour_list (tenant_id, read_version, created_by, tour_id) WHERE created_by IS NOT NULL;

CREATE INDEX tour_list_assigned ON tour_list (tenant_id, read_version, assigned_to, tour_id);
CREATE INDEX tour_list_updated ON tour_list (tenant_id, read_version, updated_at);
CREATE INDEX contact_list_updated ON contact_list (tenant_id, read_version, updated_at);
