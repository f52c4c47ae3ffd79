"""Bytes of a connection in, bytes of an answer out: the protocol, its limits, the edge, and all routes."""
