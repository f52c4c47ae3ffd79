"""``make chaos``: workers are killed, receivers misbehave, PostgreSQL crashes; and nothing may be lost by it."""
