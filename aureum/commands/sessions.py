"""Sessions of staff: logged in with a password, kept as the hash of a token, ended by logging out or in time."""

TOKEN_PREFIX = "aut_"  # noqa: S105  it is how a token begins, not one
