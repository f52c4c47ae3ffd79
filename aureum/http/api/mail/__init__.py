"""The mails of a brokerage: which are queued, sent or failed, and why."""
