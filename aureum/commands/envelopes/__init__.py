"""Envelopes: drafted, sent, signed by clients, ended. What is decided stands in ``aureum.domain.envelope``.

drafting    a draft and what is in it: documents, recipients, fields
sending     sent, then reminded, reassigned, given more time
signing     what recipients do in the portal
ending      completed, voided, expired, purged; what a provider tells
clock       what is due by itself
settings    how long a brokerage keeps them, and when it reminds
"""
