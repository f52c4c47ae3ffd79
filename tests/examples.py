"""How many examples of a property are tried."""

import os


def examples(many: int) -> int:
    """*many*, which differ from run to run; where ``CI`` is set, half of them: there they are the same every time, so
    that a change is not refused for what another one did."""
    return (many + 1) // 2 if os.environ.get("CI") else many
