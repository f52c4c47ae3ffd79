"""How the worker commits what it may forget."""

NO_WAIT_FOR_DISK = "SET LOCAL synchronous_commit = off"
"""For claims and outcomes: what a crash of the database forgets is claimed, or sent, again."""
