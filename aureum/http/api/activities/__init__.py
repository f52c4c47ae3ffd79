"""Activities: notes, calls, mails and visits of leads and contacts."""
