"""The admin panel: pages for the staff of a brokerage, rendered here. Every task can be done
without script. Small modules of our own (``modules/``) make some tasks quicker.

A page is a client of the API like any other: ``Visit.ask`` calls an endpoint in this process as its reader, with the
reader's token. So roles, plans, validation and texts are those of the API, and a program can do all that a page does.
"""
