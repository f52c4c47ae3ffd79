"""Envelopes: drafted, sent, signed by clients, ended. What is decided stands in ``aureum.domain.envelope``.

drafting    a draft and what is in it: documents, recipients, fields
sending     sent, then reminded, reassigned, given more time
signing     what recipients do in the portal
ending      completed, voided, purged; what a provider tells
clock       reminders, deadlines and purges that are due
settings    how long a brokerage keeps them, and when it reminds
"""
