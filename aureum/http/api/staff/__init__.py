"""What a brokerage's staff do under ``/api/v1``: log in, their leads, users, API keys."""
