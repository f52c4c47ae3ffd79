"""Which agent a lead goes to: the agents' profiles, and the brokerage's routing settings."""
