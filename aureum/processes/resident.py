"""What a process keeps for as long as it runs."""

import gc


def collect_seldom() -> None:
    """Let the garbage collector run seldom. Called before the modules are imported, it saves a tenth of that time."""
    gc.set_threshold(50_000, 20, 20)


def leave_alone_what_stays() -> None:
    """Keep the garbage collector from walking the program's modules and classes again and again."""
    gc.collect()
    gc.freeze()
    collect_seldom()
