"""Aureum: the back end of a real-estate CRM for many brokerages, event-sourced on PostgreSQL.

`__version__` is the one place where the version stands: the build reads it here, and `make check` asks CHANGELOG.md for
an entry with its name.
"""

__version__ = "0.12.0"
