"""Signing: the network is this machine's loopback."""
