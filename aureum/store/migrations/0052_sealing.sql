-- From when on the texts of tasks are encrypted. Version 0.9, which may run beside this one during an upgrade, reads them
-- in clear alone: so a database that has tasks goes on with that for a day.
CREATE TABLE sealing (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    sealed_from timestamptz NOT NULL
);
INSERT INTO sealing (sealed_from)
SELECT CASE WHEN EXISTS (SELECT FROM events) THEN now() + interval '24 hours' ELSE now() END;
-- The owner role alone reads this.
ALTER TABLE sealing ENABLE ROW LEVEL SECURITY;
