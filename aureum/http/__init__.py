"""The HTTP service. A request comes in at the top and goes down through the rooms; an answer comes back the same way.

    server     bytes of a connection ─▶ a request; the id, the log line, the answer to any exception; all routes
    panel      pages for staff: each asks endpoints of ``api`` in this process and renders what they answer
    portal     pages for clients, in the brokerage's name: each reads what belongs to the address that has signed in
    api        the resources of both APIs, a folder each     │ openapi   the document made of all declarations
    contract   what all endpoints promise alike: Endpoint, lists, paging, ETags, asOf, idempotency, public forms
    access     who calls, of which brokerage, and whether they may: the gate, hosts, roles, cookies
    wire       bodies, headers, field types, validation, errors with their codes

One request, ``GET /api/leads``, passes these places:

    server/revalidating_protocol.py   the same bytes as before, and nothing has changed: 304 or the same answer at once
    server/edge.py                    gives the request its id
    server/routes.py                  finds the endpoint of path and method
    contract/endpoint.py              checks in the order that the declaration says: caller, ETag, query, body
    access/callers.py, gate.py        who calls: one statement, for all requests that wait at the moment
    api/leads/leads.py                answers, from a read model (aureum/projections) or by a command (aureum/commands)
    server/edge.py                    adds headers, logs one line, turns an exception into the refusal it stands for

What follows from a stored event (webhooks, mail, timers) is made later by the worker (``aureum/worker``), from the log.
"""
