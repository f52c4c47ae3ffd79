"""Brokerages, as platform admins manage them and owners set theirs."""
