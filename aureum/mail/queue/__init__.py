"""Mails that are queued, sealed, with their leases, outcomes, bounces and retention."""
