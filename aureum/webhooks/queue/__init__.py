"""The queue of deliveries on the database: lanes, leases, breakers, completions, retention."""
