-- Connections that were given up while an append was under way on them. What is still to come on one of them is refused:
-- whoever waited for it has been answered.
CREATE TABLE given_up_writers (
    writer uuid PRIMARY KEY,
    given_up_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE given_up_writers ENABLE ROW LEVEL SECURITY;
