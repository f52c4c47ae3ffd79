"""The functional core: one aggregate and its events a file, pure and without I/O.

A public method of an aggregate checks the rules and may refuse; applying an event only assigns. A rule inside
``apply`` would run again on every replay and break streams that were legal when they were written: never there.
"""
