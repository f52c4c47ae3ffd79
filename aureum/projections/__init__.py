"""Read models: one a file, with its pure step, its queries, and the statement that the append function runs for it.

Each module has

``NAME``        what the command line and the append function call it; also its table
``APPEND``      one SQL statement, run by ``append_events`` in the transaction of the events: it reads
                ``p_rows -> NAME`` (what ``rows`` made, each with its ``item``), ``outcomes[item]`` and
                ``p_tenant[item]``, or ``accepted`` (the items that were appended, with their tenants), and the head
                row, whose lock is held and which names the version that is live for the tenant
``rows``        pure: the rows that new events of one stream make, given the stream's events before them

Adding one is one file and one line in ``aureum/projections/all.py``.
"""
