"""Several machines: what differs where the database is a coordinator of Citus (docs/decisions/citus.md).

    tables.py      which tables are distributed by tenant, copied to every node, or kept on the coordinator
    functions.py   how the functions differ: one tenant a call, and nothing that names a tenant by another row
    carried.py     which function Citus carries to its tenant's node
    statements.py  a migration's statements one by one, as Citus wants them
    by_tenant.py   what looks for something among all tenants and locks it: the tenants first, then one after the other
    nodes.py       how such a look goes on while a node is away

A connection finds out once what the database is (``Connection.citus``), as it does with a pooler. On plain PostgreSQL
nothing of this runs.
"""
