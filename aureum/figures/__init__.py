"""What Today and the reports are counted from: a row a lead with its milestones, and the tasks and showings by time.

    keeping  makes the rows from the logs, as the worker follows them
    today    the statements of Today
    days     the days of a brokerage's reports, each counted once
    reports  the statements of the reports

An append writes nothing here. A reader catches up first (``aureum.background.catching_up``), and sees what was
just done. Each row says only what the log and the lists say, and can be made again from the log.
"""
