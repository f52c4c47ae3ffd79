-- Which version of its step made the rows of a read model that are live: rows of another one are made anew by
-- 'aureum migrate' before anybody serves them. From now on these columns are made by aureum/store/postgres/declared.py.

ALTER TABLE heads
    ADD COLUMN lead_list_step integer NOT NULL DEFAULT 1,
    ADD COLUMN lead_counts_step integer NOT NULL DEFAULT 1,
    ADD COLUMN property_list_step integer NOT NULL DEFAULT 1,
    ADD COLUMN contact_list_step integer NOT NULL DEFAULT 1,
    ADD COLUMN task_list_step integer NOT NULL DEFAULT 1,
    ADD COLUMN tour_list_step integer NOT NULL DEFAULT 1,
    ADD COLUMN subscriber_list_step integer NOT NULL DEFAULT 1;

-- What stood there before 0006_resources.sql and was not rebuilt since.
UPDATE heads h SET lead_list_step = 0
 WHERE EXISTS (
           SELECT FROM lead_list l
            WHERE l.tenant_id = h.tenant_id AND l.read_version = h.lead_list_version AND l.details = '{}'
       );
