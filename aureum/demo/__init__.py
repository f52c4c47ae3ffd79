"""The demonstration: two brokerages with staff, leads and a day's work, made by commands like any other data."""
