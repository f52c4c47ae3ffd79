"""Who calls, for which brokerage, and whether they may: hosts, credentials, roles, plans and limits.

The gate answers all of it in one round trip to the database.
"""
