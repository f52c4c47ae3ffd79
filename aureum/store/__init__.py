"""The event store on PostgreSQL: append, load, migrate, verify.

Appends of the service go through ``append_events`` (append.sql), one round trip under the tenants' head locks.
"""
