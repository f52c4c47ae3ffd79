"""Envelopes: drafted, sent, signed by clients, ended. What is decided stands in ``aureum.domain.envelope``.

drafting       a draft and what is in it: documents, recipients, fields
templates      the documents that a brokerage often sends, with roles and fields
from_template  a draft with the documents and fields of a template, and a person for each of its roles
to_template    a template with the documents and fields of an envelope, and a role for each of its recipients
copying        documents that go from one to the other
sending        sent, then reminded, reassigned, given more time
signing        what recipients do in the portal
ending         completed, voided, purged; what a provider tells
clock          reminders, deadlines and purges that are due
settings       how long a brokerage keeps them, and when it reminds
"""
