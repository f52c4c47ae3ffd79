"""Webhooks: signing, schedule, addresses and sending; the network is this machine's loopback."""
