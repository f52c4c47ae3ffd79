"""Several machines: what differs where the database is a coordinator of Citus (docs/decisions/citus.md).

    tables.py      which tables are distributed by tenant, copied to every node, or kept on the coordinator
    functions.py   how the functions differ: one tenant a call, and nothing that names a tenant by another row
    statements.py  a migration's statements one by one, as Citus wants them

A connection finds out once what the database is (``Connection.citus``), as it does with a pooler. On plain PostgreSQL
nothing of this runs.
"""
