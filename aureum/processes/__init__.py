"""The processes of ``aureum serve``: the supervisor, which starts and watches them, and its children."""
