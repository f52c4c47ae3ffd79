"""The mails of a brokerage: what is queued, sent, failed and why."""
