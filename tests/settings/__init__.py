"""Settings: what an operator may set, and the master key."""
