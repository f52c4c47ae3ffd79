"""Commands and their handlers, side by side: one group a file. A handler loads, decides and appends.

A command is a wish and may be refused (``aureum.domain.errors``). One whose effect already holds records nothing and
succeeds. The HTTP function or the command line names the handler it calls.
"""
