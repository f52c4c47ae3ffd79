-- A brokerage's domains in the order in which they were given: mails use the first. The table domains finds a tenant by
-- one of them and keeps no order.
ALTER TABLE brokerages ADD COLUMN domains text[] NOT NULL DEFAULT '{}';

UPDATE brokerages b
   SET domains = ARRAY(SELECT d.domain FROM domains d WHERE d.tenant_id = b.tenant_id ORDER BY d.domain);
