"""Webhooks: what happened in a brokerage is told to its endpoints, signed, at least once.

    events ── projector ──▶ messages and deliveries ── dispatcher ──▶ attempts ── completions ──▶ done, or due later

Four rooms, each of which imports only from those below it:

    worker    the loops that do all this; ``aureum/worker`` runs them
    telling   what is told: messages made of the log, listeners, replays
    queue     what is due when: lanes, leases, breakers, completions, retention
    sending   one attempt: signatures, addresses that may be called, the request and its answer

Pure, clock and chance passed in: ``messages`` (what is told of a save), ``signing`` (the headers of a request),
``schedule`` (when to try again) and ``addresses`` (which URLs and addresses may be called). Outward: ``resolver`` and
``sender``, the only two that reach the network, both behind the rules of ``addresses``.
"""
