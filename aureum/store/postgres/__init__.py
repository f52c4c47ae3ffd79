"""PostgreSQL: the embedded server, connections with a bound on every wait, migrations. Knows no events."""
