"""Webhooks: what happened in a brokerage is told to its endpoints, signed, at least once.

Pure, clock and chance passed in: ``signing`` (the headers of a request), ``schedule`` (when to try again) and
``addresses`` (which URLs and addresses may be called). Outward: ``resolver`` and ``sender``, the only two that reach
the network, both behind the rules of ``addresses``.
"""
