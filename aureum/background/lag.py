"""How far the followers are behind the logs. The function stands in ``lag.sql``."""

LAGS = "SELECT consumer, events, oldest_at FROM follower_lags()"
"""Of each follower: its name, how many events are ahead of it, and when the oldest of them was recorded."""
