"""Timers: of leads that wait to be claimed, or for the first contact with their agent, and of envelopes.

    setting   follows the logs: which lead waits, and until when
    firing    takes up the timers that are due, and passes on the leads whose time is over
    envelopes the same of envelopes: reminders, deadlines, the end of the time for which they are kept

A timer only says when to look. ``aureum.commands.passing_on`` decides from the lead's history whether the time is over,
and appends the decision after the version that it read, so that a lead goes on once. So a worker may die at any moment,
two workers may take up the same timer, and a clock may jump.
"""
