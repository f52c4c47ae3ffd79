"""What a process keeps for as long as it runs."""

import gc


def collect_seldom() -> None:
    """Let the garbage collector run seldom, from before the modules are imported on: a tenth of that time was its."""
    gc.set_threshold(50_000, 20, 20)


def leave_alone_what_stays() -> None:
    """Spare the garbage collector the program's own modules and classes, which it would walk again and again."""
    gc.collect()
    gc.freeze()
    collect_seldom()
