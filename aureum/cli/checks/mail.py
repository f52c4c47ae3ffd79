"""Checks of mail: whether the mail server answers and accepts the login, and which mails could not be sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aureum.cli.checks.check import Doctor, Finding

PROBE_SECONDS = 10.0
LATE_SECONDS = 300

FILES = "AUREUM_SMTP_URL is not set, so mails are only written to files in {directory}."
NOT_SENT = "The mail server {server} does not work: {why}"
SAID = " It answered: {code} {answer}"

FAILED = """
SELECT b.slug, m.error, count(*)
  FROM mails m
  JOIN brokerages b ON b.tenant_id = m.tenant_id
 WHERE m.state = 'failed' AND m.ended_at > now() - interval '24 hours'
 GROUP BY b.number, b.slug, m.error
 ORDER BY b.number, m.error
"""
COULD_NOT = (
    "In the last 24 hours {count} mails of {slug} could not be sent: {why} GET /api/v1/admin/mail?status=failed lists "
    "them, and so does the page Mail of the panel."
)
LATE = (
    "A mail has been waiting for {minutes} minutes. Either the mail server takes no mail, or no worker runs: "
    "'aureum serve' has one unless it is told --no-worker, and 'aureum worker' is one."
)


async def mail(doctor: Doctor) -> AsyncIterator[Finding]:
    """The mail server of the settings, mails that failed lately, and mails that wait for long."""
    from aureum.mail.queue.observing import observe
    from aureum.mail.sending.outcome import explained
    from aureum.mail.sending.smtp import SmtpSender
    from aureum.settings import SettingsError
    from aureum.settings.mail import NO_MAIL_SERVER, mail_directory, mail_from
    from aureum.settings.smtp import smtp_server

    settings, rows = doctor.settings, doctor.store.database.rows
    if settings.smtp_url is None:
        directory = str(mail_directory(settings))
        text = FILES.format(directory=directory) if settings.database_url is None else NO_MAIL_SERVER
        yield Finding("mail", text, {"directory": directory}, decide=False)
    else:
        server = smtp_server(settings.smtp_url)
        try:
            outcome = await SmtpSender(server, mail_from(settings), PROBE_SECONDS).probe()
        except SettingsError as error:
            yield Finding("mail", str(error))
        else:
            if outcome.failure is not None:
                text = NOT_SENT.format(server=server.name, why=explained(outcome.failure))
                if outcome.answer:
                    text += SAID.format(code=outcome.code, answer=outcome.answer)
                yield Finding("mail", text, {"server": server.name, "error": str(outcome.failure)})
    for slug, failure, count in await rows(FAILED):
        text = COULD_NOT.format(count=count, slug=slug, why=explained(failure))
        yield Finding("mail", text, {"brokerage": slug, "error": failure, "mails": count}, decide=False)
    late = (await observe(doctor.store.database)).oldest_due
    if late > LATE_SECONDS:
        yield Finding("mail", LATE.format(minutes=round(late / 60)), {"seconds": round(late)})
