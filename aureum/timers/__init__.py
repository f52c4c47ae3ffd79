"""Timers of leads that wait to be claimed, or for the first contact with their agent.

setting   follows the logs: which lead waits, and until when
firing    takes up the timers that are due, and passes those leads on whose time is over

A timer says when to look, and nothing more: whether the time is over is decided from the lead's history in
``aureum.commands.passing_on``, and happens once, since what comes of it is appended behind the version that was read.
So a worker may die at any moment, two may take up the same timer, and a clock may jump.
"""
