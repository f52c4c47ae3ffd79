"""Read models: one a file, with its pure step and its queries.

A list of resources is declared (``document_list.DocumentList``), and most follows from that. Any other module has

``NAME``        what the command line and the append function call it; also its table
``EVENTS``      the base of the events that it is made of
``APPEND``      one SQL statement, run by ``append_events`` in the transaction of the events: it reads
                ``rows`` (what the function ``rows`` made, each with its ``item``), ``tenants[item]`` (in whose log the
                item is now, NULL: in none), and the head row, whose lock is held and which names the version that is
                live for the tenant
``TAKEN``       where a unique index may refuse a row: what that means, by the index's name or the table's
``rows``        pure: the rows that new events of one stream make, given the stream's events before them

Adding one is one file, and its name in ``aureum/resources.py``.
"""
