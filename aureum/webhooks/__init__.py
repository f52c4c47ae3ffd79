"""Webhooks: what happened in a brokerage is told to its endpoints, signed, at least once.

    events ── projector ──▶ messages and deliveries ── dispatcher ──▶ attempts ── completions ──▶ done, or due later

Pure, clock and chance passed in: ``messages`` (what is told of a save), ``signing`` (the headers of a request),
``schedule`` (when to try again) and ``addresses`` (which URLs and addresses may be called). On the database:
``projector``, ``lanes`` (the queue), ``completions``, ``endpoints``. Outward: ``resolver`` and ``sender``, the only two
that reach the network, both behind the rules of ``addresses``. ``dispatcher`` and ``worker`` put them together.
"""
