"""Mail: staff and visitors get letters about what happened in a brokerage, each once.

    events ── letters ──▶ queue ── worker ──▶ sending ── outcome ──▶ sent, due later, or failed

Four rooms, each of which imports only from those below it:

    worker    the loops that make mails of the logs and send them; ``aureum/worker`` runs them
    letters   which events make which letters, and what they say
    queue     mails, sealed, with their leases, outcomes, bounces and retention
    sending   one attempt: the mail server, or a file where there is none
"""
