"""How the worker commits what a crash of the database may lose."""

NO_WAIT_FOR_DISK = "SET LOCAL synchronous_commit = off"
"""For claims and outcomes: if a crash loses them, the delivery or mail is claimed and sent again."""
