"""What a process keeps for as long as it runs."""

import gc


def leave_alone_what_stays() -> None:
    """Spare the garbage collector the program's own modules and classes, which it would walk again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
